/** Bounded retries and bounded parallelism, for what the AWS SDK does not retry by itself. */
import { setTimeout as timer } from "node:timers/promises";

/** Waits before retry number `attempt`, counted from 0. */
export type Pause = (attempt: number) => Promise<void>;

/** Retries after the first try: with `pauseSeconds` about 6 seconds in all. */
export const RETRIES_MAX = 8;
const PAUSE_MS_FIRST = 25;
/** Longest wait of one retry: a Lambda's caller has its own limit. */
const PAUSE_MS_MAX = 2000;

/** 25 ms, then twice as long each time, at most 2 s; up to half of it less, so that callers do not come back at once. */
export async function pauseSeconds(attempt: number): Promise<void> {
  const ms = Math.min(PAUSE_MS_FIRST * 2 ** attempt, PAUSE_MS_MAX);
  await timer(ms - Math.random() * (ms / 2));
}

/**
 * Does `work` for each, at most `width` at once. Stops starting more at the first error, waits for those under way, and
 * throws it.
 */
export async function inParallel<T>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<void>,
): Promise<void> {
  let next = 0;
  const errors: unknown[] = [];
  async function run(): Promise<void> {
    while (next < items.length && errors.length === 0) {
      const item = items[next] as T;
      next += 1;
      try {
        await work(item);
      } catch (error) {
        errors.push(error);
      }
    }
  }
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, run));
  if (errors.length > 0) throw errors[0];
}
