/** The table in LMDB, read-only: nothing is kept in memory, since another process writes. */
import { closedError, StoreError } from "./error.ts";
import { checkKey } from "./keys.ts";
import type { LmdbStore } from "./lmdb.ts";
import type { Database } from "./lmdb-groups.ts";
import { readChanges, readIndex, turnBetweenPages } from "./lmdb-index.ts";
import { readCounter, readFacts, readRow } from "./lmdb-rows.ts";

export function readerOf(db: Database): LmdbStore {
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
      const { items, next } = readFacts(db, null, pk, prefix, page);
      return { items, next };
    },
    async index(name, partition, range = {}) {
      await turnBetweenPages(range);
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
    drop: refuse,
    commit: refuse,
    async flush() {},
    async close() {
      if (closed) return;
      closed = true;
      await db.close();
    },
  };
}
