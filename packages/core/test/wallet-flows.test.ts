/** What left the wallets, by the last word about each log: whatever the order, and however much there is. */
import type { EventOf } from "@bursar/events/contract";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  EARLY_MAX,
  type Flows,
  HEARD_MAX,
  hear,
  keepEarly,
  leftBetween,
  noFlows,
  type Outflow,
  takeBack,
  takeUp,
} from "../src/wallet-flows.ts";
import { at, hash, wallet } from "./story.ts";

const A = wallet.research;
const PAYMENT = { method: "transfer", chainId: 42161, txHash: hash("e"), logIndex: 0 } as const;
const blockHash = (block: number): string => `0x${block.toString(16).padStart(64, "d")}`;
const outflow = (fields: Partial<Outflow> = {}): Outflow => {
  const { block = 1 } = fields;
  const log = `${hash("e")}:0`;
  return { wallet: A, amount: 5n, block, blockHash: blockHash(block), at: at(block), log, seq: 1, ...fields };
};
const goneFrom = (block: number, seq: number): EventOf<"chain.orphaned"> => ({
  ...{ type: "chain.orphaned", id: `o${block} ${seq}`, at: at(0), txHash: hash("e"), logIndex: 0 },
  ...{ payment: PAYMENT, blockHash: blockHash(block), seq },
});
const blocksOf = (flows: Flows): [number, bigint][] => [...(flows.byWallet.get(A) ?? [])];

describe("one payment in several blocks", () => {
  test("stands in the last one alone, in whatever order and however often its facts are handed on", () => {
    const block = fc.integer({ min: 1, max: 4 });
    const steps = fc.array(fc.record({ block, isGone: fc.boolean() }), { maxLength: 8 });
    const order = fc.array(fc.nat(), { minLength: 18, maxLength: 18 });
    const law = fc.property(steps, block, order, (before, last, places) => {
      const words = [
        ...before.map((one, seq) => (one.isGone ? goneFrom(one.block, seq) : outflow({ block: one.block, seq }))),
        outflow({ block: last, seq: before.length }),
      ];
      const told = [...words, ...words].map((word, i) => ({ word, place: places[i] ?? 0 }));
      told.sort((a, b) => a.place - b.place);
      const flows = noFlows();
      for (const { word } of told) {
        if ("log" in word) hear(flows, word);
        else takeBack(flows, word);
      }
      expect(blocksOf(flows)).toEqual([[last, 5n]]);
    });
    fc.assert(law);
  });

  test("leaves what else its old block holds", () => {
    const flows = noFlows();
    hear(flows, outflow());
    hear(flows, outflow({ log: "another", amount: 3n }));
    expect(hear(flows, outflow({ block: 2, seq: 2 }))?.before?.block).toBe(1);
    expect(blocksOf(flows)).toEqual([
      [1, 3n],
      [2, 5n],
    ]);
  });

  test("is taken back by a word about its own block alone, however late that is", () => {
    const flows = noFlows();
    hear(flows, outflow({ block: 1, seq: 1 }));
    hear(flows, outflow({ block: 2, seq: 3 }));
    expect(takeBack(flows, goneFrom(1, 9))).toBeNull();
    expect(blocksOf(flows)).toEqual([[2, 5n]]);
    expect(takeBack(flows, { ...goneFrom(2, 9), logIndex: 1 })).toBeNull();
    expect(takeBack(flows, goneFrom(2, 2))).toBeNull();
    expect(takeBack(flows, goneFrom(2, 9))?.block).toBe(2);
    expect(blocksOf(flows)).toEqual([]);
  });

  test("of one pass is settled in the later one, as in the books", () => {
    const flows = noFlows();
    hear(flows, outflow({ block: 2 }));
    expect(hear(flows, outflow({ block: 1 }))).toBeNull();
    expect(hear(flows, outflow({ block: 3 }))).not.toBeNull();
    expect(blocksOf(flows)).toEqual([[3, 5n]]);
  });
});

describe("what is kept is bounded", () => {
  const name = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;

  test("of logs the latest are remembered", () => {
    const flows = noFlows();
    for (let n = 0; n < HEARD_MAX + 1000; n++) hear(flows, outflow({ log: `${n}`, block: n }));
    for (let n = 0; n < 1000; n++) takeBack(flows, { ...goneFrom(n, 2), logIndex: n });
    expect(flows.heard.size).toBeLessThanOrEqual(HEARD_MAX);
    expect(hear(flows, outflow({ log: `${HEARD_MAX}`, block: HEARD_MAX }))).toBeNull();
    expect(leftBetween(flows, A, -1, null)).toBe(5n * BigInt(HEARD_MAX + 1000));
    expect(blocksOf(flows).length).toBeLessThanOrEqual(10_000);
  });

  test("of wallets that nobody holds the latest outflows wait, until the next round takes up what is somebody's", () => {
    const flows = noFlows();
    for (let n = 0; n < 3 * EARLY_MAX; n++) keepEarly(flows, outflow({ wallet: name(n), log: `${n}`, block: n }));
    expect(flows.early.size).toBeLessThanOrEqual(EARLY_MAX);
    expect([flows.byWallet.size, flows.heard.size]).toEqual([0, 0]);
    const last = name(3 * EARLY_MAX - 1);
    expect(takeUp(flows, (one) => one === last || one === name(0)).map((one) => one.wallet)).toEqual([last]);
    expect(flows.early.size).toBe(0);
  });

  test("an outflow that moves while it waits waits in its last block", () => {
    const flows = noFlows();
    for (const [block, seq] of [
      [1, 1],
      [2, 3],
      [1, 1],
    ] as const)
      keepEarly(flows, outflow({ block, seq }));
    expect(takeUp(flows, () => true).map(({ block }) => block)).toEqual([2]);
  });

  test("wallets that are let go are forgotten", () => {
    const flows = noFlows();
    hear(flows, outflow());
    hear(flows, outflow({ wallet: wallet.trader, log: "another" }));
    takeUp(flows, (one) => one === A);
    expect([...flows.byWallet.keys()]).toEqual([A]);
  });
});
