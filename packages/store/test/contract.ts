/** What both adapters of the `Store` port must do: one suite, run over LMDB and over a real DynamoDB engine. */
import type { Change, Key, Put, Store, VersionedPut } from "@bursar/core/ports";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

export interface Subject {
  readonly store: Store;
  readonly dispose: () => Promise<void>;
}

/** Text that has gone wrong in some store before: separators, order, case, astral characters, quotes, control characters. */
const NASTY = [
  "#",
  "##",
  "a#b",
  "a",
  "A",
  "a b",
  "ä",
  "日本",
  "\ue000",
  "\u{1f4b8}",
  '"',
  "\\",
  "%00",
  "\u0001",
  "\u0000",
  "..",
  "~",
];

export function storeContract(name: string, open: () => Promise<Subject>): void {
  describe(`Store contract: ${name}`, () => {
    let subject: Subject;
    let store: Store;
    let names = 0;
    beforeAll(async () => {
      subject = await open();
      store = subject.store;
    });
    afterAll(async () => {
      await store.close();
      await subject.dispose();
    });

    /** A partition that no other test uses. */
    const fresh = (kind = "PAY") => {
      names += 1;
      return `${kind}#${names}-${Math.random().toString(36).slice(2)}`;
    };
    const put = (
      pk: string,
      expected: number | null,
      data: VersionedPut["data"] = { n: 1 },
      sk = ".",
    ): VersionedPut => ({
      pk,
      sk,
      data,
      expected,
    });
    const one = async (key: Key) => (await store.get([key]))[0];
    const drain = async (after: string | null) => {
      const found: Change[] = [];
      let next = after;
      for (let empty = 0; empty < 3; ) {
        const page = await store.changes(next, 500);
        found.push(...page.changes);
        empty = page.changes.length === 0 ? empty + 1 : 0;
        next = page.next;
      }
      return { found, next: next as string };
    };

    describe("commit and get", () => {
      test("the first put of a key has version 1, the next 2", async () => {
        const pk = fresh();
        expect(await one({ pk, sk: "." })).toBeUndefined();
        expect(await store.commit([put(pk, null)], [])).toBe("done");
        expect(await one({ pk, sk: "." })).toEqual({ pk, sk: ".", version: 1, data: { n: 1 } });
        expect(await store.commit([put(pk, 1, { n: 2 })], [])).toBe("done");
        expect(await one({ pk, sk: "." })).toEqual({ pk, sk: ".", version: 2, data: { n: 2 } });
      });

      test.each([
        ["none is there", null, 1],
        ["none is there, a fact is expected", null, 0],
        ["one is there, none is expected", 1, null],
        ["one is there, a fact is expected", 1, 0],
        ["a later version is there", 2, 1],
        ["an earlier version is there", 1, 2],
      ] as const)("a version that was not expected is a conflict: %s", async (_, held, expected) => {
        const pk = fresh();
        for (let version = 0; version < (held ?? 0); version += 1)
          await store.commit([put(pk, version === 0 ? null : version)], []);
        const before = await one({ pk, sk: "." });
        expect(await store.commit([put(pk, expected, { n: 9 })], [])).toBe("conflict");
        expect(await store.commit([put(pk, expected, { n: 9 })], [{ pk: fresh("CTR"), sk: "HELD", amount: 1n }])).toBe(
          "conflict",
        );
        expect(await one({ pk, sk: "." })).toEqual(before);
      });

      test("all or nothing: one lost version and neither the other puts nor the adds happen", async () => {
        const [a, b, counter] = [fresh(), fresh(), fresh("CTR")];
        await store.commit([put(b, null)], []);
        const adds = [{ pk: counter, sk: "HELD", amount: 5n }];
        expect(await store.commit([put(a, null), put(b, null)], adds)).toBe("conflict");
        expect(
          await store.get([
            { pk: a, sk: "." },
            { pk: b, sk: "." },
          ]),
        ).toMatchObject([undefined, { version: 1 }]);
        expect(await store.counters([{ pk: counter, sk: "HELD" }])).toEqual([0n]);
        expect(await store.commit([put(a, null), put(b, 1)], adds)).toBe("done");
        expect(
          await store.get([
            { pk: a, sk: "." },
            { pk: b, sk: "." },
          ]),
        ).toMatchObject([{ version: 1 }, { version: 2 }]);
        expect(await store.counters([{ pk: counter, sk: "HELD" }])).toEqual([5n]);
      });

      test("nothing to do is done", async () => {
        expect(await store.commit([], [])).toBe("done");
        expect(await store.commit([], [{ pk: fresh("CTR"), sk: "HELD", amount: 0n }])).toBe("done");
        await store.putAll([]);
        expect(await store.get([])).toEqual([]);
        expect(await store.counters([])).toEqual([]);
      });

      test("data comes back as it was: empty, nested, large numbers as text, any character", async () => {
        const pk = fresh();
        const data = {
          empty: "",
          none: null,
          list: [],
          map: {},
          big: (2n ** 256n).toString(),
          yes: true,
          n: 12.5,
          text: NASTY,
          lone: "\ud800",
        };
        await store.commit(
          [put(pk, null, data), put(pk, null, "text", "text"), put(pk, null, [], "list"), put(pk, null, null, "null")],
          [],
        );
        const items = await store.get([".", "text", "list", "null"].map((sk) => ({ pk, sk })));
        expect(items.map((item) => item?.data)).toEqual([data, "text", [], null]);
      });

      test("get answers in the order asked, any number of keys, the same key twice", async () => {
        const pk = fresh();
        const keys = Array.from({ length: 250 }, (_, i) => ({ pk, sk: `n${i}` }));
        await store.putAll(keys.filter((_, i) => i % 2 === 0).map((key, i) => ({ ...key, data: i })));
        const asked = [...keys.toReversed(), keys[0] as Key, keys[0] as Key];
        const items = await store.get(asked);
        expect(items.map((item) => item?.sk)).toEqual(
          asked.map(({ sk }) => (Number(sk.slice(1)) % 2 === 0 ? sk : undefined)),
        );
      });

      test("a fact has version 0 and can be taken over by a commit that read it", async () => {
        const pk = fresh("AL");
        await store.putAll([{ pk, sk: "F#1", data: "fact", at: "2026-01-01T00:00:00.000Z" }]);
        expect(await one({ pk, sk: "F#1" })).toEqual({ pk, sk: "F#1", version: 0, data: "fact" });
        expect(await store.commit([put(pk, null, "mark", "F#1")], [])).toBe("conflict");
        expect(await store.commit([put(pk, 0, "mark", "F#1")], [])).toBe("done");
        expect(await one({ pk, sk: "F#1" })).toEqual({ pk, sk: "F#1", version: 1, data: "mark" });
        await store.putAll([{ pk, sk: "F#1", data: "late fact", at: "2020-01-01T00:00:00.000Z" }]);
        expect(await one({ pk, sk: "F#1" })).toEqual({ pk, sk: "F#1", version: 1, data: "mark" });
        expect((await store.facts(pk, "")).items).toEqual([{ pk, sk: "F#1", data: "mark", at: null }]);
      });
    });

    describe("limits", () => {
      test("100 actions fit in a commit, 101 are refused", async () => {
        const pk = fresh();
        const counter = fresh("CTR");
        const puts = Array.from({ length: 60 }, (_, i) => put(pk, null, i, `n${i}`));
        const adds = Array.from({ length: 41 }, (_, i) => ({ pk: counter, sk: `n${i}`, amount: 1n }));
        await expect(store.commit(puts, adds)).rejects.toThrow(/101 actions \(60 puts, 41 adds\)/);
        expect((await store.facts(pk, "")).items).toEqual([]);
        expect(await store.commit(puts, adds.slice(1))).toBe("done");
        expect((await store.facts(pk, "")).items.length).toBe(60);
        expect(await store.counters(adds)).toEqual(adds.map((_, i) => (i === 0 ? 0n : 1n)));
      });

      test("one key twice in a commit is refused", async () => {
        const pk = fresh();
        await expect(store.commit([put(pk, null), put(pk, null)], [])).rejects.toThrow(/names one key twice/);
        const add = { pk, sk: "HELD", amount: 1n };
        await expect(store.commit([], [add, add])).rejects.toThrow(/names one key twice/);
      });

      test.each([
        ["an empty pk", { pk: "", sk: "." }, /empty pk/],
        ["an empty sk", { pk: "P", sk: "" }, /empty sk/],
        ["a long pk", { pk: "ä".repeat(1025), sk: "." }, /2050 bytes, above 2048/],
        ["a long sk", { pk: "P", sk: "ä".repeat(513) }, /1026 bytes, above 1024/],
        ["half a character", { pk: "P\ud800", sk: "." }, /surrogate/],
      ])("%s is refused", async (_, key, message) => {
        await expect(store.get([key])).rejects.toThrow(message);
        await expect(store.putAll([{ ...key, data: 1 }])).rejects.toThrow(message);
        await expect(store.commit([{ ...key, data: 1, expected: null }], [])).rejects.toThrow(message);
        await expect(store.commit([], [{ ...key, amount: 1n }])).rejects.toThrow(message);
        await expect(store.counters([key])).rejects.toThrow(message);
      });

      test("the longest keys work, in every index too", async () => {
        const pk = `${fresh()}${"é".repeat(1024)}`.slice(0, 1000) + "x".repeat(40);
        const [a, b] = [`${"s".repeat(1023)}a`, `${"s".repeat(1023)}b`];
        const index = { list: { partition: pk, sort: a }, due: { partition: pk, sort: b } };
        expect(await store.commit([{ pk, sk: a, data: "a", index, expected: null }, put(pk, null, "b", b)], [])).toBe(
          "done",
        );
        expect(
          (
            await store.get([
              { pk, sk: a },
              { pk, sk: b },
            ])
          ).map((item) => item?.data),
        ).toEqual(["a", "b"]);
        expect((await store.facts(pk, "s".repeat(1023))).items.map((item) => item.sk)).toEqual([a, b]);
        await expect.poll(async () => (await store.index("list", pk)).items.map((item) => item.data)).toEqual(["a"]);
        await expect.poll(async () => (await store.index("due", pk)).items.map((item) => item.data)).toEqual(["a"]);
      });

      test("data that is too large, or no JSON, is refused and harms nobody", async () => {
        const pk = fresh();
        await expect(store.commit([put(pk, null, "x".repeat(410_000))], [])).rejects.toThrow(/above \d+ bytes/);
        await expect(store.putAll([{ pk, sk: ".", data: 1n as unknown as string }])).rejects.toThrow(/is no JSON/);
        expect(await store.commit([put(pk, null, "x".repeat(300_000))], [])).toBe("done");
      });

      test.each([0, -1, 1.5, Number.NaN])("a page of %s items is refused", async (limit) => {
        await expect(store.facts(fresh(), "", { limit })).rejects.toThrow(/page of/);
      });
    });

    describe("putAll and facts", () => {
      test("repeats change nothing; of several times the least stands, in any order", async () => {
        const at = ["2026-01-03T00:00:00.000Z", "2026-01-01T00:00:00.000Z", "2026-01-02T00:00:00.000Z"];
        for (const order of [
          [0, 1, 2],
          [2, 1, 0],
          [1, 1, 0, 2, 1],
        ]) {
          const pk = fresh("AL");
          for (const i of order) await store.putAll([{ pk, sk: "F#x", data: { same: true }, at: at[i] as string }]);
          expect((await store.facts(pk, "F#")).items).toEqual([{ pk, sk: "F#x", data: { same: true }, at: at[1] }]);
        }
        const pk = fresh("AL");
        await store.putAll(at.map((time) => ({ pk, sk: "F#x", data: 1, at: time })));
        expect((await store.facts(pk, "F#")).items).toEqual([{ pk, sk: "F#x", data: 1, at: at[1] }]);
      });

      test("a fact without a time stays as it was put first", async () => {
        const pk = fresh("AL");
        await store.putAll([{ pk, sk: "L#1", data: 1 }]);
        await store.putAll([{ pk, sk: "L#1", data: 1, at: "2026-01-01T00:00:00.000Z" }]);
        expect((await store.facts(pk, "")).items).toEqual([{ pk, sk: "L#1", data: 1, at: null }]);
      });

      test("a prefix finds its own facts only, in the order of UTF-8 bytes", async () => {
        const pk = fresh("AL");
        const puts: Put[] = NASTY.flatMap((text) => [`F#${text}`, `F#${text}#x`, `L#${text}`]).map((sk) => ({
          pk,
          sk,
          data: sk,
        }));
        await store.putAll([
          ...puts,
          ...puts.map((item) => ({ ...item, pk: `${pk}#` })),
          ...puts.map((item) => ({ ...item, pk: pk.slice(0, -1) })),
        ]);
        const sorted = puts.map(({ sk }) => sk).sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
        for (const prefix of ["", "F#", "F##", "L#", "F#a", "F#a#", "F#\u{1f4b8}", "Z"]) {
          const { items, next } = await store.facts(pk, prefix);
          expect(items.map(({ sk }) => sk)).toEqual(sorted.filter((sk) => sk.startsWith(prefix)));
          expect(items.every(({ sk, data }) => sk === data)).toBe(true);
          expect(next).toBeNull();
        }
      });

      test.each([1, 3, 10, 11, 12])("pages of %s: each fact once, and null at the end", async (limit) => {
        const pk = fresh("AL");
        await store.putAll(Array.from({ length: 11 }, (_, i) => ({ pk, sk: `F#${i}`, data: i })));
        await store.putAll([
          { pk, sk: "E#", data: 0 },
          { pk, sk: "G#", data: 0 },
        ]);
        const found: string[] = [];
        let pages = 0;
        for (let after: string | null = null; ; pages += 1) {
          const page = await store.facts(pk, "F#", { after, limit });
          expect(page.items.length).toBe(Math.min(limit, 11 - found.length));
          found.push(...page.items.map(({ sk }) => sk));
          after = page.next;
          if (after === null) break;
        }
        expect(found).toEqual(Array.from({ length: 11 }, (_, i) => `F#${i}`).sort());
        expect(pages).toBe(Math.ceil(11 / limit) - 1);
      });

      test("a partition above 1,000 facts comes in pages of 1,000, new facts included", async () => {
        const pk = fresh("AL");
        const puts = Array.from({ length: 1001 }, (_, i) => ({
          pk,
          sk: `F#${String(i).padStart(5, "0")}`,
          data: { text: "x".repeat(50), i },
        }));
        await store.putAll(puts);
        const first = await store.facts(pk, "F#");
        expect(first.items.length).toBe(1000);
        await store.putAll([{ pk, sk: "F#01000a", data: "new" }]);
        const second = await store.facts(pk, "F#", { after: first.next });
        expect(second.items.map(({ sk }) => sk)).toEqual(["F#01000", "F#01000a"]);
        expect(second.next).toBeNull();
      });
    });

    describe("drop", () => {
      test("facts are gone, can be put again, and their neighbours stay", async () => {
        const pk = fresh("CUR");
        const facts = ["M#1", "M#2", "M#3"].map((sk) => ({ pk, sk, data: sk }));
        await store.putAll(facts);
        await store.drop([
          { pk, sk: "M#1" },
          { pk, sk: "M#3" },
          { pk, sk: "M#9" },
        ]);
        expect((await store.facts(pk, "M#")).items.map(({ sk }) => sk)).toEqual(["M#2"]);
        expect(await store.get(facts)).toMatchObject([undefined, { data: "M#2" }, undefined]);
        await store.putAll([{ pk, sk: "M#3", data: "again" }]);
        expect((await store.facts(pk, "M#")).items.map(({ data }) => data)).toEqual(["M#2", "again"]);
      });

      test("what is under a version stays, and dropping nothing is fine", async () => {
        const pk = fresh("CUR");
        await store.commit([put(pk, null)], []);
        await store.drop([{ pk, sk: "." }]);
        await store.drop([]);
        expect(await one({ pk, sk: "." })).toMatchObject({ version: 1 });
      });

      test("a partition above 1,000 facts is dropped whole, page by page", async () => {
        const pk = fresh("CUR");
        await store.putAll(Array.from({ length: 1100 }, (_, i) => ({ pk, sk: `M#${i}`, data: i })));
        for (;;) {
          const { items } = await store.facts(pk, "M#", { limit: 300 });
          if (items.length === 0) break;
          await store.drop(items.map(({ sk }) => ({ pk, sk })));
        }
        expect((await store.facts(pk, "")).items).toEqual([]);
      });
    });

    describe("counters", () => {
      test("exact beyond 38 digits, below zero, and back to zero", async () => {
        const pk = fresh("CTR");
        const amounts = [
          2n ** 256n - 1n,
          -1n,
          10n ** 27n,
          -(10n ** 54n),
          999_999_999_999_999_999_999_999_999n,
          1n,
          -(2n ** 256n),
          7n,
        ];
        let sum = 0n;
        for (const amount of amounts) {
          expect(await store.commit([], [{ pk, sk: "HELD", amount }])).toBe("done");
          sum += amount;
          expect(await store.counters([{ pk, sk: "HELD" }])).toEqual([sum]);
        }
        await store.commit([], [{ pk, sk: "HELD", amount: -sum }]);
        expect(
          await store.counters([
            { pk, sk: "HELD" },
            { pk, sk: "NONE" },
            { pk, sk: "HELD" },
          ]),
        ).toEqual([0n, 0n, 0n]);
      });

      test("an add beyond 270 digits is refused", async () => {
        const add = { pk: fresh("CTR"), sk: "HELD", amount: -(10n ** 270n) };
        await expect(store.commit([], [add])).rejects.toThrow(/270 digits/);
      });

      test("many at once", async () => {
        const pk = fresh("CTR");
        const keys = Array.from({ length: 130 }, (_, i) => ({ pk, sk: `day#${i}` }));
        await store.commit(
          [],
          keys.slice(0, 100).map((key, i) => ({ ...key, amount: BigInt(i) })),
        );
        expect(await store.counters(keys)).toEqual(keys.map((_, i) => (i < 100 ? BigInt(i) : 0n)));
      });
    });

    describe("many writers", () => {
      test("versioned read-modify-write with adds: nothing lost, nothing doubled", async () => {
        const [pk, counter] = [fresh(), fresh("CTR")];
        const [writers, rounds] = [6, 5];
        const sees: number[] = [];
        await Promise.all(
          Array.from({ length: writers }, async (_, writer) => {
            for (let round = 0; round < rounds; round += 1) {
              for (;;) {
                const item = await one({ pk, sk: "." });
                const seen = (item?.data as number | undefined) ?? 0;
                const puts = [put(pk, item?.version ?? null, seen + 1), put(fresh(), null, writer)];
                if ((await store.commit(puts, [{ pk: counter, sk: "HELD", amount: 10n ** 30n }])) === "conflict")
                  continue;
                sees.push(seen + 1);
                break;
              }
            }
          }),
        );
        const total = writers * rounds;
        expect(await one({ pk, sk: "." })).toMatchObject({ version: total, data: total });
        expect(await store.counters([{ pk: counter, sk: "HELD" }])).toEqual([BigInt(total) * 10n ** 30n]);
        expect(sees.toSorted((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, i) => i + 1));
      });

      test("of writers that expect the same version one wins", async () => {
        const pk = fresh();
        const answers = await Promise.all(Array.from({ length: 8 }, (_, i) => store.commit([put(pk, null, i)], [])));
        expect(answers.filter((answer) => answer === "done").length).toBe(1);
        expect((await one({ pk, sk: "." }))?.data).toBe(answers.indexOf("done"));
      });

      test("facts put by many at once are all there", async () => {
        const pk = fresh("AL");
        await Promise.all(
          Array.from({ length: 40 }, (_, i) =>
            store.putAll([
              { pk, sk: `F#${i}`, data: i },
              { pk, sk: "F#same", data: "s", at: `2026-01-01T00:00:00.${String(100 + ((i * 7) % 40))}Z` },
            ]),
          ),
        );
        const { items } = await store.facts(pk, "F#");
        expect(items.length).toBe(41);
        expect(items.find(({ sk }) => sk === "F#same")?.at).toBe("2026-01-01T00:00:00.100Z");
      });
    });

    describe("index", () => {
      const entry = (partition: string, sort: string) => ({ partition, sort });
      const sorts = async (name: "due" | "list", partition: string, range = {}) =>
        (await store.index(name, partition, range)).items.map((item) => item.index?.[name]?.sort);

      test("sparse: an item is in the indexes it names, moves when they change, and leaves", async () => {
        const [pk, a, b] = [fresh(), fresh("D"), fresh("D")];
        const state = { sk: ".", pk, data: {} };
        await store.commit([{ ...state, expected: null }], []);
        expect(await sorts("due", a)).toEqual([]);
        await store.commit([{ ...state, expected: 1, index: { due: entry(a, "5"), list: entry(b, "1") } }], []);
        await expect.poll(() => sorts("due", a)).toEqual(["5"]);
        await expect.poll(() => sorts("list", b)).toEqual(["1"]);
        await store.commit([{ ...state, expected: 2, index: { due: entry(a, "7"), list: entry(b, "1") } }], []);
        await expect.poll(() => sorts("due", a)).toEqual(["7"]);
        await store.commit([{ ...state, expected: 3, index: { due: entry(b, "7"), list: entry(b, "1") } }], []);
        await expect.poll(() => sorts("due", a)).toEqual([]);
        expect(await sorts("due", b)).toEqual(["7"]);
        await store.commit([{ ...state, expected: 4, data: "last", index: { list: entry(b, "1") } }], []);
        await expect.poll(() => sorts("due", b)).toEqual([]);
        expect((await store.index("list", b)).items).toEqual([
          { pk, sk: ".", version: 5, data: "last", index: { list: entry(b, "1") } },
        ]);
      });

      test("a range is from inclusive to exclusive, ascending, of one partition, in pages", async () => {
        const [pk, partition] = [fresh(), fresh("D")];
        const times = Array.from({ length: 9 }, (_, i) => `2026-01-0${i + 1}`);
        await store.commit(
          times.toReversed().flatMap((sort) => [
            { pk, sk: `${sort}a`, data: 1, expected: null, index: { due: entry(partition, sort) } },
            { pk, sk: `${sort}b`, data: 1, expected: null, index: { due: entry(partition, sort) } },
            { pk, sk: `${sort}c`, data: 1, expected: null, index: { due: entry(`${partition}0`, sort) } },
          ]),
          [],
        );
        await expect.poll(() => sorts("due", partition)).toEqual(times.flatMap((sort) => [sort, sort]));
        const [from, to] = ["2026-01-03", "2026-01-06"];
        const three = ["2026-01-03", "2026-01-03", "2026-01-04", "2026-01-04", "2026-01-05", "2026-01-05"];
        expect(await sorts("due", partition, { from, to })).toEqual(three);
        expect(await sorts("due", partition, { to: from })).toEqual([
          "2026-01-01",
          "2026-01-01",
          "2026-01-02",
          "2026-01-02",
        ]);
        expect(await sorts("due", partition, { from: "2026-01-09" })).toEqual(["2026-01-09", "2026-01-09"]);
        expect(await sorts("due", partition, { from: to, to: from })).toEqual([]);
        expect(await sorts("due", partition, { from, to: from })).toEqual([]);
        for (const limit of [1, 2, 5, 6, 7]) {
          const keys = new Set<string>();
          for (let after: string | null = null; ; ) {
            const page = await store.index("due", partition, { from, to, after, limit });
            expect(page.items.length).toBe(Math.min(limit, 6 - keys.size));
            for (const item of page.items) keys.add(item.sk);
            after = page.next;
            if (after === null) break;
          }
          expect(keys.size).toBe(6);
        }
      });
    });

    describe("changes", () => {
      test("what commit put, in order per item with what was before; neither facts nor counters", async () => {
        const start = (await drain(null)).next;
        const [a, b, counter, alias] = [fresh(), fresh(), fresh("CTR"), fresh("AL")];
        await store.putAll([{ pk: alias, sk: "F#1", data: 1 }]);
        await store.commit([put(a, null, 1), put(b, null, 1)], [{ pk: counter, sk: "HELD", amount: 1n }]);
        await store.commit([put(a, 1, 2)], []);
        await store.commit([put(b, null, 9)], []); // a conflict shows nowhere
        await store.commit([put(a, 2, 3), put(b, 1, 2)], []);
        await store.commit([put(alias, 0, 2, "F#1")], []);
        const seen: Change[] = [];
        let next = start;
        await expect
          .poll(async () => {
            const page = await drain(next);
            seen.push(...page.found);
            next = page.next;
            return seen.length;
          })
          .toBe(6);
        const of = (pk: string) => seen.filter(({ key }) => key.pk === pk);
        const item = (pk: string, version: number, data: number) => ({ pk, sk: ".", version, data });
        expect(of(a)).toEqual([
          { key: { pk: a, sk: "." }, before: null, after: item(a, 1, 1) },
          { key: { pk: a, sk: "." }, before: item(a, 1, 1), after: item(a, 2, 2) },
          { key: { pk: a, sk: "." }, before: item(a, 2, 2), after: item(a, 3, 3) },
        ]);
        expect(of(b)).toEqual([
          { key: { pk: b, sk: "." }, before: null, after: item(b, 1, 1) },
          { key: { pk: b, sk: "." }, before: item(b, 1, 1), after: item(b, 2, 2) },
        ]);
        expect(of(alias)).toMatchObject([{ before: { version: 0, data: 1 }, after: { version: 1, data: 2 } }]);
        expect((await drain(next)).found).toEqual([]);
      });

      test("in pages: the cursor goes on where the page ended", async () => {
        const start = (await drain(null)).next;
        const pk = fresh();
        for (let i = 0; i < 7; i += 1) await store.commit([put(pk, i === 0 ? null : i, i)], []);
        const versions: number[] = [];
        let next = start;
        await expect
          .poll(async () => {
            const page = await store.changes(next, 2);
            expect(page.changes.length).toBeLessThanOrEqual(2);
            versions.push(...page.changes.map(({ after }) => after.version));
            next = page.next;
            return versions;
          })
          .toEqual([1, 2, 3, 4, 5, 6, 7]);
      });

      test("a cursor that is none is refused", async () => {
        await expect(store.changes("nonsense", 10)).rejects.toThrow(/is no cursor/);
        await expect(store.index("due", "p", { after: "nonsense" })).rejects.toThrow(/is no cursor/);
        await expect(store.facts("p", "F#", { after: "G#" })).rejects.toThrow(/is no cursor/);
      });
    });
  });
}
