/** The wall between a payment and its observer: nothing that goes wrong behind it reaches the payment. */

/** Does `act`; whatever it throws stays here. */
export function quietly<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch {
    return undefined;
  }
}

/** A hook for x402, which awaits it: `act` runs at once, waits for nothing, and cannot fail. */
export function hook<Context>(act: (context: Context) => void): (context: Context) => Promise<void> {
  return (context) => {
    quietly(() => act(context));
    return Promise.resolve();
  };
}
