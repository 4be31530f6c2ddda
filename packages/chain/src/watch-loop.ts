/** Repeats the watcher's round until it is told to stop. */
import { type Round, type WatchPorts, watchRound } from "./watch.ts";

export interface WatchLoopOptions {
  /** Pause between rounds when all is read, default 1,000 ms. */
  readonly intervalMs?: number | undefined;
  /** After each round, also one that a node cut short. */
  readonly onRound?: ((round: Round) => void) | undefined;
  /** A round failed; it is tried again, later and later. */
  readonly onError?: ((error: unknown) => void) | undefined;
}

export interface Watching {
  /** Ends after the round that is under way. */
  stop(): Promise<void>;
}

/** Longest pause between two tries. */
const PAUSE_MS_MAX = 30_000;

/** Starts the rounds. A fault of a node, the store or the receiver never ends them. */
export function startWatching(ports: WatchPorts, options: WatchLoopOptions = {}): Watching {
  const { intervalMs = 1000, onRound = () => {}, onError = () => {} } = options;
  const stopping = new AbortController();
  const loop = async () => {
    const memory = { known: null };
    let failures = 0;
    while (!stopping.signal.aborted) {
      let pause = intervalMs;
      try {
        const round = await watchRound(ports, memory);
        onRound(round);
        failures = round.limited?.fault === "rate" ? failures + 1 : 0;
        if (round.behind > 0 && !round.lagging && failures === 0) pause = 0;
      } catch (error) {
        failures += 1;
        onError(error);
      }
      if (failures > 0) pause = Math.min(PAUSE_MS_MAX, Math.max(100, intervalMs) * 2 ** Math.min(failures - 1, 10));
      await pauseOf(pause, stopping.signal);
    }
  };
  const ended = loop();
  return {
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
