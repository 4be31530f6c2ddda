/**
 * How the table lies in LMDB's one ordered map: a byte for the space, the partition with its length, the rest. Lengths
 * rather than separators, so no text can be taken for another. A partition that is too long for LMDB's keys (1,978
 * bytes) is hashed: order matters only within one. Values are JSON, so that LMDB's own tools show them.
 */
import { createHash } from "node:crypto";
import type { IndexName, Item, Key, Stored } from "@bursar/core/ports";

export const SPACE = { counter: 0x63, due: 0x64, feed: 0x66, item: 0x69, list: 0x6c, meta: 0x6d } as const;
export type Space = (typeof SPACE)[keyof typeof SPACE];

/** An item as the LMDB adapter holds it: what the port gives, and the earliest `at` of a fact. */
export interface Row {
  readonly item: Stored;
  readonly at: string | null;
}

/** Bytes of a partition that are kept as they are; with an sk of 1,024 the key still fits. */
const PARTITION_BYTES_MAX = 900;
/** The same in index keys, which hold a sort of 1,024 bytes and the item's key too. */
const INDEX_BYTES_MAX = 400;
const HASHED = 0x8000;
export const META_KEY = Buffer.from([SPACE.meta]);

export function itemKey(space: Space, pk: string, sk: string): Buffer {
  return compose(space, pk, PARTITION_BYTES_MAX, sk);
}

/** The sk of an item's key. */
export function skOf(key: Buffer): string {
  return key.toString("utf8", restStart(key));
}

/** Entries of one sort are told apart by the item's key behind it. */
export function indexKey(name: IndexName, partition: string, sort: string, key: Key): Buffer {
  const head = compose(SPACE[name], partition, INDEX_BYTES_MAX, sort);
  return Buffer.concat([head, Buffer.of(0), compose(SPACE.item, `${key.pk}\u0000${key.sk}`, INDEX_BYTES_MAX, "")]);
}

/** The first key of an index partition at or behind `sort`. */
export function indexStart(name: IndexName, partition: string, sort: string): Buffer {
  return compose(SPACE[name], partition, INDEX_BYTES_MAX, sort);
}

/** The first key behind all that start with `key`. */
export function endOf(key: Buffer): Buffer {
  let last = key.length - 1;
  while (key[last] === 0xff) last -= 1;
  const end = Buffer.from(key.subarray(0, last + 1));
  end[last] = (end[last] as number) + 1;
  return end;
}

export function feedKey(sequence: number): Buffer {
  const key = Buffer.alloc(9);
  key[0] = SPACE.feed;
  key.writeBigUInt64BE(BigInt(sequence), 1);
  return key;
}

export function feedSequence(key: Buffer): number {
  return Number(key.readBigUInt64BE(1));
}

/** `data` is JSON already: it was checked and measured when the caller gave it. */
export function rowText(version: number, at: string | null, data: string, index: Item["index"]): string {
  const end = index === undefined ? "]" : `,${JSON.stringify(index)}]`;
  return `[${version},${at === null ? "null" : JSON.stringify(at)},${data}${end}`;
}

/** What `rowText` wrote, parsed. */
export type RowTuple = readonly [number, string | null, Stored["data"], Item["index"]?];

export function rowOf(pk: string, sk: string, text: string): Row {
  return rowOfTuple(pk, sk, JSON.parse(text) as RowTuple);
}

export function rowOfTuple(pk: string, sk: string, [version, at, data, index]: RowTuple): Row {
  return { item: index === undefined ? { pk, sk, version, data } : { pk, sk, version, data, index }, at };
}

function compose(space: Space, partition: string, bytesMax: number, rest: string): Buffer {
  const long = partition.length * 3 > bytesMax && Buffer.byteLength(partition) > bytesMax;
  const head = long ? createHash("sha256").update(partition).digest("base64") : partition;
  const key = Buffer.allocUnsafe(3 + head.length * 3 + rest.length * 3);
  key[0] = space;
  const headBytes = key.write(head, 3);
  key.writeUInt16BE(long ? headBytes | HASHED : headBytes, 1);
  return key.subarray(0, 3 + headBytes + key.write(rest, 3 + headBytes));
}

function restStart(key: Buffer): number {
  return 3 + (key.readUInt16BE(1) & ~HASHED);
}
