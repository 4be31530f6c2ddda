/**
 * Items as DynamoDB holds them.
 *
 *   pk, sk        the key
 *   d             the data, as JSON text: an item costs by the KB, and a native map is no smaller, is slower to read in
 *                 a Lambda, and gives numbers back in another form than they were put
 *   v             the version; absent on facts
 *   at            the earliest time of a fact; absent on state
 *   dueP, dueS    the place in the sparse index `due`; listP, listS in `list`
 *   n0, n1, ...   a counter's limbs
 */
import type { AttributeValue } from "@aws-sdk/client-dynamodb";
import type { Change, Fact, IndexName, Key, Put, Stored, VersionedPut } from "@bursar/core/ports";
import { dataText } from "./keys.ts";

export type Attributes = Record<string, AttributeValue>;

export const INDEX_NAMES: readonly IndexName[] = ["due", "list"];

export function keyAttributes(key: Key): Attributes {
  return { pk: { S: key.pk }, sk: { S: key.sk } };
}

/** @throws {StoreError} `limit` for data that is no JSON or too large */
export function factAttributes(put: Put): Attributes {
  const item: Attributes = { ...keyAttributes(put), d: { S: dataText(put) } };
  if (put.at !== undefined) item.at = { S: put.at };
  return item;
}

/** @throws {StoreError} `limit` for data that is no JSON or too large */
export function stateAttributes(put: VersionedPut): Attributes {
  const version = (put.expected ?? 0) + 1;
  const item: Attributes = { ...keyAttributes(put), d: { S: dataText(put) }, v: { N: String(version) } };
  for (const name of INDEX_NAMES) {
    const entry = put.index?.[name];
    if (entry === undefined) continue;
    item[`${name}P`] = { S: entry.partition };
    item[`${name}S`] = { S: entry.sort };
  }
  return item;
}

/** The item, or undefined for a counter. */
export function storedOf(item: Attributes): Stored | undefined {
  const data = item.d?.S;
  if (data === undefined) return undefined;
  const stored = {
    pk: item.pk?.S as string,
    sk: item.sk?.S as string,
    version: Number(item.v?.N ?? 0),
    data: JSON.parse(data) as Stored["data"],
  };
  const index: { -readonly [Name in IndexName]?: { partition: string; sort: string } } = {};
  for (const name of INDEX_NAMES) {
    const [partition, sort] = [item[`${name}P`]?.S, item[`${name}S`]?.S];
    if (partition !== undefined && sort !== undefined) index[name] = { partition, sort };
  }
  return index.due === undefined && index.list === undefined ? stored : { ...stored, index };
}

export function factOf(item: Attributes): Fact | undefined {
  const stored = storedOf(item);
  if (stored === undefined) return undefined;
  return { pk: stored.pk, sk: stored.sk, data: stored.data, at: item.at?.S ?? null };
}

/**
 * One record of the table's stream as a change: null for what `commit` did not put (facts, counters, removals). For
 * the Lambda that the stream wakes, whose records have the same shape.
 */
export function changeOf(record: {
  NewImage?: Attributes | undefined;
  OldImage?: Attributes | undefined;
}): Change | null {
  const image = record.NewImage;
  if (image?.v === undefined) return null;
  const after = storedOf(image);
  if (after === undefined) return null;
  const before = record.OldImage === undefined ? null : (storedOf(record.OldImage) ?? null);
  return { key: { pk: after.pk, sk: after.sk }, before, after };
}
