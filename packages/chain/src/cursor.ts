/** How far the watcher has read, kept in the store under a version, so that it survives crashes and has one writer. */
import type { Json, Key, Store } from "@bursar/core/ports";

/** The end of a range that was read: the next range must find it on the chain. */
export interface Mark {
  readonly number: number;
  readonly hash: string;
}

/** A past to be read in its turn. */
export interface Backfill {
  /** Names the item that holds its wallets: many do not fit the cursor. Null: all that are watched. */
  readonly id: string | null;
  /** The next block to read, and the last. */
  readonly next: number;
  readonly to: number;
}

/** Who may watch, and until when. `fence` grows with each new holder: it stands in every commit of the cursor. */
export interface Lease {
  readonly holder: string;
  /** ISO-8601. */
  readonly until: string;
  readonly fence: number;
}

/** Block numbers are of the last block read. */
export interface Cursor {
  /** Read once: the fast pass. */
  readonly scanned: number;
  /** Read again since the chain called it safe, and final. */
  readonly safe: number;
  readonly final: number;
  /** Movements at and below this block are not in the journal any more: they are not expected to go. */
  readonly floor: number;
  /** The journal has no page at and below this block. */
  readonly pruned: number;
  /** Blocks asked at once; follows what the provider allows. */
  readonly span: number;
  /** The next `seq` to hand out. Whoever moves it owns the numbers below. */
  readonly seq: number;
  /** What was written down under this seq may not have been handed on: a crash came between. */
  readonly pending: { readonly seq: number; readonly fromBlock: number; readonly toBlock: number } | null;
  /** Ascending; the last is of `scanned`. */
  readonly marks: readonly Mark[];
  /** In their order; the first is under way. */
  readonly backfills: readonly Backfill[];
  readonly lease: Lease | null;
}

/** A cursor and the version it was read under. */
export interface HeldCursor {
  readonly cursor: Cursor;
  readonly version: number | null;
}

/** Blocks asked at once, at first and at most: providers commonly cap eth_getLogs at 10,000. */
const SPAN_FIRST = 2_000;
export const SPAN_MAX = 10_000;
/** Marks that are kept: a deep reorg reads a little more than it must, and the cursor stays below 5 KB. */
const MARKS_MAX = 40;

export const cursorKey = (chainId: number): Key => ({ pk: `CUR#${chainId}`, sk: "." });

/** A cursor that has read nothing yet and begins at `startBlock`. */
export function firstCursor(startBlock: number): Cursor {
  const before = startBlock - 1;
  return {
    scanned: before,
    safe: before,
    final: before,
    floor: before,
    pruned: before,
    span: SPAN_FIRST,
    seq: 1,
    pending: null,
    marks: [],
    backfills: [],
    lease: null,
  };
}

/** The cursor as it is stored, else undefined. */
export async function readCursor(store: Pick<Store, "get">, chainId: number): Promise<HeldCursor | undefined> {
  const [stored] = await store.get([cursorKey(chainId)]);
  if (stored === undefined) return undefined;
  // Of an earlier version some fields may be missing.
  return { cursor: { ...firstCursor(1), ...(stored.data as unknown as Cursor) }, version: stored.version };
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
  const kept = { ...cursor, marks: thinned(cursor.marks, cursor.floor) };
  const put = { ...cursorKey(chainId), data: kept as unknown as Json, expected: held.version };
  if ((await store.commit([put], [])) === "conflict") throw new CursorConflict(chainId);
  return { cursor: kept, version: (held.version ?? 0) + 1 };
}

/** Marks above the floor and the last below it; of too many, every second of the older half. */
function thinned(marks: readonly Mark[], floor: number): readonly Mark[] {
  const first = Math.max(
    0,
    marks.findLastIndex((mark) => mark.number <= floor),
  );
  const kept = marks.slice(first);
  if (kept.length <= MARKS_MAX) return kept;
  return kept.filter((_, index) => index === 0 || index >= kept.length / 2 || index % 2 === 0);
}

/** Another watcher, or a command, moved the cursor: the round's work is not lost, it is done again from there. */
export class CursorConflict extends Error {
  override readonly name = "CursorConflict";

  constructor(chainId: number) {
    super(`another watcher moved the cursor of chain ${chainId}: this round starts again from there`);
  }
}
