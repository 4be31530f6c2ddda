/**
 * Rows in memory, by partition: those not yet flushed (never dropped, they are the truth) and those lately read or
 * written (dropped in two generations). Rows are immutable plain data and shared with callers, who must not change them.
 */
import { compareText } from "./keys.ts";

export interface Slot<T> {
  readonly pk: string;
  readonly sk: string;
  readonly partition: Partition<T>;
  /** undefined: known to be absent. */
  value: T | undefined;
  /** What the disk holds, or will hold when the flush that is under way ends. */
  flushed: T | undefined;
  /** The JSON that the next flush writes, where it is made already. */
  text: string | null;
  /** The group that will make `value` durable; 0 when it is. */
  group: number;
}

export interface Partition<T> {
  readonly slots: Map<string, Slot<T>>;
  /** The slots' sks in order, once a range was asked for. */
  order: string[] | null;
  /** All that the partition has is here: a range needs no look at the disk. */
  whole: boolean;
  /** Too large to hold whole. */
  large: boolean;
  dirty: number;
}

export interface Cache<T> {
  hot: Map<string, Partition<T>>;
  cold: Map<string, Partition<T>>;
  hotSlots: number;
  /** Hot slots at which cold ones are dropped. */
  rotateAt: number;
  readonly overgrown: Set<Partition<T>>;
  readonly slotsMax: number;
}

/** Slots of one partition beyond which those on disk are dropped. */
const PARTITION_SLOTS_MAX = 4096;

/** A cache that keeps at most `slotsMax` slots, more only while they are not flushed. */
export function createCache<T>(slotsMax: number): Cache<T> {
  return { hot: new Map(), cold: new Map(), hotSlots: 0, rotateAt: slotsMax / 2, overgrown: new Set(), slotsMax };
}

/**
 * Drops what is above the bounds. For the start of an operation only: a slot that an operation holds must not be dropped
 * before it has written to it.
 */
export function tidy<T>(cache: Cache<T>): void {
  if (cache.hotSlots > cache.rotateAt) rotate(cache);
  if (cache.overgrown.size === 0) return;
  for (const partition of cache.overgrown) trim(cache, partition);
  cache.overgrown.clear();
}

/** The partition of `pk`, empty where nothing is known of it. */
export function partitionOf<T>(cache: Cache<T>, pk: string): Partition<T> {
  const hot = cache.hot.get(pk);
  if (hot !== undefined) return hot;
  const found = cache.cold.get(pk);
  const partition: Partition<T> = found ?? { slots: new Map(), order: null, whole: false, large: false, dirty: 0 };
  if (found !== undefined) cache.cold.delete(pk);
  cache.hot.set(pk, partition);
  cache.hotSlots += partition.slots.size + 1;
  return partition;
}

/** Adds a slot as it was read from disk. The partition must not have one of this sk. */
export function addSlot<T>(
  cache: Cache<T>,
  partition: Partition<T>,
  pk: string,
  sk: string,
  value: T | undefined,
): Slot<T> {
  if (partition.slots.size - partition.dirty >= PARTITION_SLOTS_MAX) cache.overgrown.add(partition);
  const slot: Slot<T> = { pk, sk, partition, value, flushed: value, text: null, group: 0 };
  partition.slots.set(sk, slot);
  cache.hotSlots += 1;
  if (partition.order !== null) insert(partition.order, sk);
  return slot;
}

/** The slots whose sk starts with `prefix` and stands behind `after`, at most `limit` with a value, in order. */
export function rangeOf<T>(partition: Partition<T>, prefix: string, after: string | null, limit: number): Slot<T>[] {
  if (partition.order === null) partition.order = [...partition.slots.keys()].sort(compareText);
  const order = partition.order;
  const found: Slot<T>[] = [];
  for (
    let i = after === null ? place(order, prefix) : place(order, after);
    i < order.length && found.length < limit;
    i += 1
  ) {
    const sk = order[i] as string;
    if (sk === after) continue;
    if (!sk.startsWith(prefix)) break;
    const slot = partition.slots.get(sk) as Slot<T>;
    if (slot.value !== undefined) found.push(slot);
  }
  return found;
}

/** Cold partitions go; what is hot turns cold. Partitions with unflushed slots stay. */
function rotate<T>(cache: Cache<T>): void {
  const kept = new Map<string, Partition<T>>();
  let slots = 0;
  for (const [pk, partition] of cache.cold) {
    if (partition.dirty === 0) continue;
    kept.set(pk, partition);
    slots += partition.slots.size + 1;
  }
  cache.cold = cache.hot;
  cache.hot = kept;
  cache.hotSlots = slots;
  cache.rotateAt = Math.max(cache.slotsMax / 2, slots * 2); // much is unflushed: no use in looking again at once
}

function trim<T>(cache: Cache<T>, partition: Partition<T>): void {
  for (const [sk, slot] of partition.slots) {
    if (slot.group !== 0) continue;
    partition.slots.delete(sk);
    cache.hotSlots -= 1;
  }
  partition.order = null;
  partition.whole = false;
  partition.large = true;
}

function insert(order: string[], sk: string): void {
  const last = order[order.length - 1];
  if (last === undefined || compareText(last, sk) < 0) order.push(sk);
  else order.splice(place(order, sk), 0, sk);
}

/** The first place in `order` that is not before `sk`. */
function place(order: readonly string[], sk: string): number {
  let low = 0;
  let high = order.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (compareText(order[middle] as string, sk) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
