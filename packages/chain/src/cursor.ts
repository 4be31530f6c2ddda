/** How far the watcher has read, kept in the store under a version, so that it survives crashes and has one writer. */
import type { Json, Key, Store } from "@bursar/core/ports";

/** The end of a range that was read: the next range must find it on the chain. */
export interface Mark {
  readonly number: number;
  readonly hash: string;
}

/** A movement that was handed on from a block that may still go. Its log and block are its identity. */
export interface Recent {
  /** Null for a transfer without an authorization. */
  readonly nonce: string | null;
  readonly payer: string;
  readonly txHash: string;
  readonly logIndex: number;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** False from before it is handed on until that is durable: after a crash it is handed on again. */
  readonly sure: boolean;
}

/** Wallets that came later, read up to where the others were; at most one such job at a time. */
export interface Backfill {
  readonly wallets: readonly string[];
  readonly next: number;
  readonly to: number;
}

/** Block numbers are of the last block read. */
export interface Cursor {
  /** Read once: the fast pass. */
  readonly scanned: number;
  /** Read again since the chain called it safe, and final. */
  readonly safe: number;
  readonly final: number;
  /** Movements at and below this block are not in `recent` any more. */
  readonly floor: number;
  /** Blocks asked at once; follows what the provider allows. */
  readonly span: number;
  /** The next `seq` to hand out. Whoever moves it owns the numbers below. */
  readonly seq: number;
  readonly heads: { readonly latest: number; readonly safe: number; readonly final: number } | null;
  /** Ascending; the last is of `scanned`. */
  readonly marks: readonly Mark[];
  readonly recent: readonly Recent[];
  readonly backfill: Backfill | null;
}

/** A cursor and the version it was read under. */
export interface HeldCursor {
  readonly cursor: Cursor;
  readonly version: number | null;
}

/** Blocks asked at once, at first and at most: providers commonly cap eth_getLogs at 10,000. */
export const SPAN_FIRST = 2_000;
export const SPAN_MAX = 10_000;
/** Bounds of one item: DynamoDB holds 400 KB, and these fill less than 300. */
export const MARKS_MAX = 96;
export const RECENT_MAX = 800;

export const cursorKey = (chainId: number): Key => ({ pk: `CUR#${chainId}`, sk: "." });

/** A cursor that has read nothing yet and begins at `startBlock`. */
export function firstCursor(startBlock: number): Cursor {
  const before = startBlock - 1;
  const nothing = { heads: null, marks: [], recent: [], backfill: null };
  return { scanned: before, safe: before, final: before, floor: before, span: SPAN_FIRST, seq: 1, ...nothing };
}

/** The cursor as it is stored, else undefined. */
export async function readCursor(store: Pick<Store, "get">, chainId: number): Promise<HeldCursor | undefined> {
  const [stored] = await store.get([cursorKey(chainId)]);
  return stored && { cursor: stored.data as unknown as Cursor, version: stored.version };
}

/**
 * Writes `cursor` over the one that was read, and gives it with its new version.
 * @throws {CursorConflict} when another watcher has written since
 */
export async function writeCursor(
  store: Pick<Store, "commit">,
  chainId: number,
  held: HeldCursor,
  cursor: Cursor,
): Promise<HeldCursor> {
  const put = { ...cursorKey(chainId), data: cursor as unknown as Json, expected: held.version };
  if ((await store.commit([put], [])) === "conflict") throw new CursorConflict(chainId);
  return { cursor, version: (held.version ?? 0) + 1 };
}

/** The cursor with everything within its bounds: nothing is kept of blocks at and below `floor`. */
export function bounded(cursor: Cursor): Cursor {
  const over = [...cursor.recent].sort((a, b) => b.blockNumber - a.blockNumber)[RECENT_MAX];
  // Whole blocks are forgotten, never a part of one: a later pass only compares what lies above the floor.
  const floor = Math.max(cursor.floor, over?.blockNumber ?? 0);
  const recent = cursor.recent.filter((each) => each.blockNumber > floor);
  return { ...cursor, floor, recent, marks: thinned(cursor.marks, floor) };
}

/** Marks above the floor and the last below it; of too many, every second of the older half. */
function thinned(marks: readonly Mark[], floor: number): readonly Mark[] {
  const first = Math.max(
    0,
    marks.findLastIndex((mark) => mark.number <= floor),
  );
  const kept = marks.slice(first);
  if (kept.length <= MARKS_MAX) return kept;
  return kept.filter((_, index) => index >= kept.length / 2 || index % 2 === 0);
}

/** Another watcher moved the cursor: this pass's work is not lost, it is done again from where the other is. */
export class CursorConflict extends Error {
  override readonly name = "CursorConflict";

  constructor(chainId: number) {
    super(`another watcher moved the cursor of chain ${chainId}: this round starts again from there`);
  }
}
