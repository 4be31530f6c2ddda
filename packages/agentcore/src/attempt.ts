/** One call to AgentCore, and what came of it, within a time. */
import { again, failureOf, type Outcome } from "./failure.ts";

/** The reason of what `close` ended. */
export const CLOSED = "closed before there was an answer";

/** Sends a request; gives up when the signal says so. */
export type Send<T> = (abort: AbortSignal) => Promise<T>;

/**
 * Never rejects, and never takes longer than `timeoutMs` (credentials, connection, request and body together), whatever
 * the SDK does with the signal. `closed` ends it at once.
 */
export async function attempt<T>(send: Send<T>, timeoutMs: number, closed: AbortSignal): Promise<Outcome<T>> {
  const deadline = new AbortController();
  const stop = () => deadline.abort();
  const timer = setTimeout(stop, timeoutMs);
  closed.addEventListener("abort", stop, { once: true });
  if (closed.aborted) stop();
  try {
    return { kind: "answer", value: await Promise.race([send(deadline.signal), rejectedOn(deadline.signal)]) };
  } catch (error) {
    if (closed.aborted) return again(CLOSED);
    return deadline.signal.aborted ? again(`no answer within ${timeoutMs} ms`) : failureOf(error);
  } finally {
    clearTimeout(timer);
    closed.removeEventListener("abort", stop);
  }
}

function rejectedOn(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => {
    const fail = () => reject(new Error("aborted"));
    if (signal.aborted) fail();
    else signal.addEventListener("abort", fail, { once: true });
  });
}
