/** A model of the table: the port's words taken literally, in memory. `pause` lets a scheduler stop before every step. */
import type { Add, Change, Fact, Key, Page, Put, Store, Stored, VersionedPut } from "../src/ports.ts";

export interface Memory {
  readonly items: Map<string, Stored>;
  readonly facts: Map<string, Fact>;
  readonly counters: Map<string, bigint>;
  /** What `commit` has put, in order. */
  readonly feed: Change[];
}

export const emptyMemory = (): Memory => ({ items: new Map(), facts: new Map(), counters: new Map(), feed: [] });

const name = ({ pk, sk }: Key) => `${pk}\u0000${sk}`;
const copy = <T>(value: T): T => (value === undefined ? value : JSON.parse(JSON.stringify(value)));

export function memoryStore(
  memory: Memory = emptyMemory(),
  pause: (step: string) => Promise<void> = async () => {},
): Store {
  const page = <T>(all: T[], key: (item: T) => string, after: string | null | undefined, limit: number): Page<T> => {
    const rest = all.filter((item) => after == null || key(item) > after);
    const items = rest.slice(0, limit);
    return { items, next: rest.length > items.length ? key(items[items.length - 1] as T) : null };
  };
  return {
    async get(keys) {
      await pause("get");
      return keys.map((key) => {
        const fact = memory.facts.get(name(key));
        const put = fact && { pk: fact.pk, sk: fact.sk, data: fact.data, version: 0 };
        return copy(memory.items.get(name(key)) ?? put);
      });
    },
    async facts(pk, prefix, { after = null, limit = 1000 } = {}) {
      await pause("facts");
      const all = [...memory.facts.values()].filter((fact) => fact.pk === pk && fact.sk.startsWith(prefix));
      return page(
        copy(all).sort((a, b) => (a.sk < b.sk ? -1 : 1)),
        (fact) => fact.sk,
        after,
        limit,
      );
    },
    async index(index, partition, { from, to, after = null, limit = 1000 } = {}) {
      await pause("index");
      const sort = (item: Stored) => item.index?.[index]?.sort ?? "";
      const all = [...memory.items.values()].filter((item) => item.index?.[index]?.partition === partition);
      const inside = all.filter(
        (item) => (from === undefined || sort(item) >= from) && (to === undefined || sort(item) < to),
      );
      return page(
        copy(inside).sort((a, b) => (sort(a) < sort(b) ? -1 : 1)),
        sort,
        after,
        limit,
      );
    },
    async putAll(puts: readonly Put[]) {
      for (const put of puts) {
        await pause("put");
        const known = memory.facts.get(name(put));
        const at = put.at ?? null;
        if (known === undefined || (at !== null && known.at !== null && at < known.at))
          memory.facts.set(name(put), copy({ pk: put.pk, sk: put.sk, data: put.data, at }));
      }
    },
    async drop(keys) {
      for (const key of keys) {
        await pause("drop");
        memory.facts.delete(name(key));
      }
    },
    async commit(puts: readonly VersionedPut[], adds: readonly Add[]) {
      await pause("commit");
      if (puts.length + adds.length > 100) throw new Error("more than 100 actions");
      for (const put of puts) if ((memory.items.get(name(put))?.version ?? null) !== put.expected) return "conflict";
      for (const { expected, ...put } of puts) {
        const after = copy({ ...put, version: (expected ?? 0) + 1 });
        memory.feed.push({ key: { pk: put.pk, sk: put.sk }, before: memory.items.get(name(put)) ?? null, after });
        memory.items.set(name(put), after);
      }
      for (const add of adds) memory.counters.set(name(add), (memory.counters.get(name(add)) ?? 0n) + add.amount);
      return "done";
    },
    async counters(keys) {
      await pause("counters");
      return keys.map((key) => memory.counters.get(name(key)) ?? 0n);
    },
    async changes(after, limit) {
      await pause("changes");
      const changes = memory.feed.slice(Number(after ?? 0), Number(after ?? 0) + limit);
      return { changes: copy(changes), next: String(Number(after ?? 0) + changes.length) };
    },
    async close() {},
  };
}
