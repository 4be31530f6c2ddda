/** Which range is read next, and how the cursor looks once it is. Pure. */
import type { Block } from "./block.ts";
import { type Backfill, type Cursor, SPAN_MAX } from "./cursor.ts";

export interface PassRange {
  readonly pass: "fast" | "safe" | "final" | "backfill";
  /** Inclusive. */
  readonly fromBlock: number;
  readonly toBlock: number;
  /** The backfill that it is of; else null. */
  readonly job: Backfill | null;
  /** The cursor after it, `end` being the range's last block and `floor` below which nothing is expected to go. */
  readonly moved: (cursor: Cursor, end: Block, floor: number) => Cursor;
}

/** Block numbers of the heads, and the one below which nothing is expected to go. */
export interface HeadNumbers {
  readonly floor: number;
  readonly latest: number;
  readonly safe: number;
  readonly final: number;
}

/** Blocks that the fast pass reads once more: some nodes have a block a moment before its logs. */
const OVERLAP = 4;
/** So few new blocks are read as one range. */
const NEAR_BLOCKS = 64;

/** The next range to read, the newest blocks first; null when all is read, or but for a past that is not to be read now. */
export function nextRange(cursor: Cursor, heads: HeadNumbers, isPastRead: boolean): PassRange | null {
  return fastRange(cursor, heads) ?? laterRange(cursor, heads) ?? (isPastRead ? backfillRange(cursor) : null);
}

/** Blocks that are to be read by a backfill. */
export function backfillBlocks({ backfills }: Cursor): number {
  return backfills.reduce((sum, { next, to }) => sum + Math.max(0, to - next + 1), 0);
}

/**
 * New blocks. Far behind, a range does not straddle a head, so that one which ends at or below it is read for good; near,
 * one range costs less than that saves.
 */
function fastRange(cursor: Cursor, heads: HeadNumbers): PassRange | null {
  const first = cursor.scanned + 1;
  const isNear = heads.latest - cursor.scanned <= NEAR_BLOCKS;
  const ends = isNear ? [heads.latest] : [heads.floor, heads.final, heads.safe, heads.latest];
  const head = ends.find((each) => first <= each);
  if (head === undefined) return null;
  const toBlock = Math.min(cursor.scanned + cursor.span, head);
  const overlap = toBlock > heads.safe && cursor.span > OVERLAP ? OVERLAP : 0;
  const fromBlock = Math.min(first, Math.max(cursor.floor + 1, first - overlap));
  const passed = (pass: "safe" | "final") =>
    cursor[pass] >= cursor.scanned && toBlock <= heads[pass] ? toBlock : cursor[pass];
  return {
    pass: "fast",
    fromBlock,
    toBlock,
    job: null,
    moved: (now, end, floor) =>
      grown(
        {
          ...now,
          scanned: toBlock,
          safe: passed("safe"),
          final: passed("final"),
          marks: [...now.marks, { number: end.number, hash: end.hash }],
        },
        toBlock - cursor.scanned,
        floor,
      ),
  };
}

/** What the chain has called safe, or final, since it was read. */
function laterRange(cursor: Cursor, heads: HeadNumbers): PassRange | null {
  for (const pass of ["safe", "final"] as const) {
    const fromBlock = cursor[pass] + 1;
    const toBlock = Math.min(cursor[pass] + cursor.span, heads[pass], cursor.scanned);
    if (toBlock < fromBlock) continue;
    const moved = (now: Cursor, _end: Block, floor: number) =>
      grown({ ...now, [pass]: toBlock }, toBlock - fromBlock + 1, floor);
    return { pass, fromBlock, toBlock, job: null, moved };
  }
  return null;
}

/** The past, in the order in which it was asked for. */
function backfillRange({ backfills, span }: Cursor): PassRange | null {
  const [job] = backfills;
  if (job === undefined) return null;
  const fromBlock = Math.min(job.next, job.to);
  const toBlock = Math.min(fromBlock + span - 1, job.to);
  const moved = (now: Cursor, _end: Block, floor: number) => {
    const [first, ...rest] = now.backfills;
    const left = first === undefined || toBlock >= first.to ? rest : [{ ...first, next: toBlock + 1 }, ...rest];
    return grown({ ...now, backfills: left }, toBlock - fromBlock + 1, floor);
  };
  return { pass: "backfill", fromBlock, toBlock, job, moved };
}

/** A range of the whole span was allowed: try a little more. And what is final for good need not be remembered. */
function grown(cursor: Cursor, length: number, floor: number): Cursor {
  const span = length < cursor.span ? cursor.span : Math.min(SPAN_MAX, cursor.span + Math.max(1, cursor.span >> 4));
  return { ...cursor, span, floor: Math.max(cursor.floor, Math.min(floor, cursor.final)) };
}
