/** The table in LMDB, for the one process that writes: every operation looks at memory and disk in one go, then waits. */
import type { Stored } from "@bursar/core/ports";
import { createCache, tidy } from "./cache.ts";
import { closedError } from "./error.ts";
import { checkCommit, checkKey, dataText } from "./keys.ts";
import type { LmdbOptions, LmdbStore } from "./lmdb.ts";
import { type Row, rowText } from "./lmdb-codec.ts";
import { createGroups, type Database } from "./lmdb-groups.ts";
import { readChanges, readIndex, turnBetweenPages } from "./lmdb-index.ts";
import { counterSlotOf, readFacts, slotOf } from "./lmdb-rows.ts";

/** `release` gives the directory's lock back. */
export function writerOf(db: Database, options: LmdbOptions, release: () => void): LmdbStore {
  const eager = options.durability !== "flush";
  const cacheItems = options.cacheItems ?? 20_000;
  const rows = createCache<Row>(cacheItems);
  const counts = createCache<bigint>(cacheItems);
  const feedLength = options.feedLength ?? 10_000;
  const feeds = options.feedOf ?? (() => true);
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
      const { items, next, group } = readFacts(db, rows, pk, prefix, page);
      if (eager && group > 0) await groups.durable(group); // as for get
      return { items, next };
    },

    async index(name, partition, range = {}) {
      await turnBetweenPages(range);
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

    async drop(keys) {
      begin();
      let dropped = false;
      for (const key of keys) {
        checkKey(key);
        const slot = slotOf(db, rows, key.pk, key.sk);
        if (slot.value === undefined || slot.value.item.version > 0) continue;
        slot.value = undefined;
        groups.putItem(slot, null);
        dropped = true;
      }
      if (dropped) await (eager ? groups.durable(groups.openGroup()) : groups.room());
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
        if (text !== null && feedLength > 0 && feeds(pk)) groups.change(slot, before, text);
      }
      for (const { pk, sk, amount } of counted) {
        const slot = counterSlotOf(db, counts, pk, sk);
        slot.value = (slot.value ?? 0n) + amount;
        groups.putCounter(slot);
      }
      if (puts.length + counted.length > 0) await (eager ? groups.durable(groups.openGroup()) : groups.room());
      return "done";
    },

    // Counters wait for nobody: a hot one is never at rest, and who adds again after a crash is who was not answered.
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
