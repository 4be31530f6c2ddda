/**
 * The table in LMDB: embedded, durable, for one machine. One process writes, any number of callers in it; others may
 * open it read-only beside. Writes are applied to memory at once and answered when their group is on disk.
 */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Fact, Store, Stored } from "@bursar/core/ports";
import { open } from "lmdb";
import { createCache, tidy } from "./cache.ts";
import { StoreError, unknownCursor } from "./error.ts";
import { checkCommit, checkKey, dataText, pageLimit } from "./keys.ts";
import { META_KEY, type Row, rowText } from "./lmdb-codec.ts";
import { checkDataFile, corrupt } from "./lmdb-file.ts";
import { createGroups, type Database } from "./lmdb-groups.ts";
import { readChanges, readIndex } from "./lmdb-index.ts";
import { takeLock } from "./lmdb-lock.ts";
import { counterSlotOf, rangeRows, readCounter, readRow, slotOf } from "./lmdb-rows.ts";

export interface LmdbOptions {
  /**
   * "each" (default): what resolved survives kill -9 and a power cut. "flush": writes resolve when they are in memory,
   * `flush` waits for the disk; for stores that are thrown away. Without a feed such a store makes JSON of an item only
   * when it is flushed, once for many versions; data that is no JSON fails the store then, not the call.
   */
  readonly durability?: "each" | "flush";
  /** Beside a process that writes: sees what that has flushed. */
  readonly readOnly?: boolean;
  /** Changes that the feed keeps; 0 for no feed. Default 10,000. */
  readonly feedLength?: number;
  /** Items that are kept decoded in memory. Default 20,000, tens of megabytes. */
  readonly cacheItems?: number;
  /** Writes after which "flush" starts a flush of its own; twice as many and callers wait. Default 4,096. */
  readonly groupWrites?: number;
}

export interface LmdbStore extends Store {
  /** Resolves when all that was written before the call is durable. */
  flush(): Promise<void>;
}

const FORMAT = "bursar-store 1";

/**
 * Opens the table in `directory`, which is created where it is missing. Items that it returns are shared and must not
 * be changed.
 * @throws {StoreError} `locked`, `missing` (read-only), `foreign`, `corrupt`
 */
export async function openLmdbStore(directory: string, options: LmdbOptions = {}): Promise<LmdbStore> {
  const readOnly = options.readOnly ?? false;
  if (readOnly && !existsSync(join(directory, "data.mdb"))) {
    throw new StoreError(
      "missing",
      `${directory} holds no data: start bursar with it first, or name the right directory`,
    );
  }
  mkdirSync(directory, { recursive: true });
  const release = readOnly ? () => {} : await takeLock(directory);
  try {
    const exists = checkDataFile(directory);
    if (readOnly && !exists)
      throw new StoreError("missing", `${directory} holds no data yet: start bursar with it first`);
    const db = openDatabase(directory, readOnly);
    try {
      checkFormat(db, directory, readOnly);
      return readOnly ? readerOf(db) : writerOf(db, options, release);
    } catch (error) {
      await db.close();
      throw error;
    }
  } catch (error) {
    release();
    throw error;
  }
}

function openDatabase(directory: string, readOnly: boolean): Database {
  try {
    return open<string, Buffer>({
      path: directory,
      noSubdir: false, // else lmdb-js takes a directory with a point in its name for a file
      keyEncoding: "binary",
      encoding: "string",
      overlappingSync: false,
      readOnly,
    });
  } catch (error) {
    throw corrupt(join(directory, "data.mdb"), "cannot be opened", error);
  }
}

function checkFormat(db: Database, directory: string, readOnly: boolean): void {
  let format: string | undefined;
  let empty: boolean;
  try {
    format = db.get(META_KEY);
    empty = db.getKeysCount({ limit: 1 }) === 0;
  } catch (error) {
    throw corrupt(join(directory, "data.mdb"), "cannot be read", error);
  }
  if (format === FORMAT) return;
  if (format === undefined && empty && !readOnly) {
    db.putSync(META_KEY, FORMAT);
    return;
  }
  throw new StoreError(
    "foreign",
    format?.startsWith("bursar-store ")
      ? `${directory} has the format "${format.slice(0, 40)}" and this version reads "${FORMAT}": use the version of bursar that wrote it`
      : `${directory} holds an LMDB database that is not Bursar's: name another directory`,
  );
}

function writerOf(db: Database, options: LmdbOptions, release: () => void): LmdbStore {
  const eager = options.durability !== "flush";
  const cacheItems = options.cacheItems ?? 20_000;
  const rows = createCache<Row>(cacheItems);
  const counts = createCache<bigint>(cacheItems);
  const feedLength = options.feedLength ?? 10_000;
  const groups = createGroups(db, { feedLength, groupWrites: options.groupWrites ?? 4096, eager });
  const late = !eager && feedLength === 0;
  let closed = false;

  /** Before anything else in an operation, and with no other await before its writes. */
  function begin(): void {
    if (closed) throw closedError();
    const failure = groups.failure();
    if (failure !== null) throw failure;
    tidy(rows);
    tidy(counts);
  }

  return {
    async get(keys) {
      begin();
      let group = 0;
      const items: (Stored | undefined)[] = [];
      for (const key of keys) {
        checkKey(key);
        const slot = slotOf(db, rows, key.pk, key.sk);
        if (slot.group > group) group = slot.group;
        items.push(slot.value?.item);
      }
      // Who finds its work done by another acknowledges without a write: what it saw must be durable by then.
      if (eager && group > 0) await groups.durable(group);
      return items;
    },

    async facts(pk, prefix, page = {}) {
      begin();
      return factsPage(db, rows, pk, prefix, page);
    },

    async index(name, partition, range = {}) {
      begin();
      if (!eager) await groups.flush();
      return readIndex(db, rows, name, partition, range);
    },

    async putAll(puts) {
      begin();
      let group = 0;
      const texts = puts.map((put) => {
        checkKey(put);
        return late ? null : dataText(put);
      });
      for (const [i, put] of puts.entries()) {
        const slot = slotOf(db, rows, put.pk, put.sk);
        const at = put.at ?? null;
        const held = slot.value;
        if (held === undefined || (held.at !== null && at !== null && at < held.at)) {
          slot.value = { item: { pk: put.pk, sk: put.sk, version: 0, data: put.data }, at };
          const text = texts[i] ?? null;
          groups.putItem(slot, text === null ? null : rowText(0, at, text, undefined));
        }
        if (slot.group > group) group = slot.group; // a repeat too waits until the first is durable
      }
      if (group > 0) await (eager ? groups.durable(group) : groups.room());
    },

    async commit(puts, adds) {
      begin();
      const counted = checkCommit(puts, adds);
      const texts = late ? [] : puts.map(dataText);
      const slots = puts.map((put) => slotOf(db, rows, put.pk, put.sk));
      for (const [i, put] of puts.entries()) {
        if ((slots[i]?.value?.item.version ?? null) !== put.expected) return "conflict";
      }
      for (const [i, put] of puts.entries()) {
        const slot = slots[i] as (typeof slots)[number];
        const before = slot.value;
        const { pk, sk, data, index } = put;
        const version = (put.expected ?? 0) + 1;
        const text = late ? null : rowText(version, null, texts[i] as string, index);
        slot.value = {
          item: index === undefined ? { pk, sk, version, data } : { pk, sk, version, data, index },
          at: null,
        };
        groups.putItem(slot, text);
        if (text !== null && feedLength > 0) groups.change(slot, before, text);
      }
      for (const { pk, sk, amount } of counted) {
        const slot = counterSlotOf(db, counts, pk, sk);
        slot.value = (slot.value ?? 0n) + amount;
        groups.putCounter(slot);
      }
      if (puts.length + counted.length > 0) await (eager ? groups.durable(groups.openGroup()) : groups.room());
      return "done";
    },

    async counters(keys) {
      begin();
      return keys.map((key) => {
        checkKey(key);
        return counterSlotOf(db, counts, key.pk, key.sk).value ?? 0n;
      });
    },

    async changes(after, limit) {
      begin();
      if (!eager) await groups.flush();
      return readChanges(db, after, limit);
    },

    async flush() {
      begin();
      await groups.flush();
    },

    async close() {
      if (closed) return;
      closed = true;
      try {
        if (groups.failure() === null) await groups.flush();
      } finally {
        await db.close();
        release();
      }
    },
  };
}

/** Reads only: nothing is kept in memory, since another process writes. */
function readerOf(db: Database): LmdbStore {
  let closed = false;
  const refuse = async (): Promise<never> => {
    throw new StoreError(
      "readonly",
      "the data directory is open for reading only: open it without `readOnly`, in the one process that writes",
    );
  };
  function usable(): void {
    if (closed) throw closedError();
  }
  return {
    async get(keys) {
      usable();
      for (const key of keys) checkKey(key);
      return keys.map((key) => readRow(db, key.pk, key.sk)?.item);
    },
    async facts(pk, prefix, page = {}) {
      usable();
      return factsPage(db, null, pk, prefix, page);
    },
    async index(name, partition, range = {}) {
      usable();
      return readIndex(db, null, name, partition, range);
    },
    async counters(keys) {
      usable();
      for (const key of keys) checkKey(key);
      return keys.map((key) => readCounter(db, key.pk, key.sk));
    },
    async changes(after, limit) {
      usable();
      return readChanges(db, after, limit);
    },
    putAll: refuse,
    commit: refuse,
    async flush() {},
    async close() {
      if (closed) return;
      closed = true;
      await db.close();
    },
  };
}

function factsPage(
  db: Database,
  cache: Parameters<typeof rangeRows>[1],
  pk: string,
  prefix: string,
  page: { after?: string | null; limit?: number },
): { items: Fact[]; next: string | null } {
  checkKey({ pk, sk: prefix === "" ? "." : prefix });
  const limit = pageLimit(page.limit);
  const after = page.after ?? null;
  if (after !== null && !after.startsWith(prefix)) throw unknownCursor(after);
  const found = rangeRows(db, cache, pk, prefix, after, limit + 1);
  const items = found.slice(0, limit).map(({ item, at }) => ({ pk, sk: item.sk, data: item.data, at }));
  return { items, next: found.length > limit ? (items[limit - 1]?.sk ?? null) : null };
}

function closedError(): StoreError {
  return new StoreError("closed", "the store is closed");
}
