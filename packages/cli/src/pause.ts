/** Waiting that a stop ends at once. */
import { setTimeout as timer } from "node:timers/promises";

/** Resolves after `ms`, or at once when the signal says stop. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await timer(ms, undefined, { signal }).catch(() => {}); // it rejects with an abort only
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
