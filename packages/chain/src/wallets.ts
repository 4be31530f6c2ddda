/** The wallets that are watched, and the past of those that came, or came back, while others were watched. */
import type { Json, Store } from "@bursar/core/ports";
import { type Backfill, type Cursor, cursorKey } from "./cursor.ts";
import { chunks } from "./scan.ts";

export interface WatchedWallet {
  /** Lower case. */
  readonly address: string;
  /** Its movements from this block on are of interest; without it, those from when it is first seen. */
  readonly fromBlock?: number | undefined;
}

/** Wallets by address: null while they are watched, else the last block that was read with them. */
export type KnownWallets = Map<string, number | null>;

/** A watched wallet, and one that was left, with the last block read with it. Where both stand it was left. */
const WATCHED = "W#";
const LEFT = "X#";
/** Jobs that a cursor holds; what does not fit waits for a later round. */
export const BACKFILLS_MAX = 64;
/** Wallets whose past is one job. */
const WALLETS_PER_JOB = 250;

/** What the table knows of wallets that are, or were, watched. */
export async function readKnown(store: Pick<Store, "facts">, chainId: number): Promise<KnownWallets> {
  const { pk } = cursorKey(chainId);
  const known: KnownWallets = new Map();
  for (const kind of [WATCHED, LEFT]) {
    let after: string | null = null;
    do {
      const page: Awaited<ReturnType<Store["facts"]>> = await store.facts(pk, kind, { after });
      for (const { sk, data } of page.items)
        known.set(sk.slice(kind.length), (data as { readonly until?: number }).until ?? null);
      after = page.next;
    } while (after !== null);
  }
  return known;
}

/** A past that some wallets have. */
export interface Past {
  readonly wallets: readonly string[];
  /** The first block of it, and the last. */
  readonly next: number;
  readonly to: number;
}

/** What changed: which wallets are to be noted as watched, which as left, and what of the past is to be read. */
export interface WalletMoves {
  readonly came: readonly string[];
  readonly left: readonly string[];
  readonly backfills: readonly Past[];
}

/**
 * Compares the wallets with those that are known. One that is new, or comes back, joins the others at once; if it has a
 * past at or below the cursor that nobody has read, that is to be read, 250 wallets at a time.
 */
export function movesOf(known: KnownWallets, wallets: readonly WatchedWallet[], cursor: Cursor): WalletMoves {
  const now = new Map(wallets.map((wallet) => [wallet.address, wallet]));
  const room = Math.max(0, BACKFILLS_MAX - cursor.backfills.length) * WALLETS_PER_JOB;
  const came = [...now.values()].filter(({ address }) => known.get(address) !== null).slice(0, room);
  const left = [...known].filter(([address, until]) => until === null && !now.has(address)).map(([address]) => address);
  const past = came.flatMap(({ address, fromBlock }) => {
    const until = known.get(address) ?? null;
    // What stood in blocks that were not final when it left may stand elsewhere by now.
    const left = until === null ? undefined : Math.min(until, cursor.final) + 1;
    const from = left === undefined ? fromBlock : Math.min(left, fromBlock ?? left);
    return from !== undefined && from <= cursor.scanned ? [{ address, from }] : [];
  });
  past.sort((a, b) => a.from - b.from);
  const backfills = chunks(past, WALLETS_PER_JOB).map((part): Past => {
    return { wallets: part.map(({ address }) => address), next: part[0]?.from ?? 0, to: cursor.scanned };
  });
  return { came: came.map(({ address }) => address), left, backfills };
}

/** Notes what changed; the cursor must hold the backfills by then, so that no past is forgotten. */
export async function noteMoves(
  store: Pick<Store, "putAll" | "drop">,
  chainId: number,
  known: KnownWallets,
  { came, left }: WalletMoves,
  scanned: number,
): Promise<void> {
  const { pk } = cursorKey(chainId);
  const returned = came.filter((address) => known.has(address));
  // What is to stand goes first: a crash in between leaves both, and then the past is read once more, never less.
  await store.putAll([
    ...came.map((address) => ({ pk, sk: `${WATCHED}${address}`, data: {} })),
    ...left.map((address) => ({ pk, sk: `${LEFT}${address}`, data: { until: scanned } })),
  ]);
  await store.drop([
    ...returned.map((address) => ({ pk, sk: `${LEFT}${address}` })),
    ...left.map((address) => ({ pk, sk: `${WATCHED}${address}` })),
  ]);
  for (const address of came) known.set(address, null);
  for (const address of left) known.set(address, scanned);
}

/** Wallets that were left, each with the last block that was read with it, while that may still go. */
export function leavingWallets(known: KnownWallets, { final }: Cursor): Map<string, number> {
  const leaving = new Map<string, number>();
  for (const [address, until] of known) if (until !== null && until > final) leaving.set(address, until);
  return leaving;
}

const JOB = "B#";

/** Writes down whose pasts these are; the cursor then holds their names. */
export async function writeJobs(
  store: Pick<Store, "putAll">,
  chainId: number,
  pasts: readonly Past[],
): Promise<readonly Backfill[]> {
  const { pk } = cursorKey(chainId);
  const jobs = pasts.map(({ wallets, next, to }) => ({
    id: `${next}-${to}-${wallets[0]}-${wallets.length}`,
    next,
    to,
  }));
  await store.putAll(
    pasts.map(({ wallets }, i) => ({ pk, sk: `${JOB}${jobs[i]?.id}`, data: { wallets } as unknown as Json })),
  );
  return jobs;
}

/** A job's wallets; null for one of all. */
export async function walletsOfJob(
  store: Pick<Store, "get">,
  chainId: number,
  { id }: Backfill,
): Promise<readonly string[] | null> {
  if (id === null) return null;
  const [stored] = await store.get([{ ...cursorKey(chainId), sk: `${JOB}${id}` }]);
  return (stored?.data as { readonly wallets?: readonly string[] } | undefined)?.wallets ?? [];
}

/** Forgets a job's wallets, once its past is read. */
export async function dropJob(store: Pick<Store, "drop">, chainId: number, { id }: Backfill): Promise<void> {
  if (id !== null) await store.drop([{ ...cursorKey(chainId), sk: `${JOB}${id}` }]);
}
