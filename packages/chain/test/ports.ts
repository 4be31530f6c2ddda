/** The watcher's ports for tests, made in one place, and rounds until all is read. */
import { USDC } from "@bursar/demo/usdc";
import { event } from "@bursar/events/contract";
import { createChainClient } from "../src/client.ts";
import { type Round, type WatchPorts, watchRound } from "../src/watch.ts";

export const CHAIN = 42161;

export interface Given extends Pick<WatchPorts, "store" | "wallets" | "emit" | "startBlock" | "candidates"> {
  readonly rpcUrls: readonly string[];
  /** Default 5,000. */
  readonly timeoutMs?: number;
  /** Default: the real one. */
  readonly now?: () => string;
  /** The watcher's name in its lease. */
  readonly holder?: string;
}

/** Every event must be one of the contract. The client lives as long as the ports: it remembers how its nodes did. */
export function portsOf({ rpcUrls, timeoutMs = 5000, emit, now, holder, ...rest }: Given): WatchPorts {
  return {
    ...{ now: now ?? (() => new Date().toISOString()), holder: holder ?? "test" },
    ...rest,
    client: createChainClient({ chainId: CHAIN, rpcUrls, timeoutMs }),
    asset: USDC,
    async emit(emissions) {
      for (const each of emissions) event.parse(each.event);
      await emit(emissions);
    },
  };
}

const PATIENCE_MS = 30_000;

/**
 * Rounds until one has read everything up to `target`, the past of new wallets included, whatever goes wrong meanwhile.
 * @throws what the last round threw, once patience is over
 */
export async function readAll(ports: WatchPorts, target: number): Promise<Round> {
  const end = performance.now() + PATIENCE_MS;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const round = await watchRound(ports);
      if (round.scanned >= target && round.behind === 0 && !round.lagging && round.limited === null) return round;
      last = new Error(`read up to ${round.scanned} of ${target}, ${round.behind} behind, lagging: ${round.lagging}`);
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw last;
}

/** Some rounds, whatever becomes of them. */
export async function rounds(ports: WatchPorts, count: number): Promise<void> {
  for (let left = count; left > 0; left--) await watchRound(ports).catch(() => {});
}
