/** How a command says that it did not do what it was asked: one or two plain lines and an exit code. */

/** Exit codes: 0 done, 1 failed, 2 wrong use. */
export const EXIT = { done: 0, failed: 1, usage: 2 } as const;

/** The command could not be done; the message names the thing, the value, the limit and the way out. */
export class CommandError extends Error {
  override readonly name = "CommandError";
}

/** The command was called wrongly; nothing was done. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}
