/** Waiting that a stop ends at once. */

/** Resolves after `ms`, or at once when the signal says stop. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener("abort", end);
      resolve();
    };
    const timer = setTimeout(end, ms);
    signal.addEventListener("abort", end);
  });
}

/** Resolves when `work` has ended or failed, after `ms` at the latest; the work then goes on by itself. */
export async function within(work: Promise<unknown>, ms: number): Promise<void> {
  const ended = new AbortController();
  const done = work.then(
    () => {},
    () => {},
  );
  await Promise.race([done, pause(ms, ended.signal)]);
  ended.abort();
}
