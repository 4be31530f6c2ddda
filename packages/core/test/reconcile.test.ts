/** One day's balance: stories told into the table, and a chain that says the same, or not. */
import type { Told } from "@bursar/events/envelope";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ChainDay, type ChainMovement, dayBefore, dayNamed, dayOf } from "../src/chain-day.ts";
import { correlate } from "../src/correlate.ts";
import { type DayBooks, type DayPayment, lookUpPayments, readDayBooks } from "../src/day-books.ts";
import { type Reconciliation, reconcile, unbooked } from "../src/reconcile.ts";
import { worldOf } from "../src/world.ts";
import { emptyMemory, type Memory, memoryStore } from "./memory-store.ts";
import {
  agent,
  answered,
  api,
  at,
  config,
  hash,
  honest,
  idOf,
  key,
  LATE,
  offer,
  payTo,
  settled,
  signed,
  transferred,
  verified,
  wallet,
} from "./story.ts";

const DAY = dayOf(at(0));
const movement = (nonce: string, fields: Partial<ChainMovement> = {}): ChainMovement => ({
  id: idOf(nonce),
  wallet: wallet.research,
  payee: payTo.reports,
  amount: 1000n,
  at: at(3),
  blockNumber: 103,
  txHash: hash("5"),
  ...fields,
});
const chainOf = (movements: readonly ChainMovement[], fields: Partial<ChainDay> = {}): ChainDay => ({
  blocks: { from: 50, to: 9999 },
  endAt: at(3600),
  isOver: true,
  unread: 0,
  movements,
  balances: null,
  unproved: "no archive",
  ...fields,
});

/** What the day comes to after a story, with a chain of its own. */
async function dayAfter(
  story: readonly Told[],
  chain: ChainDay | null,
  memory: Memory = emptyMemory(),
): Promise<Reconciliation> {
  const store = memoryStore(memory);
  const world = worldOf(config, new Map());
  for (const one of story) await correlate(store, world, [one], LATE);
  const books = await readDayBooks(store, world, LATE, DAY);
  const table = await lookUpPayments(store, world, LATE, chain === null ? [] : unbooked(books, chain));
  return reconcile({ books, chain, table, sessions: [] });
}
const once = (amount = "1000") => ({ count: 1, amount });
const none = { count: 0, amount: "0" };

describe("chain and books", () => {
  test("are equal to the unit where everybody tells the same", async () => {
    const found = await dayAfter(honest("1", "5"), chainOf([movement("1")]));
    expect(found).toMatchObject({ day: "2026-11-20", equal: true, differences: [], saidOtherwise: [], breaks: [] });
    expect(found.total).toEqual({
      agent: once(),
      api: once(),
      chain: once(),
      books: once(),
      difference: "0",
      agentSilent: none,
      apiSilent: none,
      elsewhere: none,
      held: none,
    });
    expect(found.wallets).toMatchObject([
      { wallet: wallet.research, agentIds: ["research"], difference: "0", books: once() },
      { wallet: wallet.trader, difference: "0", books: none },
    ]);
    expect(found.agents.map(({ agentId, books }) => [agentId, books.amount])).toEqual([
      ["research", "1000"],
      ["trader", "0"],
    ]);
    expect(found.counters).toEqual({ checked: 2, wrong: [] });
  });

  test("differ by what is on the chain and not in the table", async () => {
    const found = await dayAfter(honest("1", "5"), chainOf([movement("1"), movement("2", { amount: 7n })]));
    expect(found.equal).toBe(false);
    expect(found.total).toMatchObject({ difference: "7" });
    expect(found.differences).toEqual([
      {
        kind: "missing_in_books",
        id: idOf("2"),
        wallet: wallet.research,
        agentIds: ["research"],
        chain: "7",
        books: null,
        at: at(3),
        blockNumber: 103,
        txHash: hash("5"),
        table: null,
      },
    ]);
  });

  test("differ by what the table has only as signed, and say so", async () => {
    const found = await dayAfter([signed("1", 0)], chainOf([movement("1")]));
    expect(found.differences).toMatchObject([
      { kind: "missing_in_books", books: null, table: { state: "signed", bookedAt: null } },
    ]);
  });

  test("differ by what is in the table and not on the chain", async () => {
    const found = await dayAfter(honest("1", "5"), chainOf([]));
    expect(found.total).toMatchObject({ difference: "-1000" });
    expect(found.differences).toMatchObject([
      { kind: "missing_on_chain", id: idOf("1"), chain: null, books: "1000", at: at(3), blockNumber: 103 },
    ]);
  });

  test("differ by one unit", async () => {
    const found = await dayAfter(honest("1", "5"), chainOf([movement("1", { amount: 1001n })]));
    expect(found.differences).toMatchObject([{ kind: "amount", chain: "1001", books: "1000" }]);
    expect(found.wallets[0]).toMatchObject({ difference: "1" });
  });

  test("differ by what the table has booked on another day, and by a block that is of another day", async () => {
    const dayLater = 86_400;
    const story = [signed("1", 0), settled("1", "5", dayLater)];
    const elsewhere = await dayAfter(story, chainOf([movement("1")]));
    expect(elsewhere.differences).toMatchObject([
      { kind: "another_day", chain: "1000", books: null, table: { bookedAt: at(dayLater) } },
    ]);
    const outside = await dayAfter(honest("1", "5"), chainOf([], { blocks: { from: 200, to: 300 } }));
    expect(outside.differences).toMatchObject([{ kind: "another_day", chain: null, books: "1000" }]);
  });

  test("compare nothing behind the last block that was read, while the day is not over or not read", async () => {
    const story = [...honest("1", "5"), settled("2", "6", 30, { blockNumber: 130 })];
    const blocks = { from: 50, to: 120 };
    for (const fields of [{ isOver: false }, { isOver: true, unread: 10 }]) {
      const found = await dayAfter(story, chainOf([movement("1")], { blocks, ...fields }));
      expect(found).toMatchObject({ equal: true, after: once(), total: { books: once() } });
    }
    const over = await dayAfter(story, chainOf([movement("1")], { blocks }));
    expect(over).toMatchObject({ equal: false, after: none, differences: [{ kind: "another_day" }] });
    const unseen = await dayAfter(story, chainOf([], { blocks: null, isOver: false }));
    expect(unseen).toMatchObject({ equal: true, after: { count: 2, amount: "2000" } });
  });

  test("are not compared where the chain was not asked", async () => {
    const found = await dayAfter(honest("1", "5"), null);
    expect(found).toMatchObject({ equal: null, chain: null, differences: [] });
    expect(found.total).toMatchObject({ chain: null, difference: null, books: once() });
  });

  test("take a plain transfer as a payment of its own", async () => {
    const id = `transfer:42161:${hash("7")}:4`;
    const found = await dayAfter([transferred("7", 4, 3)], chainOf([movement("x", { id })]));
    expect(found).toMatchObject({ equal: true, breaks: [{ rule: "shadow_spend", count: 1, amount: "1000" }] });
    expect(found.total).toMatchObject({ agentSilent: once(), apiSilent: once() });
  });

  const small = fc.integer({ min: 0, max: 5 });
  test("differ, for every wallet, by the sum of the differences that are named", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(small, small, small, small), { maxLength: 12 }), (draws) => {
        const payments: DayPayment[] = [];
        const movements: ChainMovement[] = [];
        for (const [i, [where, amount, other, owner]] of draws.entries()) {
          const id = `eip3009:42161:a:b:${i}`;
          const [own, its] = [`w${owner % 2}`, `w${other % 2}`];
          if (where < 4)
            payments.push({
              ...{ id, wallet: own, agentIds: [], apiId: null, state: "settled", breaks: [], agentSaid: null },
              ...{ apiSaid: null, apiShould: false, held: 0n, heldUntil: null },
              booked: { at: at(i), blockNumber: 100 + i, amount: BigInt(amount) },
            });
          if (where > 1) movements.push(movement("x", { id, wallet: its, amount: BigInt(other) }));
        }
        const wallets = new Map(["w0", "w1"].map((one) => [one, ["a", "b"]]));
        const books: DayBooks = { day: DAY, wallets, payments, counters: [] };
        const found = reconcile({ books, chain: chainOf(movements), table: new Map(), sessions: [] });
        for (const { wallet: one, difference } of [...found.wallets, { wallet: null, ...found.total }]) {
          const named = found.differences.filter((each) => one === null || each.wallet === one);
          const sum = named.reduce((all, { chain, books: kept }) => all + BigInt(chain ?? 0) - BigInt(kept ?? 0), 0n);
          expect(difference).toBe(sum.toString());
        }
        expect(found.equal).toBe(found.differences.length === 0);
      }),
    );
  });
});

describe("stories", () => {
  test("of silent agents and APIs, and of APIs that are not ours", async () => {
    const story = [
      verified("1", 1),
      settled("1", "5", 3),
      signed("2", 0, {}),
      settled("2", "6", 3),
      signed("3", 0, { payTo: payTo.stranger }),
      settled("3", "7", 3, { payee: payTo.stranger }),
    ];
    const { total } = await dayAfter(story, null);
    expect(total).toMatchObject({ agentSilent: once(), apiSilent: once(), elsewhere: once() });
    expect(total).toMatchObject({ agent: { count: 2, amount: "2000" }, api: once(), books: { count: 3 } });
  });

  test("count a maximum that was signed as what settled, and another amount as what was said", async () => {
    const most = { amount: "2000", accepted: { ...offer("2000"), scheme: "upto" } };
    const upto = await dayAfter([signed("1", 0, most), settled("1", "5", 3)], null);
    expect(upto).toMatchObject({ total: { agent: once() }, saidOtherwise: [] });
    const exact = await dayAfter([signed("1", 0, { amount: "2000" }), settled("1", "5", 3)], null);
    expect(exact).toMatchObject({
      total: { agent: once("2000"), books: once() },
      saidOtherwise: [{ id: idOf("1"), agent: "2000", api: null, booked: "1000" }],
      breaks: [{ rule: "amount_mismatch" }, { rule: "unreported_by_api" }],
    });
  });

  test("that something was paid, which neither chain nor books have", async () => {
    const story = [
      signed("1", 0),
      verified("1", 1),
      answered("1", 5, { txHash: hash("5") }),
      api("reports")("transaction_confirmed", 5, { payment: key("1"), txHash: hash("5") }),
    ];
    const found = await dayAfter(story, chainOf([]));
    expect(found).toMatchObject({
      equal: true,
      total: { agent: once(), api: once(), chain: none, books: none },
      saidOtherwise: [{ id: idOf("1"), state: "submitted", agent: "1000", api: "1000", booked: null }],
      breaks: [{ rule: "not_on_chain", count: 1, amount: "1000" }],
    });
  });

  test("of what was signed that day and may still settle", async () => {
    const found = await dayAfter([signed("1", 0), signed("2", -86_400)], chainOf([]));
    expect(found).toMatchObject({ total: { held: once(), agent: none }, saidOtherwise: [] });
    expect(found.heldUntil).toBe(new Date(1795172400 * 1000).toISOString());
  });

  test("of outsiders who pay our APIs stand apart", async () => {
    const story = [verified("1", 1, {}, "reports", wallet.nobody), settled("1", "5", 3, {}, wallet.nobody)];
    const found = await dayAfter(story, chainOf([]));
    expect(found).toMatchObject({ equal: true, outsiders: once(), total: { books: none } });
  });

  test("of a wallet that two agents claim count for both, and once in all", async () => {
    const drifters = [signed("1", 0, {}, "drifter", wallet.nobody), signed("1", 1, {}, "other", wallet.nobody)];
    const paid = [...drifters, settled("1", "5", 3, {}, wallet.nobody)];
    const id = idOf("1", wallet.nobody);
    const found = await dayAfter(paid, chainOf([movement("1", { id, wallet: wallet.nobody })]));
    expect(found).toMatchObject({ equal: true, total: { books: once() } });
    expect(found.agents.filter(({ books }) => books.count > 0).map(({ agentId }) => agentId)).toEqual([
      "drifter",
      "other",
    ]);
    expect(found.counters).toEqual({ checked: 3, wrong: [] });
  });

  test("of an agent that only failed are no payment", async () => {
    const failed = agent("research")("payment_failed", 0, { requestId: "r", reason: "other", message: "no" });
    expect((await dayAfter([failed], chainOf([]))).total).toMatchObject({ agent: none, held: none });
  });
});

describe("proofs", () => {
  const balances = new Map([
    [wallet.research, { opening: 5000n, incoming: 300n, closing: 4300n }],
    [wallet.trader, { opening: 1n, incoming: 0n, closing: 1n }],
  ]);

  test("by USDC's own balances", async () => {
    const found = await dayAfter(honest("1", "5"), chainOf([movement("1")], { balances, unproved: null }));
    expect(found.equal).toBe(true);
    expect(found.wallets[0]?.usdc).toEqual({
      opening: "5000",
      incoming: "300",
      outgoing: "1000",
      closing: "4300",
      unexplained: "0",
    });
  });

  test("fail where chain and books agree and the balances do not", async () => {
    const found = await dayAfter([], chainOf([], { balances, unproved: null }));
    expect(found).toMatchObject({ equal: false, differences: [] });
    expect(found.wallets.map(({ usdc }) => usdc?.unexplained)).toEqual(["-1000", "0"]);
  });

  test("take what a wallet pays to itself for no change of its balance", async () => {
    const own = { payee: wallet.research };
    const same = new Map([[wallet.research, { opening: 9n, incoming: 0n, closing: 9n }]]);
    const found = await dayAfter([], chainOf([movement("1", own)], { balances: same, unproved: null }));
    expect(found.wallets[0]?.usdc?.unexplained).toBe("0");
  });

  test("of the counters: one that is not the sum of its payments is named", async () => {
    const memory = emptyMemory();
    await dayAfter(honest("1", "5"), null, memory);
    for (const name of [...memory.counters.keys()].filter((one) => /^CTR\d?#agent:research/.test(one)))
      memory.counters.set(name, (memory.counters.get(name) ?? 0n) + 5n);
    const found = await dayAfter([], chainOf([movement("1")]), memory);
    expect(found.equal).toBe(false);
    expect(found.counters.wrong).toEqual([
      { counter: `spent|agent:research|day|${DAY.start}`, kept: "1005", counted: "1000" },
    ]);
  });

  test("of a counter that moves while the payments are read are none", () => {
    const of = (before: bigint, after: bigint, sum: bigint) => {
      const counters = [{ counter: "c", before, after, sum }];
      const books: DayBooks = { day: DAY, wallets: new Map(), payments: [], counters };
      return reconcile({ books, chain: null, table: new Map(), sessions: [] }).counters.wrong.length;
    };
    expect([of(1n, 3n, 2n), of(3n, 1n, 2n), of(1n, 3n, 1n), of(1n, 3n, 3n)]).toEqual([0, 0, 0, 0]);
    expect([of(1n, 3n, 0n), of(1n, 3n, 4n), of(2n, 2n, 3n)]).toEqual([1, 1, 1]);
  });
});

test("days are UTC, half open, and of the calendar", () => {
  expect(dayNamed("2026-11-20")).toEqual({
    name: "2026-11-20",
    start: "2026-11-20T00:00:00.000Z",
    end: "2026-11-21T00:00:00.000Z",
  });
  expect(["2026-02-29", "2026-13-01", "20261120", "", "2026-11-20T00"].map(dayNamed)).toEqual(Array(5).fill(null));
  expect(dayBefore(dayOf("2026-03-01T12:00:00.000Z")).name).toBe("2026-02-28");
});
