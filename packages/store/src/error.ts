/** What a store refuses or cannot do, and what to do about it. */

/**
 * - `limit`: the call asks for what no adapter can do; a bug of the caller, a repeat will not help
 * - `locked`: another process has the data directory open for writing
 * - `missing`, `foreign`, `corrupt`: the data directory or table is not there, not Bursar's, or damaged
 * - `failed`: a write could not be made durable; the store takes no more, open it again
 * - `busy`: the database asks to slow down, longer than the adapter waits; repeat later
 * - `closed`, `readonly`: the store is not open (for writing)
 */
export type StoreFault =
  | "limit"
  | "locked"
  | "missing"
  | "foreign"
  | "corrupt"
  | "failed"
  | "busy"
  | "closed"
  | "readonly";

export class StoreError extends Error {
  override readonly name = "StoreError";
  readonly fault: StoreFault;

  constructor(fault: StoreFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}

/** For a cursor that another query gave, or none did. */
export function unknownCursor(after: string): StoreError {
  const text = JSON.stringify(after.slice(0, 80));
  return new StoreError("limit", `${text} is no cursor of this query: start it again without one`);
}

export function closedError(): StoreError {
  return new StoreError("closed", "the store is closed: open it again");
}
