/** The LMDB store against a plain model: any sequence of calls, any sizes of memory and groups, and reopening between. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Put, VersionedPut } from "@bursar/core/ports";
import fc from "fast-check";
import { expect, test } from "vitest";
import { type LmdbStore, openLmdbStore } from "../src/lmdb.ts";

interface Modelled {
  readonly pk: string;
  readonly sk: string;
  readonly data: number;
  readonly version: number;
  readonly at: string | null;
  readonly due: string | null;
}

interface Model {
  readonly items: Map<string, Modelled>;
  readonly counters: Map<string, bigint>;
  readonly changes: number[];
}

const pk = fc.constantFrom("A", "B", "C#1", "C");
const sk = fc.constantFrom("a", "a#1", "a#2", "b", "\ue000", "\u{1f4b8}");
const at = fc.constantFrom(undefined, "2026-01-01", "2026-01-02", "2026-01-03");
const due = fc.constantFrom(null, "1", "2");
const key = fc.record({ pk, sk });

const call = fc.oneof(
  fc.record({
    kind: fc.constant("put" as const),
    puts: fc.array(fc.record({ pk, sk, at, data: fc.nat(9) }), { maxLength: 4 }),
  }),
  fc.record({
    kind: fc.constant("commit" as const),
    puts: fc.uniqueArray(fc.record({ pk, sk, due, data: fc.nat(9), wrong: fc.nat(9).map((n) => n === 0) }), {
      selector: (put) => `${put.pk} ${put.sk}`,
      maxLength: 4,
    }),
    adds: fc.uniqueArray(
      fc.record({ pk: fc.constantFrom("X", "Y"), sk: fc.constant("n"), amount: fc.bigInt(-5n, 5n) }),
      {
        selector: (add) => add.pk,
        maxLength: 2,
      },
    ),
  }),
  fc.record({
    kind: fc.constant("facts" as const),
    pk,
    prefix: fc.constantFrom("", "a", "a#", "b"),
    limit: fc.integer({ min: 1, max: 7 }),
  }),
  fc.record({ kind: fc.constant("get" as const), keys: fc.array(key, { maxLength: 6 }) }),
  fc.record({ kind: fc.constant("drop" as const), keys: fc.array(key, { maxLength: 6 }) }),
  fc.record({ kind: fc.constant("flush" as const) }),
  fc.record({ kind: fc.constant("reopen" as const) }),
);
type Call = typeof call extends fc.Arbitrary<infer T> ? T : never;

const text = (of: { pk: string; sk: string }) => `${of.pk} ${of.sk}`;
const bytewise = (a: Modelled, b: Modelled) => Buffer.compare(Buffer.from(a.sk), Buffer.from(b.sk));

async function step(store: LmdbStore, model: Model, action: Exclude<Call, { kind: "reopen" }>): Promise<void> {
  switch (action.kind) {
    case "put": {
      await store.putAll(
        action.puts.map(({ at: time, ...put }): Put => (time === undefined ? put : { ...put, at: time })),
      );
      for (const put of action.puts) {
        const held = model.items.get(text(put));
        const earlier = held?.at != null && put.at !== undefined && put.at < held.at;
        if (held === undefined || earlier)
          model.items.set(text(put), { ...put, at: put.at ?? null, version: 0, due: null });
      }
      return;
    }
    case "drop": {
      await store.drop(action.keys);
      for (const key of action.keys) if (model.items.get(text(key))?.version === 0) model.items.delete(text(key));
      return;
    }
    case "commit": {
      const puts = action.puts.map((put): VersionedPut => {
        const version = model.items.get(text(put))?.version ?? null;
        const expected = put.wrong ? (version ?? 0) + 7 : version;
        const base = { pk: put.pk, sk: put.sk, data: put.data, expected };
        return put.due === null ? base : { ...base, index: { due: { partition: "due", sort: put.due } } };
      });
      const conflict = action.puts.some((put) => put.wrong);
      expect(await store.commit(puts, action.adds)).toBe(conflict ? "conflict" : "done");
      if (conflict) return;
      for (const put of action.puts) {
        const version = (model.items.get(text(put))?.version ?? 0) + 1;
        model.items.set(text(put), { pk: put.pk, sk: put.sk, data: put.data, due: put.due, version, at: null });
        model.changes.push(version);
      }
      for (const add of action.adds) model.counters.set(text(add), (model.counters.get(text(add)) ?? 0n) + add.amount);
      return;
    }
    case "facts": {
      const expected = [...model.items.values()].filter(
        (item) => item.pk === action.pk && item.sk.startsWith(action.prefix),
      );
      const found = [];
      for (let after: string | null = null; ; ) {
        const page = await store.facts(action.pk, action.prefix, { after, limit: action.limit });
        found.push(...page.items);
        after = page.next;
        if (after === null) break;
      }
      expect(found).toEqual(expected.sort(bytewise).map(({ pk, sk, data, at }) => ({ pk, sk, data, at })));
      return;
    }
    case "get": {
      const items = await store.get(action.keys);
      const expected = action.keys.map((asked) => model.items.get(text(asked)));
      expect(items.map((item) => item && [item.version, item.data, item.index?.due?.sort ?? null])).toEqual(
        expected.map((item) => item && [item.version, item.data, item.due]),
      );
      return;
    }
    case "flush":
      await store.flush();
  }
}

const options = fc.record({
  durability: fc.constantFrom("each" as const, "flush" as const),
  cacheItems: fc.constantFrom(1, 4, 1000),
  groupWrites: fc.constantFrom(1, 3, 1000),
});

test("any sequence of calls answers as the model does", async () => {
  const root = mkdtempSync(join(tmpdir(), "bursar-model-"));
  let runs = 0;
  await fc.assert(
    fc.asyncProperty(options, fc.array(call, { maxLength: 30 }), async (settings, calls) => {
      runs += 1;
      const directory = join(root, String(runs));
      const model: Model = { items: new Map(), counters: new Map(), changes: [] };
      let store = await openLmdbStore(directory, settings);
      try {
        for (const action of calls) {
          if (action.kind !== "reopen") await step(store, model, action);
          else {
            await store.close();
            store = await openLmdbStore(directory, settings);
          }
        }
        const counters = ["X", "Y"].map((name) => ({ pk: name, sk: "n" }));
        expect(await store.counters(counters)).toEqual(counters.map((name) => model.counters.get(text(name)) ?? 0n));
        const listed = (await store.index("due", "due")).items.map((item) => [text(item), item.version]);
        const expected = [...model.items.values()]
          .filter((item) => item.due !== null)
          .map((item) => [text(item), item.version]);
        expect(listed.sort()).toEqual(expected.sort());
        expect((await store.changes(null, 1000)).changes.map(({ after }) => after.version)).toEqual(model.changes);
      } finally {
        await store.close();
        rmSync(directory, { recursive: true, force: true });
      }
    }),
    { numRuns: 150 },
  );
  rmSync(root, { recursive: true, force: true });
});

test("a partition far above what memory keeps whole is read right, in part and in full", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bursar-large-"));
  const store = await openLmdbStore(directory, { durability: "flush", cacheItems: 1000, groupWrites: 500 });
  const skOf = (i: number) => `F#${String(i).padStart(5, "0")}`;
  const count = 9000;
  for (let from = 0; from < count; from += 100) {
    await store.putAll(Array.from({ length: 100 }, (_, i) => ({ pk: "AL#hot", sk: skOf(from + i), data: from + i })));
    const { items, next } = await store.facts("AL#hot", "F#", { after: skOf(from + 49), limit: 20 });
    expect(items.map(({ data }) => data)).toEqual(Array.from({ length: 20 }, (_, i) => from + 50 + i));
    expect(next).toBe(skOf(from + 69));
  }
  const all = await store.facts("AL#hot", "", { limit: count + 1 });
  expect(all.items.map(({ data }) => data)).toEqual(Array.from({ length: count }, (_, i) => i));
  expect(all.next).toBeNull();
  await store.close();
  rmSync(directory, { recursive: true, force: true });
});
