/** The watcher's ports for tests, made in one place, and rounds until all is read. */
import { USDC } from "@bursar/demo/usdc";
import { event } from "@bursar/events/contract";
import { createChainClient } from "../src/client.ts";
import { emptyMemory, type Round, type WatchMemory, type WatchPorts, watchRound } from "../src/watch.ts";

export const CHAIN = 42161;

export interface Given extends Pick<WatchPorts, "store" | "wallets" | "emit" | "startBlock" | "candidates"> {
  readonly rpcUrls: readonly string[];
  /** Default 5,000. */
  readonly timeoutMs?: number;
  /** Default: the real one. */
  readonly now?: () => string;
  /** The watcher's name in its lease. */
  readonly holder?: string;
  /** How long safe and final heads are good for; default 0, so that each round sees those there are. */
  readonly headsMs?: number;
}

/** What a round needs beside its ports: what it remembers, and how much time its client believes has passed. */
interface Keeping {
  readonly memory: WatchMemory;
  skewMs: number;
}
const kept = new WeakMap<WatchPorts, Keeping>();

/** Every event must be one of the contract. The client lives as long as the ports: it remembers how its nodes did. */
export function portsOf({ rpcUrls, timeoutMs = 5000, emit, now, holder = "test", headsMs = 0, ...rest }: Given) {
  const keeping: Keeping = { memory: emptyMemory(), skewMs: 0 };
  const ports: WatchPorts = {
    ...rest,
    ...{ holder, headsMs, now: now ?? (() => new Date().toISOString()), asset: USDC },
    client: createChainClient({ chainId: CHAIN, rpcUrls, timeoutMs, clock: () => Date.now() + keeping.skewMs }),
    async emit(emissions) {
      for (const each of emissions) event.parse(each.event);
      await emit(emissions);
    },
  };
  kept.set(ports, keeping);
  return ports;
}

/** What a round takes at least, for the client: a node that wants a pause gets it without anybody waiting. */
const ROUND_MS = 250;
const PATIENCE_MS = 30_000;

/** One round of a watcher that goes on: with its memory, a while after the one before. */
export function round(ports: WatchPorts): Promise<Round> {
  const keeping = kept.get(ports) as Keeping;
  keeping.skewMs += ROUND_MS;
  return watchRound(ports, keeping.memory);
}

/**
 * Rounds until one has read everything up to `target`, the past of new wallets included, whatever goes wrong meanwhile.
 * @throws what the last round threw, once patience is over
 */
export async function readAll(ports: WatchPorts, target: number): Promise<Round> {
  const end = performance.now() + PATIENCE_MS;
  let last: unknown;
  while (performance.now() < end) {
    try {
      const did = await round(ports);
      if (did.scanned >= target && did.behind === 0 && !did.lagging && did.limited === null) return did;
      last = new Error(`read up to ${did.scanned} of ${target}, ${did.behind} behind, lagging: ${did.lagging}`);
    } catch (error) {
      last = error;
    }
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw last;
}

/** Some rounds, whatever becomes of them. */
export async function rounds(ports: WatchPorts, count: number): Promise<void> {
  for (let left = count; left > 0; left--) await round(ports).catch(() => {});
}
