/** Reads rows: from memory where they are, else from LMDB's map, which is memory too but has to be decoded. */
import { addSlot, type Cache, type Partition, partitionOf, rangeOf, type Slot } from "./cache.ts";
import { compareText } from "./keys.ts";
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

/** At most `limit` rows of a partition whose sk starts with `prefix` and stands behind `after`, in order. */
export function rangeRows(
  db: Database,
  cache: Cache<Row> | null,
  pk: string,
  prefix: string,
  after: string | null,
  limit: number,
): Row[] {
  if (cache === null) return [...diskRows(db, null, pk, prefix, after, limit)];
  const partition = partitionOf(cache, pk);
  if (!partition.whole && !partition.large) loadWhole(db, cache, partition, pk);
  const held = rangeOf(partition, prefix, after, limit).map((slot) => slot.value as Row);
  if (partition.whole) return held;
  const rows = [...held, ...diskRows(db, partition, pk, prefix, after, limit)];
  return rows.sort((a, b) => compareText(a.item.sk, b.item.sk)).slice(0, limit);
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
