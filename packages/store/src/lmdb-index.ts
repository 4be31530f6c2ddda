/** Reads what lies in LMDB in an order of its own: the sparse indexes and the change feed. Both show what is flushed. */
import type { Change, IndexName, Page, Stored } from "@bursar/core/ports";
import type { Cache } from "./cache.ts";
import { unknownCursor } from "./error.ts";
import { compareText, pageLimit } from "./keys.ts";
import { endOf, feedKey, feedSequence, indexStart, type Row, type RowTuple, rowOfTuple } from "./lmdb-codec.ts";
import type { Database } from "./lmdb-groups.ts";
import { peekRow } from "./lmdb-rows.ts";

export interface IndexRange {
  readonly from?: string;
  readonly to?: string;
  readonly after?: string | null;
  readonly limit?: number;
}

/**
 * A long index is read page by page, and nothing in that waits for a disk: between two pages whoever else has a turn on
 * this thread takes it. Without it one search through 100,000 payments stopped the whole machine for 14 seconds.
 */
export function turnBetweenPages({ after }: IndexRange): Promise<void> | null {
  return after == null ? null : new Promise((resolve) => setImmediate(resolve));
}

/** Entries that moved since the last flush are left out: they show at their new place after the next. */
export function readIndex(
  db: Database,
  cache: Cache<Row> | null,
  name: IndexName,
  partition: string,
  range: IndexRange,
): Page<Stored> {
  const limit = pageLimit(range.limit);
  const whole = indexStart(name, partition, "");
  const from = range.after == null ? indexStart(name, partition, range.from ?? "") : cursorKey(range.after, whole);
  const end = range.to === undefined ? endOf(whole) : indexStart(name, partition, range.to);
  const items: Stored[] = [];
  let last: Buffer | undefined;
  if (Buffer.compare(from, end) >= 0) return { items, next: null };
  for (const { key, value } of db.getRange({ start: from, end })) {
    const [pk, sk, sort] = JSON.parse(value) as [string, string, string];
    const item = peekRow(db, cache, pk, sk)?.item;
    const entry = item?.index?.[name];
    if (item === undefined || entry?.partition !== partition || compareText(entry.sort, sort) !== 0) continue;
    if (items.length === limit) return { items, next: (last as Buffer).toString("base64url") };
    items.push(item);
    last = key;
  }
  return { items, next: null };
}

/** Changes behind `after`. Where the feed was trimmed meanwhile it goes on with the oldest that is kept. */
export function readChanges(
  db: Database,
  after: string | null,
  limit: number,
): { readonly changes: readonly Change[]; readonly next: string } {
  if (after !== null && !/^\d{1,15}$/.test(after)) throw unknownCursor(after);
  const changes: Change[] = [];
  let next = after ?? "0";
  const start = feedKey(Number(next) + 1);
  for (const { key, value } of db.getRange({ start, end: feedKey(Number.MAX_SAFE_INTEGER), limit: pageLimit(limit) })) {
    const [pk, sk, before, now] = JSON.parse(value) as [string, string, RowTuple | null, RowTuple];
    changes.push({
      key: { pk, sk },
      before: before === null ? null : rowOfTuple(pk, sk, before).item,
      after: rowOfTuple(pk, sk, now).item,
    });
    next = String(feedSequence(key));
  }
  return { changes, next };
}

/** The key just behind the cursor's. */
function cursorKey(after: string, whole: Buffer): Buffer {
  const key = Buffer.from(after, "base64url");
  if (!key.subarray(0, whole.length).equals(whole)) throw unknownCursor(after);
  return Buffer.concat([key, Buffer.of(0)]);
}
