/** Repeats the watcher's round until it is told to stop. */
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
  /** Ends after the round that is under way, and gives the lease back. */
  stop(): Promise<void>;
}

/** Longest pause between two tries. */
const PAUSE_MS_MAX = 30_000;
/** How often a watcher that stands by looks whether it may. */
const STANDBY_MS = 2_000;

/** Starts the rounds. A fault of a node, the store or the receiver never ends them. */
export function startWatching(ports: WatchPorts, options: WatchLoopOptions = {}): Watching {
  const { intervalMs = 1000, onRound = () => {}, onStandby = () => {}, onError = () => {} } = options;
  const stopping = new AbortController();
  const memory = emptyMemory();
  let failures = 0;

  /** Does one round; answers how long to wait for the next. */
  async function once(): Promise<number> {
    let wanted = 0;
    try {
      const round = await watchRound(ports, memory);
      await onRound(round);
      wanted = round.limited?.retryAfterMs ?? 0;
      failures = round.limited?.fault === "rate" ? failures + 1 : 0;
      if (failures === 0) return round.behind > 0 && !round.lagging ? 0 : intervalMs;
    } catch (error) {
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

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) await pauseOf(await once(), stopping.signal);
    await release(ports.store, ports.client.chainId, ports.holder, ports.now()).catch(onError);
  }

  const ended = loop();
  return {
    memory,
    stop: () => {
      stopping.abort();
      return ended;
    },
  };
}

/** Resolves after `ms`, or at once when the signal says stop. */
function pauseOf(ms: number, signal: AbortSignal): Promise<void> {
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
