/** Repeats the watcher's round until it is told to stop. */
import { CursorConflict } from "./cursor.ts";
import { LeaseHeld, release } from "./lease.ts";
import { RpcError } from "./rpc-error.ts";
import { emptyMemory, type Round, type WatchMemory, type WatchPorts, watchRound } from "./watch.ts";

export interface WatchLoopOptions {
  /** Pause between rounds when all is read, default 1,000 ms. */
  readonly intervalMs?: number | undefined;
  /** After each round, also one that a node cut short; the next one waits for it. */
  readonly onRound?: ((round: Round) => Promise<void> | void) | undefined;
  /** Another watcher holds the lease: this one tries again when it may be over. */
  readonly onStandby?: ((held: LeaseHeld) => void) | undefined;
  /** A round failed; it is tried again, later and later. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface Watching {
  readonly memory: WatchMemory;
  /** Does a round now, or as soon as the one under way has ended. @throws what that round throws */
  round(): Promise<Round>;
  /** Ends after the round that is under way, and gives the lease back. */
  stop(): Promise<void>;
}

/** Longest pause between two tries. */
const PAUSE_MS_MAX = 30_000;
/** How often a watcher that stands by looks whether it may. */
const STANDBY_MS = 2_000;
/** Conflicts in a row that are no news. */
const CONFLICTS_MAX = 5;
const STOPPED = "the watcher was stopped";

/** Starts the rounds. A fault of a node, the store or the receiver never ends them. */
export function startWatching(ports: WatchPorts, options: WatchLoopOptions = {}): Watching {
  const { intervalMs = 2_000, onRound = () => {}, onStandby = () => {}, onError = () => {} } = options;
  const stopping = new AbortController();
  const memory = emptyMemory();
  let failures = 0;
  let conflicts = 0;
  let waiting: Waiting[] = [];
  let wake = (): void => {};

  /** Does one round; answers how long to wait for the next. */
  async function once(): Promise<number> {
    const asked = waiting;
    waiting = [];
    let wanted = 0;
    try {
      const round = await watchRound(ports, memory);
      conflicts = 0;
      await onRound(round);
      for (const { resolve } of asked) resolve(round);
      wanted = round.limited?.retryAfterMs ?? 0;
      failures = round.limited?.fault === "rate" ? failures + 1 : 0;
      if (failures === 0) return round.behind > 0 && !round.lagging ? 0 : intervalMs;
    } catch (error) {
      // Somebody has queued a past to be read, or the lease has gone: the next round sees which.
      if (error instanceof CursorConflict && conflicts++ < CONFLICTS_MAX) {
        waiting = [...asked, ...waiting];
        return 0;
      }
      for (const { reject } of asked) reject(error);
      if (error instanceof LeaseHeld) {
        onStandby(error);
        return STANDBY_MS;
      }
      failures += 1;
      wanted = error instanceof RpcError ? (error.retryAfterMs ?? 0) : 0;
      onError(error);
    }
    // A node that says how long it wants to be left alone is believed.
    const later = Math.min(PAUSE_MS_MAX, Math.max(100, intervalMs) * 2 ** Math.min(failures - 1, 10));
    return wanted > 0 ? Math.min(wanted, PAUSE_MS_MAX) : later;
  }

  /** Ends early when a round is asked for, or the loop is to stop. */
  function pause(ms: number): Promise<void> {
    return new Promise((resolve) => {
      if (stopping.signal.aborted || waiting.length > 0) return resolve();
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) await pause(await once());
    for (const { reject } of waiting) reject(new Error(STOPPED));
    await release(ports.store, ports.client.chainId, ports.holder, ports.now()).catch(onError);
  }

  const ended = loop();
  return {
    memory,
    round: () =>
      new Promise((resolve, reject) => {
        if (stopping.signal.aborted) return reject(new Error(STOPPED));
        waiting.push({ resolve, reject });
        wake();
      }),
    stop: () => {
      stopping.abort();
      wake();
      return ended;
    },
  };
}

/** Somebody who wants a round. */
interface Waiting {
  readonly resolve: (round: Round) => void;
  readonly reject: (error: unknown) => void;
}
