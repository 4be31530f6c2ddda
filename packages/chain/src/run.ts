/** What one round of the watcher shares among its parts: the ports, the heads, and the cursor as it is stored. */
import type { Store } from "@bursar/core/ports";
import type { Event } from "@bursar/events/contract";
import type { Source } from "@bursar/events/source";
import type { ChainClient, Endpoint } from "./client.ts";
import { type Cursor, type HeldCursor, writeCursor } from "./cursor.ts";
import type { Heads } from "./heads.ts";
import { leaseFor } from "./lease.ts";
import type { Dispute } from "./reorg.ts";
import type { Fact } from "./scan.ts";
import { type Candidates, emptyStragglers, type StragglerMemory } from "./stragglers.ts";
import type { KnownWallets, WatchedWallet } from "./wallets.ts";

export interface Emission {
  readonly source: Source;
  readonly event: Event;
}

export interface WatchPorts {
  readonly client: ChainClient;
  readonly store: Pick<Store, "get" | "commit" | "putAll" | "drop" | "facts">;
  /** The token's contract, lower case. */
  readonly asset: string;
  /** Asked every round: wallets may come and go. */
  readonly wallets: () => Promise<readonly WatchedWallet[]> | readonly WatchedWallet[];
  /** Hands facts on; resolves when they are durable. At least once: ids are stable, repeats change nothing. */
  readonly emit: (events: readonly Emission[]) => Promise<void>;
  /** ISO-8601. */
  readonly now: () => string;
  /** Who watches: of two with one table, the one that holds the lease does. */
  readonly holder: string;
  /** Those of the facts that the receiver lacks; asked where the journal does not reach. Default: all of them. */
  readonly lacking?: ((facts: readonly Fact[]) => Promise<readonly Fact[]>) | undefined;
  /** How long safe and final heads are good for, default 20,000 ms. */
  readonly headsMs?: number | undefined;
  /** Where a cursor that does not exist yet begins; default: the latest block. */
  readonly startBlock?: number | ((latest: number) => number) | undefined;
  /** What only the chain can close: unsettled authorizations, and claimed hashes that the logs did not show. All of them. */
  readonly candidates?: (() => Promise<Candidates> | Candidates) | undefined;
}

/** What a watcher keeps between rounds to save calls and reads; nothing is lost with it. */
export interface WatchMemory {
  /** Wallets by what the table knows of them, once read. */
  known: KnownWallets | null;
  /** The heads as they were last asked for, all three, and when. */
  heads: { readonly heads: Heads; readonly atMs: number } | null;
  /** The id of the heads that were handed on last. */
  toldHeads: string | null;
  /** Until when no past is read: a node could not show some of it. Milliseconds of the client's clock. */
  pastRestsUntilMs: number;
  readonly dispute: Dispute;
  readonly stragglers: StragglerMemory;
}

export const emptyMemory = (): WatchMemory => ({
  known: null,
  heads: null,
  toldHeads: null,
  pastRestsUntilMs: 0,
  dispute: { sinceMs: null },
  stragglers: emptyStragglers(),
});

export interface Run extends WatchPorts {
  readonly memory: WatchMemory;
  heads: Heads;
  held: HeldCursor;
  addresses: readonly string[];
  /** Wallets that were left, with the last block that is still of interest. */
  leaving: ReadonlyMap<string, number>;
  /** Events handed on so far. */
  events: number;
  /** The node that gave the last reading. */
  reader: Endpoint | undefined;
}

/** Events in one hand-over. */
const EVENTS_PER_EMIT = 500;
/** Blocks that may go though the node calls them final: local chains rewrite what they like. */
export const REORG_BLOCKS = 256;

/** No movement at or below this block is expected to go: final, and not of the last few, whatever the tags say. */
export function settledFloor(heads: Heads): number {
  return Math.min(heads.final.number, heads.latest.number - REORG_BLOCKS);
}

export async function hand(run: Run, events: readonly Event[]): Promise<void> {
  for (let at = 0; at < events.length; at += EVENTS_PER_EMIT) {
    const part = events.slice(at, at + EVENTS_PER_EMIT);
    await run.emit(part.map((event) => ({ source: { kind: "chain" }, event })));
    run.events += part.length;
  }
}

/** Writes the cursor, under the lease: no commit is made by a watcher that has lost it. */
export async function move(run: Run, cursor: Cursor): Promise<void> {
  const lease = leaseFor(run.held.cursor.lease, run.holder, run.now());
  run.held = await writeCursor(run.store, run.client.chainId, run.held, { ...cursor, lease });
}
