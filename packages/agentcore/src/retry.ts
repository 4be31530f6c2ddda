/** Bounded retries with full jitter, so that callers who were throttled together do not come back together. */
import { setTimeout as timer } from "node:timers/promises";
import type { Outcome } from "./failure.ts";

/** Waits so many milliseconds, or until the signal says so; may reject then. */
export type Pause = (ms: number, closed: AbortSignal) => Promise<void>;

export interface Patience {
  /** Attempts in all, the first one included. */
  readonly attemptsMax: number;
  readonly pause: Pause;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** Ends the waiting and the retrying. */
  readonly closed: AbortSignal;
}

/** Upper end of the first wait; it doubles each time. */
const PAUSE_MS_FIRST = 100;
/** Upper end of any wait but what AgentCore asks for. */
export const PAUSE_MS_MAX = 2000;
/** Longest Retry-After that is honoured: who waits for us has a limit too. */
export const RETRY_AFTER_MS_MAX = 5000;

/** Attempts until one does not say `again`; the last one's outcome, whatever it is. */
export async function retried<T>(attempt: () => Promise<Outcome<T>>, patience: Patience): Promise<Outcome<T>> {
  const { attemptsMax, pause, random, closed } = patience;
  for (let count = 1; ; count++) {
    const outcome = await attempt();
    if (outcome.kind !== "again" || count >= attemptsMax || closed.aborted) return outcome;
    await pause(pauseMs(count - 1, outcome.retryAfterMs, random), closed).catch((error: unknown) => {
      if (!closed.aborted) throw error;
    });
    if (closed.aborted) return outcome;
  }
}

/** The wait before retry number `retry`, counted from 0: anything up to the bound, on top of what AgentCore asks for. */
export function pauseMs(retry: number, retryAfterMs: number | null, random: () => number): number {
  const jitter = random() * Math.min(PAUSE_MS_FIRST * 2 ** retry, PAUSE_MS_MAX);
  return Math.min(retryAfterMs ?? 0, RETRY_AFTER_MS_MAX) + jitter;
}

/** The wait that the clock makes. */
export const timerPause: Pause = (ms, closed) => timer(ms, undefined, { signal: closed });
