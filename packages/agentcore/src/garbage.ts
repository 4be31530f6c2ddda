/** An answer of AgentCore that is none: it has a good status and not what such an answer holds. */

/** What is wrong with it, in `message`. It counts as no answer: ask again, bounded, then `unavailable`. */
export class GarbageError extends Error {
  override readonly name = "GarbageError";
}
