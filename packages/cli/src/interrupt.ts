/** Ctrl-C and SIGTERM: the first asks to stop, a second one does not ask. */

/** npm passes a terminal's Ctrl-C on to a child that has had it already: what follows this closely is the same one. */
const SAME_MS = 500;

/** Resolves at the first signal; a later one ends the process at once with the shells' code for it. */
export function interrupted(): Promise<NodeJS.Signals> {
  return new Promise((resolve) => {
    let first: number | null = null;
    const on = (signal: NodeJS.Signals, code: number) => {
      process.on(signal, () => {
        if (first === null) {
          first = performance.now();
          resolve(signal);
        } else if (performance.now() - first > SAME_MS) process.exit(code);
      });
    };
    on("SIGINT", 130);
    on("SIGTERM", 143);
    on("SIGHUP", 129);
  });
}
