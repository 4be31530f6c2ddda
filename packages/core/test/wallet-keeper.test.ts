/** The wallets' keeper over a model of a chain: what it reads when, what it writes, what it tells, and what it survives. */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listAlerts } from "../src/alert-book.ts";
import type { BalanceReading, Balances } from "../src/ports.ts";
import { HEARD_MAX } from "../src/wallet-flows.ts";
import { listedWallets, readWallets, walletKey } from "../src/wallet-items.ts";
import { createWalletKeeper } from "../src/wallet-keeper.ts";
import { emptyMemory, memoryStore } from "./memory-store.ts";
import { agent, at, hash, payTo, USDC, wallet } from "./story.ts";

const CHAIN = 42161;
const LIMITS = { lowUsd: 1_000_000n, emptyUsd: 10_000n, runwayHours: 0 };
const [A, B] = [wallet.research, wallet.trader];
const OWNERS = new Map<string, readonly string[]>([
  [A, ["research"]],
  [B, ["trader"]],
]);

/** A chain of blocks that each move money, the facts of what left, and the balances at any of its blocks. */
function chain(start: { readonly [address: string]: bigint }) {
  let blocks: { hash: string; balances: Map<string, bigint> }[] = [
    { hash: hash("0"), balances: new Map(Object.entries(start)) },
  ];
  let made = 0;
  let paid = 0;
  const flags = { paused: false as boolean | null, blacklisted: new Set<string>(), down: false };
  const asked: { wallets: number; block: number }[] = [];
  const head = () => blocks[blocks.length - 1] as (typeof blocks)[number];
  const block = (change: (balances: Map<string, bigint>) => void): number => {
    const balances = new Map(head().balances);
    change(balances);
    made += 1;
    blocks.push({ hash: `0x${made.toString(16).padStart(64, "d")}`, balances });
    return blocks.length - 1;
  };
  const move = (address: string, amount: bigint): number =>
    block((balances) => balances.set(address, (balances.get(address) ?? 0n) + amount));
  const balances: Balances = {
    async read(wallets, number, earlier): Promise<BalanceReading> {
      if (flags.down) throw new Error("no node answers");
      asked.push({ wallets: wallets.length, block: number });
      const there = blocks[number];
      if (there === undefined) throw new Error(`no block ${number}`);
      const known = [number, ...earlier].flatMap((each) => {
        const one = blocks[each];
        return one === undefined ? [] : [[each, one.hash] as const];
      });
      return {
        block: number,
        hashes: new Map(known),
        paused: flags.paused,
        wallets: new Map(
          wallets.map((address) => [
            address,
            { balance: there.balances.get(address) ?? 0n, blacklisted: flags.blacklisted.has(address) },
          ]),
        ),
      };
    },
  };
  return {
    flags,
    asked,
    balances,
    get height() {
      return blocks.length - 1;
    },
    get hash() {
      return head().hash;
    },
    balanceOf: (address: string) => head().balances.get(address) ?? 0n,
    income: (address: string, amount: bigint) => move(address, amount),
    /** USDC leaves, by a new transaction or by one that a reorg put here; the fact that the watcher makes of it. */
    pay(address: string, amount: bigint, seconds: number, payee = payTo.reports, { tx = ++paid, seq = 1 } = {}): Told {
      const number = payee === address ? block(() => {}) : move(address, -amount);
      const where = { txHash: txHash(tx), blockNumber: number, blockHash: head().hash, seq };
      return transferred({ payer: address, payee, amount: amount.toString(), at: at(seconds), ...where });
    },
    /** The word that the transaction of the newest block is gone from it. */
    takenBack(tx: number, seq: number): Told {
      return takenBack(tx, head().hash, seq);
    },
    cut(to: number): void {
      blocks = blocks.slice(0, to + 1);
    },
  };
}

type Transferred = EventOf<"chain.transferred">;
const transferred = (
  fact: Pick<Transferred, "payer" | "payee" | "amount" | "at" | "txHash" | "blockNumber" | "blockHash" | "seq">,
): Told => ({
  source: { kind: "chain" },
  event: {
    ...{ type: "chain.transferred", id: `${fact.txHash} ${fact.blockHash}`, chainId: CHAIN, asset: USDC, logIndex: 0 },
    ...fact,
  },
});
const txHash = (tx: number): string => `0x${tx.toString(16).padStart(64, "e")}`;
const takenBack = (tx: number, blockHash: string, seq: number): Told => ({
  source: { kind: "chain" },
  event: {
    ...{
      type: "chain.orphaned",
      id: `o${tx} ${blockHash}`,
      at: at(0),
      txHash: txHash(tx),
      logIndex: 0,
      blockHash,
      seq,
    },
    payment: { method: "transfer", chainId: CHAIN, txHash: txHash(tx), logIndex: 0 },
  },
});
/** Of a payment that nobody heard of. */
const orphaned = takenBack(0xff, hash("d"), 2);
const reverted = (reason: string): Told => ({
  source: { kind: "chain" },
  event: { type: "chain.reverted", id: "r", at: at(0), chainId: CHAIN, txHash: hash("f"), blockNumber: 1, reason },
});

function keeping(start: { readonly [address: string]: bigint } = { [A]: 5_000_000n, [B]: 5_000_000n }) {
  const memory = emptyMemory();
  const store = memoryStore(memory);
  const on = chain(start);
  const fresh = () => createWalletKeeper({ store, chainId: CHAIN, asset: USDC, limits: LIMITS });
  let keeper = fresh();
  return {
    on,
    store,
    memory,
    restart() {
      keeper = fresh();
    },
    hear: (told: readonly Told[], seconds: number) => keeper.heard(told, at(seconds)),
    round: (seconds: number, owners = OWNERS, balances = on.balances) =>
      keeper.round({ scanned: on.height, owners, balances }, at(seconds)),
    /** A round whose logs were read up to this block. */
    roundAt: (scanned: number, seconds: number) =>
      keeper.round({ scanned, owners: OWNERS, balances: on.balances }, at(seconds)),
    figures: (seconds: number) => keeper.figures(at(seconds)),
    async alerts(seconds: number): Promise<string[]> {
      const alerts = await listAlerts(store, at(seconds));
      return alerts.map(({ rule, subject, status, count }) => `${rule} ${subject} ${status} ${count}`).sort();
    },
  };
}

describe("when balances are read and written", () => {
  test("all at once at the start, then every ten seconds in one reading, not with each round", async () => {
    const k = keeping();
    for (let second = 0; second <= 20; second++) await k.round(second);
    expect(k.on.asked).toEqual([
      { wallets: 2, block: 0 },
      { wallets: 2, block: 0 },
      { wallets: 2, block: 0 },
    ]);
  });

  test("a wallet that came is read at once, alone", async () => {
    const k = keeping();
    await k.round(0, new Map([[A, ["research"]]]));
    await k.round(1);
    expect(k.on.asked.map(({ wallets }) => wallets)).toEqual([1, 1]);
  });

  test("in between, what left is taken off, and a wallet that this takes below a limit is read at once", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([k.on.pay(A, 100_000n, 1)], 1);
    await k.round(1);
    expect(k.on.asked).toHaveLength(1);
    expect(k.figures(1).get(A)).toMatchObject({ balance: "4900000", status: "ok", updatedAt: at(0) });
    k.hear([k.on.pay(A, 4_000_000n, 2)], 2);
    await k.round(2);
    expect(k.on.asked[1]).toEqual({ wallets: 1, block: 2 });
    expect(k.figures(2).get(A)).toMatchObject({ balance: "900000", status: "low", updatedAt: at(2) });
    await k.round(3);
    expect(k.on.asked).toHaveLength(2);
  });

  test("an item is written when something that people see changed, else once a minute at most", async () => {
    const k = keeping();
    for (let second = 0; second <= 120; second++) {
      k.hear([k.on.pay(A, 100n, second)], second);
      await k.round(second);
    }
    const writes = k.memory.feed.filter(({ key }) => key.pk.endsWith(A)).length;
    expect(writes).toBeGreaterThanOrEqual(3);
    expect(writes).toBeLessThanOrEqual(4);
    expect(k.memory.feed.filter(({ key }) => key.pk.endsWith(B))).toHaveLength(1);
  });

  test("a reading that fails is no zero: nothing changes, and it is asked for again a little later", async () => {
    const k = keeping();
    await k.round(0);
    k.on.flags.down = true;
    await expect(k.round(10)).rejects.toThrow("no node answers");
    await k.round(11);
    expect(k.figures(11).get(A)).toMatchObject({ balance: "5000000", status: "ok", updatedAt: at(0) });
    k.on.flags.down = false;
    await k.round(16);
    expect(k.figures(16).get(A)?.updatedAt).toBe(at(16));
  });
});

describe("alerts", () => {
  test("low, empty and refilled, each told once", async () => {
    const k = keeping();
    const moved: string[] = [];
    const told: string[] = [];
    const step = async (second: number) => {
      const { alerts, moved: some } = await k.round(second);
      for (const { wallet: one, before } of some)
        if (one.address === A && one.status !== before?.status) moved.push(`${before?.status} ${one.status}`);
      told.push(...alerts.map(({ rule, status }) => `${rule} ${status}`));
    };
    await step(0);
    k.hear([k.on.pay(A, 4_500_000n, 1)], 1);
    await step(1);
    k.hear([k.on.pay(A, 500_000n, 2)], 2);
    await step(2);
    for (let second = 3; second < 40; second++) await step(second);
    k.on.income(A, 9_000_000n);
    for (let second = 40; second < 60; second++) await step(second);
    const [kept] = await k.store.get([walletKey(CHAIN, A)]);
    expect(kept?.data).toMatchObject({ standing: {}, untold: [] });
    expect(moved).toEqual(["undefined ok", "ok low", "low empty", "empty ok"]);
    expect(told).toEqual(["wallet_low open", "wallet_empty open", "wallet_low resolved", "wallet_empty resolved"]);
    const [low] = (await listAlerts(k.store, at(60))).filter(({ rule }) => rule === "wallet_low");
    expect(low).toMatchObject({ id: `wallet_low/wallet:${A}/-`, severity: "warning" });
    expect(low?.text).toContain("was refilled: it holds $9.00");
  });

  test("a wallet that becomes low again opens its alert again", async () => {
    const k = keeping();
    await k.round(0);
    for (const second of [10, 20]) {
      k.hear([k.on.pay(A, k.on.balanceOf(A) - 500_000n, second)], second);
      await k.round(second);
      k.on.income(A, 5_000_000n);
      await k.round(second + 10);
    }
    expect(await k.alerts(40)).toEqual([`wallet_low wallet:${A} resolved 2`]);
  });

  test("a token that is paused is one alert, and a blacklisted wallet its own; both end", async () => {
    const k = keeping();
    await k.round(0);
    k.on.flags.paused = true;
    k.on.flags.blacklisted.add(A);
    await k.round(10);
    expect(await k.alerts(10)).toEqual([`token_paused token:${USDC} open 1`, `wallet_blacklisted wallet:${A} open 1`]);
    expect(k.figures(10).get(A)?.blocked).toBe("blacklisted");
    expect(k.figures(10).get(B)?.blocked).toBe("paused");
    k.restart();
    await k.round(12);
    expect((await k.round(13)).alerts).toEqual([]);
    k.on.flags.paused = false;
    k.on.flags.blacklisted.clear();
    await k.round(22);
    expect(await k.alerts(22)).toEqual([
      `token_paused token:${USDC} resolved 1`,
      `wallet_blacklisted wallet:${A} resolved 1`,
    ]);
    expect(k.figures(22).get(B)).not.toHaveProperty("blocked");
  });

  test("a revert that names the blacklist or the pause has the flags read soon; another revert has not", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([reverted("ERC20: transfer amount exceeds balance")], 6);
    await k.round(6);
    expect(k.on.asked).toHaveLength(1);
    k.on.flags.paused = true;
    k.hear([reverted("Pausable: paused")], 7);
    await k.round(7);
    expect(await k.alerts(7)).toEqual([`token_paused token:${USDC} open 1`]);
    k.hear([reverted("Pausable: paused")], 13);
    await k.round(13);
    expect(k.on.asked).toHaveLength(2);
    k.hear([reverted("Blacklistable: account is blacklisted")], 14);
    await k.round(14);
    expect(k.on.asked).toHaveLength(3);
  });

  test("a payment that failed for want of USDC has its agent's wallet read soon, and proves nothing by itself", async () => {
    const k = keeping();
    await k.round(0);
    const failed = (by: string, reason: string) =>
      agent(by)("payment_failed", 0, { requestId: "r1", reason, message: "insufficient funds" });
    k.hear([failed("research", "other")], 6);
    await k.round(6);
    expect(k.on.asked).toHaveLength(1);
    k.hear([failed("research", "insufficient_funds")], 7);
    for (const second of [7, 8, 9]) {
      k.hear([failed("research", "insufficient_funds")], second);
      await k.round(second);
    }
    expect(k.on.asked.slice(1)).toEqual([{ wallets: 1, block: 0 }]);
    expect(await k.alerts(9)).toEqual([]);
    k.on.pay(A, 5_000_000n, 9); // the logs are late
    k.hear([failed("research", "insufficient_funds")], 12);
    await k.round(12);
    expect((await k.alerts(12)).filter((alert) => alert.startsWith("wallet_empty"))).toHaveLength(1);
  });

  test("USDC that left by no movement that was heard of is told, with its amount", async () => {
    const k = keeping();
    await k.round(0);
    const unseen = k.on.pay(A, 700_000n, 1);
    k.hear([k.on.pay(A, 300_000n, 2)], 2);
    await k.round(10);
    expect(await k.alerts(10)).toEqual([]);
    await k.round(20);
    expect(await k.alerts(20)).toEqual([`unexplained_outflow wallet:${A} open 1`]);
    expect((await listAlerts(k.store, at(20)))[0]?.text).toContain(`$0.70 left wallet ${A} of research`);
    k.hear([unseen], 25);
    expect(k.figures(25).get(A)?.balance).toBe("4000000"); // the reading holds it already
    await k.round(30);
    expect(await k.alerts(30)).toEqual([`unexplained_outflow wallet:${A} resolved 1`]);
  });

  test("a wallet that is taken out of the config ends its alerts and leaves the list; put back, it is there again", async () => {
    const k = keeping({ [A]: 0n, [B]: 5_000_000n });
    await k.round(0);
    const without = new Map([[B, ["trader"]]]);
    k.restart(); // the config changes between two starts
    await k.round(10, without);
    expect(await k.alerts(10)).toEqual([`wallet_empty wallet:${A} resolved 1`]);
    const listed = async () => {
      const found: string[] = [];
      for await (const { address } of listedWallets(k.store, CHAIN)) found.push(address);
      return found;
    };
    expect(await listed()).toEqual([B]);
    await k.round(20);
    expect(await listed()).toEqual([A, B]);
    expect(await k.alerts(20)).toEqual([`wallet_empty wallet:${A} open 2`]);
  });
});

describe("restarts and crashes", () => {
  test("a restart goes on from the item: hysteresis, burn and alerts are as before", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([k.on.pay(A, 4_500_000n, 1)], 1);
    await k.round(1);
    k.restart();
    k.on.income(A, 600_000n); // $1.10: above the limit, below where it would be ok again
    const { moved } = await k.round(2);
    expect(moved.map(({ wallet: one, before }) => [one.status, before?.status])).toContainEqual(["low", "low"]);
    expect(k.figures(2).get(A)).toMatchObject({ status: "low", balance: "1100000" });
    expect(k.figures(2).get(A)?.runwaySeconds).toBe(
      (1_100_000 * 600) / 4_500_000 - ((1_100_000 * 600) % 4_500_000) / 4_500_000,
    );
    expect(await k.alerts(2)).toEqual([`wallet_low wallet:${A} open 1`]);
  });

  test("what left while nobody listened is no unexplained outflow", async () => {
    const k = keeping();
    await k.round(0);
    k.restart();
    k.on.pay(A, 1_000_000n, 1);
    await k.round(10);
    await k.round(20);
    expect(await k.alerts(20)).toEqual([]);
  });

  test("a crash at any write loses no alert and tells none twice", async () => {
    for (let crash = 0; crash < 12; crash++) {
      const memory = emptyMemory();
      let writes = Number.POSITIVE_INFINITY;
      const store = memoryStore(memory, async (step) => {
        if (step === "commit" && writes-- <= 0) throw new Error("died");
      });
      const on = chain({ [A]: 5_000_000n, [B]: 0n });
      const keeper = () => createWalletKeeper({ store, chainId: CHAIN, asset: USDC, limits: LIMITS });
      const round = (one: ReturnType<typeof keeper>, seconds: number) =>
        one.round({ scanned: on.height, owners: OWNERS, balances: on.balances }, at(seconds));
      const first = keeper();
      await round(first, 0);
      first.heard([on.pay(A, 4_500_000n, 1)], at(1));
      on.income(B, 7_000_000n);
      writes = crash;
      await round(first, 10).catch(() => {});
      writes = Number.POSITIVE_INFINITY;
      await round(keeper(), 11);
      const alerts = (await listAlerts(store, at(11))).map(({ rule, status, count }) => `${rule} ${status} ${count}`);
      expect(alerts.sort(), `crash at write ${crash}`).toEqual(["wallet_empty resolved 1", "wallet_low open 1"]);
    }
  });
});

describe("reorgs", () => {
  test("balances are read anew and compared from there", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([k.on.pay(A, 1_000_000n, 1)], 1);
    await k.round(10);
    k.on.cut(0);
    k.on.income(A, 0n); // another block 1
    k.hear([orphaned], 11);
    await k.round(11);
    expect(k.figures(11).get(A)).toMatchObject({ balance: "5000000", updatedAt: at(11) });
    await k.round(21);
    expect(await k.alerts(21)).toEqual([]);
  });

  test("a reading that a reorg overtook is compared with nothing, before it or after", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([k.on.pay(A, 1_000_000n, 1)], 1);
    const overtaken: Balances = {
      async read(...asked) {
        const reading = await k.on.balances.read(...asked);
        k.hear([k.on.pay(A, 500_000n, 9), orphaned], 10); // forgotten with all the rest
        return reading;
      },
    };
    await k.round(10, OWNERS, overtaken);
    for (const second of [11, 21, 31]) await k.round(second);
    expect(k.figures(31).get(A)?.balance).toBe("3500000");
    expect(await k.alerts(31)).toEqual([]);
  });

  test("a payment that moves to another block left once: in the balance, in the burn, and beside what nobody saw", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([k.on.pay(A, 1_000_000n, 1)], 1);
    const once = k.figures(1).get(A);
    k.on.cut(0);
    k.on.income(B, 1n);
    k.hear([k.on.pay(A, 1_000_000n, 2, payTo.reports, { tx: 1, seq: 3 })], 2);
    expect(k.figures(2).get(A)).toEqual(once);
    k.on.pay(A, 700_000n, 3); // by no log
    for (const second of [3, 13]) await k.round(second);
    expect(k.figures(13).get(A)?.balance).toBe("3300000");
    expect(await k.alerts(13)).toEqual([`unexplained_outflow wallet:${A} open 1`]);
    expect((await listAlerts(k.store, at(13)))[0]?.text).toContain("$0.70 left");
  });

  test.each([
    ["up, out of what was read", 1, 2],
    ["down, into what was read", 2, 1],
  ])("a payment that moves %s stays as it was until its wallet is read anew, at once", async (_where, from, to) => {
    const k = keeping();
    const paysIn = (number: number, seq: number): Told => {
      k.on.cut(0);
      if (number === 2) k.on.income(B, 1n);
      const told = k.on.pay(A, 1_000_000n, 1, payTo.reports, { tx: 1, seq });
      if (number === 1) k.on.income(B, 1n);
      return told;
    };
    const first = paysIn(from, 1);
    await k.roundAt(1, 0);
    k.hear([first], 1);
    expect(k.figures(1).get(A)?.balance).toBe("4000000");
    k.hear([paysIn(to, 3)], 2);
    expect(k.figures(2).get(A)?.balance).toBe("4000000");
    for (const second of [2, 12, 22]) {
      await k.round(second);
      expect(k.figures(second).get(A)).toMatchObject({ balance: "4000000", updatedAt: at(second) });
    }
    expect(await k.alerts(22)).toEqual([]);
  });

  test("a reading that stands between a payment's old block and its new one is compared with nothing", async () => {
    const k = keeping();
    await k.round(0);
    const first = k.on.pay(A, 1_000_000n, 1);
    k.hear([first], 1);
    const old = await k.on.balances.read([A, B], 1, [0]);
    k.on.cut(0);
    k.on.income(B, 1n);
    k.hear([k.on.pay(A, 1_000_000n, 2, payTo.reports, { tx: 1, seq: 3 })], 2);
    await k.round(3, OWNERS, { read: async () => old }); // a node that the reorg has not reached
    for (const second of [13, 23]) await k.round(second);
    expect(k.figures(23).get(A)?.balance).toBe("4000000");
    expect(await k.alerts(23)).toEqual([]);
  });

  test("the word that a payment's old block is gone takes nothing back of its new one, in whatever order", async () => {
    const k = keeping();
    await k.round(0);
    const first = k.on.pay(A, 1_000_000n, 1);
    const gone = k.on.takenBack(1, 2);
    k.on.cut(0);
    k.on.income(B, 1n);
    const second = k.on.pay(A, 1_000_000n, 2, payTo.reports, { tx: 1, seq: 3 });
    k.hear([first], 1);
    const once = k.figures(2).get(A);
    for (const told of [second, gone, first, second, gone]) {
      k.hear([told], 2);
      expect(k.figures(2).get(A)).toEqual(once);
    }
  });

  test("a payment that was taken back left nothing, burnt nothing, and comes again by a later word alone", async () => {
    const k = keeping();
    await k.round(0);
    const first = k.on.pay(A, 1_000_000n, 1);
    const gone = k.on.takenBack(1, 2);
    k.hear([first, gone, first], 1);
    expect(k.figures(1).get(A)).toMatchObject({ balance: "5000000", runwaySeconds: null });
    k.on.cut(0);
    k.on.income(B, 1n);
    k.hear([k.on.pay(A, 1_000_000n, 2, payTo.reports, { tx: 1, seq: 3 })], 2);
    expect(k.figures(2).get(A)).toMatchObject({ balance: "4000000", runwaySeconds: 2400 });
  });

  test("a payment that was read and is taken back is given back at once, and taken off where it comes again", async () => {
    const k = keeping();
    await k.round(0);
    k.hear([k.on.pay(A, 1_000_000n, 1)], 1);
    await k.round(10);
    k.hear([k.on.takenBack(1, 2)], 11);
    expect(k.figures(11).get(A)?.balance).toBe("5000000");
    k.on.cut(0);
    k.on.income(B, 1n);
    k.hear([k.on.pay(A, 1_000_000n, 11, payTo.reports, { tx: 1, seq: 3 })], 11);
    expect(k.figures(11).get(A)?.balance).toBe("4000000");
    await k.round(12);
    expect(k.figures(12).get(A)).toMatchObject({ balance: "4000000", updatedAt: at(12) });
  });

  test("an orphaning that comes before its payment is known takes it back all the same", async () => {
    const k = keeping();
    await k.round(0);
    const first = k.on.pay(A, 1_000_000n, 1);
    k.hear([k.on.takenBack(1, 2), first], 1);
    expect(k.figures(1).get(A)?.balance).toBe("5000000");
  });

  test("an income that a reorg took back without any fact is no unexplained outflow", async () => {
    const k = keeping();
    await k.round(0);
    k.on.income(A, 3_000_000n);
    await k.round(10);
    k.on.cut(0);
    k.on.income(A, 0n);
    k.on.income(A, 0n);
    await k.round(20);
    await k.round(30);
    expect(k.figures(30).get(A)?.balance).toBe("5000000");
    expect(await k.alerts(30)).toEqual([]);
  });
});

test("what the logs say equals what is read, whatever comes in and goes out, and however often it is told", async () => {
  const step = fc.record({
    who: fc.constantFrom(A, B),
    kind: fc.constantFrom("pay" as const, "pay" as const, "self" as const, "income" as const, "round" as const),
    amount: fc.bigInt({ min: 1n, max: 400_000n }),
    again: fc.boolean(),
  });
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const k = keeping({ [A]: 50_000_000n, [B]: 50_000_000n });
      await k.round(0);
      let income = false;
      for (const [i, { who, kind, amount, again }] of steps.entries()) {
        const second = i + 1;
        if (kind === "income") {
          k.on.income(who, amount);
          income = true;
        } else if (kind !== "round") {
          const told = k.on.pay(who, amount, second, kind === "self" ? who : payTo.reports);
          k.hear(again ? [told, told] : [told], second);
        }
        const { read } = await k.round(second);
        if (read === 2) income = false;
        if (!income)
          for (const address of [A, B])
            expect(k.figures(second).get(address)?.balance).toBe(`${k.on.balanceOf(address)}`);
      }
      await k.round(1000);
      await k.round(1010);
      expect((await k.alerts(1010)).filter((alert) => alert.startsWith("unexplained"))).toEqual([]);
    }),
    { numRuns: 60 },
  );
});

describe("payments of wallets that nobody holds", () => {
  test("push nothing out of what is known of those that are held, however many they are", async () => {
    const k = keeping();
    await k.round(0);
    const paid = k.on.pay(A, 1_000_000n, 1);
    k.hear([paid], 1);
    const outsiders = Array.from({ length: HEARD_MAX + 1 }, (_, n) =>
      transferred({
        ...{ payer: `0x${n.toString(16).padStart(40, "0")}`, payee: payTo.reports, amount: "1", at: at(1) },
        ...{ txHash: txHash(1000 + n), blockNumber: 1, blockHash: k.on.hash, seq: 0 },
      }),
    );
    k.hear([...outsiders, paid], 1);
    expect(k.figures(1).get(A)?.balance).toBe("4000000");
  });

  test("count for its burn once one is taken up, and for its balance where they came after its reading", async () => {
    const k = keeping();
    const before = k.on.pay(A, 1_000_000n, 1);
    k.hear([before], 1);
    const round = k.round(1);
    const after = k.on.pay(A, 500_000n, 2);
    k.hear([after], 2); // the wallet is looked up yet
    await round;
    k.hear([before, after], 2);
    expect(k.figures(2).get(A)).toMatchObject({ balance: "3500000", runwaySeconds: 1400 });
  });
});

test("a list of wallets holds those that nobody has read as unknown, and the fresh before the kept", async () => {
  const k = keeping();
  await k.round(0, new Map([[A, ["research"]]]));
  const read = (fresh: ReturnType<typeof k.figures>) => readWallets(k.store, CHAIN, OWNERS, fresh, at(5));
  expect(await read(new Map())).toMatchObject([
    { address: A, agentIds: ["research"], balance: "5000000", status: "ok", updatedAt: at(0) },
    { address: B, agentIds: ["trader"], balance: null, status: "unknown", updatedAt: null },
  ]);
  k.hear([k.on.pay(A, 1n, 5)], 5);
  expect((await read(k.figures(5)))[0]?.balance).toBe("4999999");
});
