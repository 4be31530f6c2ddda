/**
 * Group commit: what many callers write in one turn goes to disk in one LMDB transaction, one group after the other.
 *
 * What is guaranteed: a group is there whole or not at all. LMDB writes its pages, syncs them (fdatasync), then writes
 * and syncs the header that makes them the database; only then are the group's callers answered. So neither kill -9 nor
 * a power cut loses what was acknowledged, as far as the disk keeps its word. (lmdb-js's `overlappingSync`, which syncs
 * after it resolves, is off: it measured no faster here.)
 */
import type { RootDatabase } from "lmdb";
import type { Slot } from "./cache.ts";
import { StoreError } from "./error.ts";
import { feedKey, feedSequence, indexKey, itemKey, type Row, rowText, SPACE } from "./lmdb-codec.ts";

export type Database = RootDatabase<string, Buffer>;

interface FeedEntry {
  readonly slot: Slot<Row>;
  readonly before: Row | undefined;
  readonly after: string;
}

interface Group {
  readonly id: number;
  readonly items: Slot<Row>[];
  readonly counters: Slot<bigint>[];
  readonly feed: FeedEntry[];
  readonly done: Promise<void>;
  readonly settle: (error: StoreError | null) => void;
}

export interface Groups {
  /** Takes a row that a caller has just set, or dropped; its JSON is `text`, or is made when it is flushed. */
  putItem(slot: Slot<Row>, text: string | null): void;
  putCounter(slot: Slot<bigint>): void;
  /** Notes a change for the feed, in the same transaction. */
  change(slot: Slot<Row>, before: Row | undefined, after: string): void;
  /** Resolves when group `id` is durable; `null` when it is already. */
  durable(id: number): Promise<void> | null;
  /** Resolves when all that was put before the call is durable. */
  flush(): Promise<void>;
  /** What a caller who does not wait for durability waits for, so that memory stays bounded. */
  room(): Promise<void> | null;
  /** The group that takes writes now. */
  openGroup(): number;
  /** Why no more writes are taken, else null. */
  failure(): StoreError | null;
}

export interface GroupOptions {
  /** Changes that the feed keeps; 0 for no feed. */
  readonly feedLength: number;
  /** Writes after which a group is flushed though nobody waits for it. */
  readonly groupWrites: number;
  /** True: a group is flushed as soon as the one before is; false: when it is large, or when `flush` asks. */
  readonly eager: boolean;
}

export function createGroups(db: Database, options: GroupOptions): Groups {
  let open = newGroup(1);
  let flushing: Group | null = null;
  let scheduled = false;
  let asked = false;
  let failure: StoreError | null = null;
  let { first, next } = feedBounds(db);

  function schedule(): void {
    if (scheduled || flushing !== null) return;
    scheduled = true;
    // Not at once: callers that the last group has just woken, and others of this turn, join this one.
    setImmediate(start);
  }

  function start(): void {
    scheduled = false;
    if (flushing !== null || size(open) === 0) return;
    asked = false;
    const group = open;
    if (failure !== null) {
      group.settle(failure);
      return;
    }
    flushing = group;
    open = newGroup(group.id + 1);
    let written: Promise<unknown>;
    try {
      written = db.batch(() => write(group));
    } catch (error) {
      written = Promise.reject(error);
    }
    written.then(
      () => finish(group, null),
      (error) => fail(group, error),
    );
  }

  /** Inside a batch, whose own promise answers for all of its puts. */
  function write(group: Group): void {
    for (const slot of group.items) {
      const row = slot.value;
      if (row === undefined) {
        void db.remove(itemKey(SPACE.item, slot.pk, slot.sk));
        slot.flushed = undefined;
        continue;
      }
      void db.put(itemKey(SPACE.item, slot.pk, slot.sk), slot.text ?? textOf(row));
      moveIndex("due", slot, row);
      moveIndex("list", slot, row);
      slot.flushed = row;
      slot.text = null;
    }
    for (const slot of group.counters) {
      void db.put(itemKey(SPACE.counter, slot.pk, slot.sk), (slot.value as bigint).toString());
    }
    for (const { slot, before, after } of group.feed) {
      const head = before === undefined ? "null" : textOf(before);
      void db.put(feedKey(next), `[${JSON.stringify(slot.pk)},${JSON.stringify(slot.sk)},${head},${after}]`);
      next += 1;
    }
    for (; next - first > options.feedLength; first += 1) void db.remove(feedKey(first));
  }

  function moveIndex(name: "due" | "list", slot: Slot<Row>, row: Row): void {
    const before = slot.flushed?.item.index?.[name];
    const after = row.item.index?.[name];
    if (before === after) return;
    if (
      before !== undefined &&
      after !== undefined &&
      before.partition === after.partition &&
      before.sort === after.sort
    )
      return;
    if (before !== undefined) void db.remove(indexKey(name, before.partition, before.sort, slot));
    if (after !== undefined) {
      void db.put(indexKey(name, after.partition, after.sort, slot), JSON.stringify([slot.pk, slot.sk, after.sort]));
    }
  }

  function finish(group: Group, error: StoreError | null): void {
    flushing = null;
    if (error === null) {
      clean(group.items, group.id);
      clean(group.counters, group.id);
      // Reads of this turn may have opened a view from before the group; its slots are no longer held in memory.
      db.resetReadTxn();
    }
    group.settle(error);
    if (size(open) > 0 && (options.eager || asked || error !== null || size(open) >= options.groupWrites)) schedule();
  }

  function fail(group: Group, cause: unknown): void {
    const detail = (cause as { commitError?: Promise<never> }).commitError;
    const end = (error: unknown) => {
      failure = new StoreError(
        "failed",
        `a write could not be made durable (${error instanceof Error ? error.message : String(error)}): nothing more is taken; see that the disk has room and is sound, then start again`,
        error,
      );
      finish(group, failure);
    };
    // lmdb-js gives the reason apart, and may give it late; never wait for it for ever.
    if (detail === undefined) end(cause);
    else Promise.race([detail, new Promise((_, reject) => setImmediate(reject, cause))]).catch(end);
  }

  function afterWrite(): void {
    if (options.eager) schedule();
    else if (size(open) >= options.groupWrites) schedule();
  }

  function durable(id: number): Promise<void> | null {
    if (id === open.id) return open.done;
    return flushing !== null && id === flushing.id ? flushing.done : null;
  }

  return {
    putItem(slot, text) {
      slot.text = text;
      if (slot.group !== open.id) {
        if (slot.group === 0) slot.partition.dirty += 1;
        slot.group = open.id;
        open.items.push(slot);
      }
      afterWrite();
    },
    putCounter(slot) {
      if (slot.group !== open.id) {
        if (slot.group === 0) slot.partition.dirty += 1;
        slot.group = open.id;
        open.counters.push(slot);
      }
      afterWrite();
    },
    change(slot, before, after) {
      open.feed.push({ slot, before, after });
    },
    durable,
    async flush() {
      if (failure !== null) throw failure;
      if (size(open) === 0) return flushing?.done;
      asked = true;
      schedule();
      return open.done;
    },
    room() {
      if (size(open) < options.groupWrites) return null;
      if (flushing === null) return new Promise((resolve) => setImmediate(resolve)); // let the flush start
      return size(open) < options.groupWrites * 2 ? null : flushing.done;
    },
    openGroup: () => open.id,
    failure: () => failure,
  };
}

function newGroup(id: number): Group {
  let settle: Group["settle"] = () => {};
  const done = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === null ? resolve() : reject(error));
  });
  done.catch(() => {}); // nobody may be waiting; the failure is kept
  return { id, items: [], counters: [], feed: [], done, settle };
}

function size(group: Group): number {
  return group.items.length + group.counters.length + group.feed.length;
}

function clean(slots: readonly Slot<unknown>[], id: number): void {
  for (const slot of slots) {
    if (slot.group !== id) continue; // written again since
    slot.group = 0;
    slot.partition.dirty -= 1;
  }
}

function textOf(row: Row): string {
  return rowText(row.item.version, row.at, JSON.stringify(row.item.data), row.item.index);
}

function feedBounds(db: Database): { first: number; next: number } {
  const range = { start: feedKey(0), end: feedKey(Number.MAX_SAFE_INTEGER), limit: 1 };
  for (const key of db.getKeys({ start: range.end, end: range.start, reverse: true, limit: 1 })) {
    const [first = key] = db.getKeys(range);
    return { first: feedSequence(first), next: feedSequence(key) + 1 };
  }
  return { first: 1, next: 1 };
}
