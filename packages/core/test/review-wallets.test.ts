/** REVIEW: failing tests of the review of issue 4. */
import type { Told } from "@bursar/events/envelope";
import { expect, test } from "vitest";
import { listAlerts } from "../src/alert-book.ts";
import { createWalletKeeper } from "../src/wallet-keeper.ts";
import { memoryStore } from "./memory-store.ts";
import { at, payTo, USDC, wallet } from "./story.ts";

const CHAIN = 42161;
const W = wallet.research;
const limits = { lowUsd: 0n, emptyUsd: 0n, runwayHours: 0 };
const settled = (
  payer: string,
  n: number,
  block: number,
  blockHash: string,
  seconds: number,
  amount = "1000000",
): Told => ({
  source: { kind: "chain" },
  event: {
    type: "chain.settled",
    id: `s${n}${blockHash}`,
    at: at(seconds),
    txHash: `0x${n.toString(16).padStart(64, "0")}`,
    logIndex: 1,
    blockNumber: block,
    blockHash,
    payee: payTo.reports,
    amount,
    sharedBy: 1,
    seq: 1,
    payment: { method: "eip3009", chainId: CHAIN, asset: USDC, payer, nonce: `0x${n.toString(16).padStart(64, "0")}` },
  } as Told["event"],
});

test.each([
  ["R30 control: heard once, in one block", false],
  ["R30 a payment that moves to another block leaves the wallet once, and hides no outflow that nobody saw", true],
])("%s", async (_name, moves) => {
  const store = memoryStore();
  const keeper = createWalletKeeper({ store, chainId: CHAIN, asset: USDC, limits });
  let balance = 10_000_000n;
  const balances = {
    read: async (wallets: readonly string[], block: number, earlier: readonly number[]) => ({
      block,
      paused: false,
      hashes: new Map([block, ...earlier].map((n) => [n, `h${n}`] as const)),
      wallets: new Map(wallets.map((one) => [one, { balance, blacklisted: false }] as const)),
    }),
  };
  const owners = new Map([[W, ["research"]]]);
  await keeper.round({ scanned: 100, owners, balances }, at(0));
  // Block 102 is replaced; the transaction stands in 103 now, by the same log: superseded, no chain.orphaned is handed on
  // (watch.ts, handRange: `elsewhere`).
  keeper.heard([settled(W, 1, 102, `0x${"a".repeat(64)}`, 1)], at(1));
  if (moves) keeper.heard([settled(W, 1, 103, `0x${"b".repeat(64)}`, 2)], at(2));
  expect.soft(keeper.figures(at(2)).get(W)?.balance).toBe("9000000");
  // And a dollar leaves by no log.
  balance = 8_000_000n;
  for (const seconds of [20, 40, 60]) await keeper.round({ scanned: 100 + seconds, owners, balances }, at(seconds));
  expect((await listAlerts(store, at(60))).map(({ rule }) => rule)).toContain("unexplained_outflow");
});

test("R31 payments of outsiders are not kept in memory for ever", async () => {
  const Real = globalThis.Map;
  const made: Map<unknown, unknown>[] = [];
  class Counted<K, V> extends Real<K, V> {
    constructor(entries?: Iterable<readonly [K, V]> | null) {
      super(entries);
      made.push(this as Map<unknown, unknown>);
    }
  }
  globalThis.Map = Counted as unknown as MapConstructor;
  try {
    const keeper = createWalletKeeper({ store: memoryStore(), chainId: CHAIN, asset: USDC, limits });
    // 30,000 outsiders pay our API, once each: facts of stragglers.ts, readUnread.
    for (let n = 0; n < 30_000; n++)
      keeper.heard(
        [settled(`0x${n.toString(16).padStart(40, "0")}`, n, 100 + n, `0x${n.toString(16).padStart(64, "0")}`, 1)],
        at(1),
      );
  } finally {
    globalThis.Map = Real;
  }
  expect(Math.max(...made.map(({ size }) => size))).toBeLessThan(25_000);
});
