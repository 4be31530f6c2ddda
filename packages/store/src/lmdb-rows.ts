/** Reads rows: from memory where they are, else from LMDB's map, which is memory too but has to be decoded. */
import type { Fact, Page } from "@bursar/core/ports";
import { addSlot, type Cache, type Partition, partitionOf, rangeOf, type Slot } from "./cache.ts";
import { unknownCursor } from "./error.ts";
import { checkKey, compareText, pageLimit } from "./keys.ts";
import { endOf, itemKey, type Row, rowOf, SPACE, skOf } from "./lmdb-codec.ts";
import type { Database } from "./lmdb-groups.ts";

/** Partitions up to this size are read whole, once: an alias is asked for its facts at every event of its payment. */
const WHOLE_ROWS_MAX = 256;

/** The slot of a key, read from disk if need be. */
export function slotOf(db: Database, cache: Cache<Row>, pk: string, sk: string): Slot<Row> {
  const partition = partitionOf(cache, pk);
  const slot = partition.slots.get(sk);
  if (slot !== undefined) return slot;
  return addSlot(cache, partition, pk, sk, partition.whole ? undefined : readRow(db, pk, sk));
}

export function counterSlotOf(db: Database, cache: Cache<bigint>, pk: string, sk: string): Slot<bigint> {
  const partition = partitionOf(cache, pk);
  return partition.slots.get(sk) ?? addSlot(cache, partition, pk, sk, readCounter(db, pk, sk));
}

export function readRow(db: Database, pk: string, sk: string): Row | undefined {
  const text = db.get(itemKey(SPACE.item, pk, sk));
  return text === undefined ? undefined : rowOf(pk, sk, text);
}

export function readCounter(db: Database, pk: string, sk: string): bigint {
  return BigInt(db.get(itemKey(SPACE.counter, pk, sk)) ?? 0n);
}

/** A row without a place in the cache: a long list must not push out what the next event needs. */
export function peekRow(db: Database, cache: Cache<Row> | null, pk: string, sk: string): Row | undefined {
  const partition = cache?.hot.get(pk) ?? cache?.cold.get(pk);
  const slot = partition?.slots.get(sk);
  return slot === undefined ? readRow(db, pk, sk) : slot.value;
}

/** A page of facts as the port gives it, and the group it waits for. */
export function readFacts(
  db: Database,
  cache: Cache<Row> | null,
  pk: string,
  prefix: string,
  page: { after?: string | null; limit?: number },
): Page<Fact> & { readonly group: number } {
  checkKey({ pk, sk: prefix === "" ? "." : prefix });
  const limit = pageLimit(page.limit);
  const after = page.after ?? null;
  if (after !== null && !after.startsWith(prefix)) throw unknownCursor(after);
  const { rows: found, group } = rangeRows(db, cache, pk, prefix, after, limit + 1);
  const items = found.slice(0, limit).map(({ item, at }) => ({ pk, sk: item.sk, data: item.data, at }));
  return { items, next: found.length > limit ? (items[limit - 1]?.sk ?? null) : null, group };
}

/** Rows, and the latest group that one of them waits for (0: all are durable). */
interface Rows {
  readonly rows: Row[];
  readonly group: number;
}

/** At most `limit` rows of a partition whose sk starts with `prefix` and stands behind `after`, in order. */
function rangeRows(
  db: Database,
  cache: Cache<Row> | null,
  pk: string,
  prefix: string,
  after: string | null,
  limit: number,
): Rows {
  if (cache === null) return { rows: [...diskRows(db, null, pk, prefix, after, limit)], group: 0 };
  const partition = partitionOf(cache, pk);
  if (!partition.whole && !partition.large) loadWhole(db, cache, partition, pk);
  const slots = rangeOf(partition, prefix, after, limit);
  const held = slots.map((slot) => slot.value as Row);
  const group = slots.reduce((latest, slot) => Math.max(latest, slot.group), 0);
  if (partition.whole) return { rows: held, group };
  const rows = [...held, ...diskRows(db, partition, pk, prefix, after, limit)];
  return { rows: rows.sort((a, b) => compareText(a.item.sk, b.item.sk)).slice(0, limit), group };
}

function loadWhole(db: Database, cache: Cache<Row>, partition: Partition<Row>, pk: string): void {
  const start = itemKey(SPACE.item, pk, "");
  const rows: Row[] = [];
  for (const { key, value } of db.getRange({ start, end: endOf(start), limit: WHOLE_ROWS_MAX + 1 })) {
    if (rows.length === WHOLE_ROWS_MAX) {
      partition.large = true;
      return;
    }
    const sk = skOf(key);
    if (!partition.slots.has(sk)) rows.push(rowOf(pk, sk, value));
  }
  for (const row of rows) addSlot(cache, partition, pk, row.item.sk, row);
  partition.whole = true;
}

/** Rows on disk, without those that memory holds (perhaps newer). */
function* diskRows(
  db: Database,
  held: Partition<Row> | null,
  pk: string,
  prefix: string,
  after: string | null,
  limit: number,
): Generator<Row> {
  const start = itemKey(SPACE.item, pk, after ?? prefix);
  const end = endOf(itemKey(SPACE.item, pk, prefix));
  let found = 0;
  for (const { key, value } of db.getRange({ start, end })) {
    const sk = skOf(key);
    if (sk === after || held?.slots.has(sk)) continue;
    yield rowOf(pk, sk, value);
    found += 1;
    if (found === limit) return;
  }
}
