/** One day's three-way balance: the table's own day, then the chain read anew beside it, then the comparison. */
import type { ChainDay, Day } from "@bursar/core/chain-day";
import { lookUpPayments, readDayBooks } from "@bursar/core/day-books";
import type { Store } from "@bursar/core/ports";
import { type Reconciliation, reconcile, unbooked } from "@bursar/core/reconcile";
import { shown } from "@bursar/core/session-reads";
import { eachSession, endOf, type KeptSession } from "@bursar/core/session-registry";
import type { CorrelateWorld } from "@bursar/core/write";

/** How far a reading is: payments looked at, or blocks read of how many. */
export interface Reading {
  readonly step: "books" | "chain";
  readonly done: number;
  /** Null where nobody knows. */
  readonly whole: number | null;
}

export interface Reconciled extends Reconciliation {
  /** Why the chain was not asked; null where it was. */
  readonly notAsked: string | null;
  /** The chain is configured, and did not answer. */
  readonly chainFailed: boolean;
}

export interface ReconcileParts {
  readonly store: Store;
  /** The world as it stands. */
  readonly world: () => Promise<CorrelateWorld>;
  /** Where the chain is asked; without any it is not. */
  readonly rpcUrls: readonly string[];
  /** Why there is no RPC URL, in words. */
  readonly noUrls?: string | undefined;
  readonly now: () => string;
  /** The table is being written to: a difference is looked at twice. */
  readonly isLive: boolean;
}

export interface Reconciler {
  /** What ends a reading is thrown by `onReading`. */
  run(day: Day, onReading: (reading: Reading) => void): Promise<Reconciled>;
}

/** Of a table that is written to, a difference that is gone at the second look was none. */
const LOOKS_MAX = 2;

export function createReconciler(parts: ReconcileParts): Reconciler {
  const { rpcUrls, isLive } = parts;
  const known = new Map<number, number>(); // the first blocks of days, kept for the next time
  return {
    async run(day, onReading) {
      let found = await look(parts, rpcUrls, day, known, onReading);
      for (let looks = 1; looks < LOOKS_MAX && isLive && found.equal === false; looks++)
        found = await look(parts, rpcUrls, day, known, onReading);
      return found;
    },
  };
}

async function look(
  { store, world: worldNow, noUrls, now }: ReconcileParts,
  rpcUrls: readonly string[],
  day: Day,
  known: Map<number, number>,
  onReading: (reading: Reading) => void,
): Promise<Reconciled> {
  onReading({ step: "books", done: 0, whole: null });
  const world = await worldNow();
  const { chainId, asset } = world.directory;
  const { readCursor } = await import("@bursar/chain/cursor");
  // Before the payments: whatever the watcher has read by now is in the table when they are looked at.
  const through = (await readCursor(store, chainId))?.cursor.scanned ?? null;
  /** Reading a large table must hold up nobody: payments are booked and sessions revoked meanwhile. */
  const inTurns =
    (whole: number | null) =>
    async (done: number): Promise<void> => {
      onReading({ step: "books", done, whole });
      await new Promise((resolve) => setImmediate(resolve));
    };
  const books = await readDayBooks(store, world, now(), day, inTurns(null));
  const sessions = await shown(store, await sessionsOf(store, day), now());

  let chain: ChainDay | null = null;
  let fault: string | null = null;
  if (rpcUrls.length > 0) {
    const [{ createChainClient }, { auditDay }, { RpcError }] = await Promise.all([
      import("@bursar/chain/client"),
      import("@bursar/chain/audit"),
      import("@bursar/chain/rpc-error"),
    ]);
    try {
      const client = createChainClient({ chainId, rpcUrls });
      const wallets = [...books.wallets.keys()].sort();
      const onProgress = (done: number, whole: number) => onReading({ step: "chain", done, whole });
      onReading({ step: "chain", done: 0, whole: null });
      chain = await auditDay({ client, asset, wallets, day, through, known, onProgress });
    } catch (error) {
      if (!(error instanceof RpcError)) throw error;
      fault = error.message;
    }
  }
  const ids = chain === null ? [] : unbooked(books, chain);
  const table = await lookUpPayments(store, world, now(), ids, inTurns(ids.length));
  return {
    ...reconcile({ books, chain, table, sessions }),
    notAsked: chain !== null ? null : (fault ?? noUrls ?? "the config names no RPC URL (chains[0].rpcUrls)"),
    chainFailed: fault !== null,
  };
}

/** The sessions that lived in a part of the day. */
async function sessionsOf(store: Store, { start, end }: Day): Promise<KeptSession[]> {
  const found: KeptSession[] = [];
  for await (const kept of eachSession(store)) if (kept.since < end && endOf(kept) >= start) found.push(kept);
  return found;
}
