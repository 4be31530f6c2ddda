/**
 * The one table: what its items are, what is asked of it, and the limits of its keys.
 *
 * core decides the strings (`core/src/items.ts`); the adapters know no kinds and treat all items alike. An item is
 * written by `putAll` (a fact: version 0, earliest `at`), by `commit` (versioned state), or is a counter (adds only).
 *
 * | item                 | pk                    | sk                   | kind      | asked for by                                |
 * |----------------------|-----------------------|----------------------|-----------|---------------------------------------------|
 * | payment              | PAY#<id>              | .                    | versioned | key; `list` by id; `due` by time; feed      |
 * | fact of an alias     | AL#<alias>            | F#<hash>             | fact      | partition and prefix                        |
 * | tie to a payment     | AL#<alias>            | T#<payment id>#<who> | fact      | partition and prefix                        |
 * | counter, in shards   | CTR#<scope>, CTR1#... | held, <window>       | counter   | key, many at once                           |
 * | counter that exists  | BOOKS#<scope kind>    | held#, <window>#     | fact      | partition and prefix                        |
 * | session on a counter | SGN#<counter>         | <hour>#<hash>        | fact      | partition from an hour on                   |
 * | session of an agent  | AGT#<agent>           | <hour>#<hash>        | fact      | partition from an hour on                   |
 * | session              | SES#<arn>/<id>        | .                    | versioned | key; `list` by when it was first heard of   |
 * | action (outbox)      | OUT#<key>             | .                    | versioned | key; `due` until it is done; `list` by time |
 * | alert                | ALERT#<id>            | .                    | versioned | key; `list` by opening; `due` by its end    |
 * | alert's counters     | ALC#<id>, ALC1#...    | seen, over, sum      | counter   | key, many at once                           |
 * | event of an alert    | ALEV#<id>             | <hash>               | versioned | key                                         |
 * | message of an alert  | OUT#publish_alert/... | .                    | versioned | key; `due` until it is delivered            |
 * | rules, what is quiet | ALERTS                | .                    | versioned | key, with every alert that moves            |
 * | budgets in force     | POLICY                | .                    | versioned | key, with every batch                       |
 * | who is stopped       | STOPS                 | .                    | versioned | key, with every batch                       |
 * | wallets of users     | WALLETS               | .                    | versioned | key, with every batch                       |
 * | wallet               | WALLET#<chain>:<addr> | .                    | versioned | key; `list` by address                      |
 * | revocations a minute | BLAST                 | .                    | versioned | key                                         |
 * | chain cursor, heads  | CUR#<chain>           | <what>               | versioned | key                                         |
 * | watched, left wallet | CUR#<chain>           | W#, X#<wallet>       | fact      | partition and prefix                        |
 * | movements to lose    | CUR#<chain>#moved     | <block>#<hash>#...   | fact      | partition from a block on; dropped          |
 * | place in the feed    | CUR#govern            | .                    | versioned | key                                         |
 * | config folded under  | CONFIG                | .                    | versioned | key                                         |
 * | agent listed by      | AGENTS                | <agent>              | fact      | partition                                   |
 * | refused event        | QUARANTINE            | <hash>               | fact      | partition, in pages                         |
 *
 * Access patterns: items by key (consistent); one partition by prefix of sk (consistent); one partition of a sparse
 * index by range (may lag); counters by key (consistent); all that `commit` put, in order per item. There are no scans
 * and no expiry; only facts are ever deleted. Strings are ordered by their UTF-8 bytes, in both adapters.
 */
import type { Add, IndexEntry, Item, Key, Put, VersionedPut } from "@bursar/core/ports";
import { ACTIONS_PER_COMMIT } from "@bursar/core/ports";
import { StoreError } from "./error.ts";

/** Bytes of UTF-8 in a pk and an index partition, in an sk and an index sort, by DynamoDB. */
export const PK_BYTES_MAX = 2048;
export const SK_BYTES_MAX = 1024;
/** Bytes of one item's data as JSON: DynamoDB takes 400 KB with keys and names. */
export const DATA_BYTES_MAX = 390 * 1024;
/** Decimal digits of one add: far above a uint256 (78), and what ten limbs of a DynamoDB counter hold. */
export const ADD_DIGITS_MAX = 270;
/** Items of a page where the caller names no limit. */
export const PAGE_ITEMS = 1000;

const ADD_END = 10n ** BigInt(ADD_DIGITS_MAX);
/** Stands between pk and sk where both are one string in memory; no text of UTF-8 holds a lone surrogate. */
const SEPARATOR = "\ud800";

/** One string per key, for maps in memory. */
export function keyText(key: Key): string {
  return key.pk + SEPARATOR + key.sk;
}

/** @throws {StoreError} `limit` where a pk or sk is empty, too long or not well-formed */
export function checkKey(key: Key): void {
  checkText(key.pk, "pk", PK_BYTES_MAX);
  checkText(key.sk, "sk", SK_BYTES_MAX);
}

/** @throws {StoreError} `limit` as for a key */
export function checkIndex(index: Item["index"]): void {
  if (index === undefined) return;
  for (const entry of [index.due, index.list]) if (entry !== undefined) checkEntry(entry);
}

/**
 * A commit that both adapters can do, without the adds of zero.
 * @throws {StoreError} `limit` for more than 100 actions, two on one key, a bad key, or an add of too many digits
 */
export function checkCommit(puts: readonly VersionedPut[], adds: readonly Add[]): readonly Add[] {
  const counted = adds.some((add) => add.amount === 0n) ? adds.filter((add) => add.amount !== 0n) : adds;
  const actions = puts.length + counted.length;
  if (actions > ACTIONS_PER_COMMIT) {
    throw new StoreError(
      "limit",
      `a commit of ${actions} actions (${puts.length} puts, ${counted.length} adds) is above the ${ACTIONS_PER_COMMIT} that one transaction takes: split it, or merge the adds of one counter`,
    );
  }
  for (const put of puts) {
    checkKey(put);
    checkIndex(put.index);
  }
  for (const add of counted) {
    checkKey(add);
    if (add.amount >= ADD_END || add.amount <= -ADD_END) {
      throw new StoreError("limit", `an add to ${show(add.pk)} has more than ${ADD_DIGITS_MAX} digits`);
    }
  }
  if (actions > 1) {
    const seen = new Set<string>();
    for (const key of [...puts, ...counted]) seen.add(keyText(key));
    if (seen.size < actions)
      throw new StoreError("limit", `a commit names one key twice: ${twice([...puts, ...counted])}`);
  }
  return counted;
}

/**
 * Data as the JSON that is stored.
 * @throws {StoreError} `limit` for what is no JSON or too large
 */
export function dataText(put: Put | VersionedPut): string {
  let text: string | undefined;
  try {
    text = JSON.stringify(put.data);
  } catch (error) {
    throw new StoreError("limit", `the data of ${show(put.pk)} is no JSON: write amounts as decimal strings`, error);
  }
  if (text === undefined) throw new StoreError("limit", `the data of ${show(put.pk)} is no JSON value`);
  if (text.length * 3 > DATA_BYTES_MAX && Buffer.byteLength(text) > DATA_BYTES_MAX) {
    throw new StoreError("limit", `the data of ${show(put.pk)} is above ${DATA_BYTES_MAX} bytes: bound what it holds`);
  }
  return text;
}

/** The limit of a page: a whole number of at least 1, default PAGE_ITEMS. */
export function pageLimit(limit: number | undefined): number {
  const items = limit ?? PAGE_ITEMS;
  if (!Number.isSafeInteger(items) || items < 1)
    throw new StoreError("limit", `a page of ${items} items: ask for at least 1`);
  return items;
}

/** Less than, equal or greater than 0 as `a` stands before, at or behind `b` in the order of UTF-8 bytes. */
export function compareText(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let i = 0; i < length; i += 1) {
    const x = a.charCodeAt(i);
    const y = b.charCodeAt(i);
    if (x !== y) return rank(x) - rank(y);
  }
  return a.length - b.length;
}

/** UTF-16 puts surrogates (characters above U+FFFF) before U+E000..U+FFFF; UTF-8 puts them behind. */
function rank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit;
}

function checkEntry(entry: IndexEntry): void {
  checkText(entry.partition, "index partition", PK_BYTES_MAX);
  checkText(entry.sort, "index sort", SK_BYTES_MAX);
}

function checkText(text: string, what: string, bytesMax: number): void {
  if (text.length === 0) throw new StoreError("limit", `an empty ${what}: name the item`);
  if (text.length * 3 > bytesMax && Buffer.byteLength(text) > bytesMax) {
    const bytes = Buffer.byteLength(text);
    throw new StoreError("limit", `${what} ${show(text)} has ${bytes} bytes, above ${bytesMax}: shorten or hash it`);
  }
  if (!text.isWellFormed()) throw new StoreError("limit", `${what} ${show(text)} has half a surrogate pair`);
}

function twice(keys: readonly Key[]): string {
  const seen = new Set<string>();
  for (const key of keys) {
    const text = keyText(key);
    if (seen.has(text)) return show(`${key.pk} ${key.sk}`);
    seen.add(text);
  }
  return "";
}

function show(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}...` : text);
}
