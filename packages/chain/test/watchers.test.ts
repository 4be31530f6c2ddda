/** One watcher or several, few movements or many, wallets that come and go, a chain that is not the one it was. */
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import type { Event, EventOf } from "@bursar/events/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WatchPorts } from "../src/watch.ts";
import { type Given, portsOf, readAll, round, rounds } from "./ports.ts";
import { heldByChain, type Receiver, receiver } from "./receiver.ts";
import { type Payer, payersOn, tablesForTests } from "./table.ts";

const SLOW = 120_000;
let devnet: Devnet;
let books: Receiver;
let heard: Event[];
let startBlock: number;
const table = tablesForTests();

beforeAll(async () => {
  devnet = await startDevnet();
}, SLOW);
afterAll(() => devnet?.stop());
beforeEach(async () => {
  books = receiver();
  heard = [];
  startBlock = (await devnet.blockNumber()) + 1;
});

const payer = payersOn(() => devnet);

const payee = `0x${"b".repeat(40)}` as const;
const pay = async (from: Payer, ...values: bigint[]) =>
  devnet.settle(...(await Promise.all(values.map((value) => signAuthorization(from.account, { to: payee, value })))));

const take = (events: readonly { event: Event }[]) => {
  for (const { event } of events) {
    heard.push(event);
    books.take(event);
  }
};
const watcher = (wallets: Given["wallets"], more: Partial<Given> = {}): WatchPorts =>
  portsOf({
    rpcUrls: [devnet.rpcUrl],
    store: table(),
    startBlock,
    wallets,
    emit: async (events) => take(events),
    ...more,
  });
const catchUp = async (ports: WatchPorts) => readAll(ports, await devnet.blockNumber());
const of = <Type extends Event["type"]>(type: Type) => heard.filter((each) => each.type === type) as EventOf<Type>[];
const amounts = () => of("chain.settled").map(({ amount }) => amount);
const later = (minutes: number) => () => new Date(Date.now() + minutes * 60_000).toISOString();

describe("many movements", () => {
  test(
    "50 authorizations in one transaction: each its own settlement, shared by 50",
    async () => {
      const agent = await payer();
      const values = Array.from({ length: 50 }, (_, index) => BigInt(index + 1));
      await pay(agent, ...values);
      await catchUp(watcher(() => [{ address: agent.address, fromBlock: startBlock }]));
      expect(amounts()).toEqual(values.map(String));
      expect(new Set(of("chain.settled").map(({ sharedBy }) => sharedBy))).toEqual(new Set([50]));
      expect(new Set(of("chain.settled").map(({ payment }) => JSON.stringify(payment))).size).toBe(50);
    },
    SLOW,
  );

  test(
    "1,200 that a reorg takes all at once are all taken back",
    async () => {
      const agent = await payer();
      await devnet.mine(12);
      const values = Array.from({ length: 60 }, (_, index) => BigInt(index + 1));
      const first = await pay(agent, ...values);
      for (let batches = 19; batches > 0; batches--) await pay(agent, ...values);
      const ports = watcher(() => [{ address: agent.address, fromBlock: startBlock }]);
      await catchUp(ports);
      expect(books.live()).toHaveLength(1200);
      const depth = (await devnet.blockNumber()) - Number(first.blockNumber) + 1;
      expect(depth).toBeLessThan(60); // what anvil keeps
      await devnet.reorg(depth);
      await devnet.mine(12);
      expect(await heldByChain(devnet, [agent.address], startBlock)).toEqual([]);
      await catchUp(ports);
      expect(books.live()).toEqual([]);
      expect(of("chain.orphaned")).toHaveLength(1200);
    },
    SLOW,
  );
});

describe("wallets that come and go", () => {
  test(
    "one that was away for a while is read back, with what it paid meanwhile",
    async () => {
      const [stays, leaves] = [await payer(), await payer()];
      let wallets = [stays, leaves].map(({ address }) => ({ address, fromBlock: startBlock }));
      const all = wallets;
      const ports = watcher(() => wallets);
      await pay(leaves, 1n);
      await catchUp(ports);
      wallets = all.slice(0, 1);
      await pay(leaves, 2n);
      await pay(stays, 3n);
      await devnet.mine(10);
      await catchUp(ports);
      expect(amounts()).toEqual(["1", "3"]);
      wallets = all;
      await catchUp(ports);
      await pay(leaves, 4n);
      await expect
        .poll(() => rounds(ports, 1).then(() => amounts().sort()), { timeout: 20_000 })
        .toEqual([...["1", "2", "3", "4"]]);
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test(
    "many at once, from blocks of their own: each from its own block on",
    async () => {
      const early = await Promise.all([payer(), payer(), payer()]);
      for (const [index, agent] of early.entries()) await pay(agent, BigInt(index + 1));
      const between = (await devnet.blockNumber()) + 1;
      for (const [index, agent] of early.entries()) await pay(agent, BigInt(index + 11));
      const [old, fresh, other] = early as [Payer, Payer, Payer];
      let wallets: { address: string; fromBlock?: number }[] = [{ address: other.address, fromBlock: startBlock }];
      const ports = watcher(() => wallets);
      await catchUp(ports);
      expect(amounts().sort()).toEqual(["13", "3"]);
      wallets = [...wallets, { address: old.address, fromBlock: startBlock }];
      await catchUp(ports);
      wallets = [...wallets, { address: fresh.address, fromBlock: between }];
      await catchUp(ports);
      expect(amounts()).toEqual(expect.arrayContaining(["1", "11", "12"]));
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );
});

describe("two watchers of one table", () => {
  test(
    "the second stands by while the first holds the lease, and goes on when it is over",
    async () => {
      const agent = await payer();
      const wallets = () => [{ address: agent.address, fromBlock: startBlock }];
      const first = watcher(wallets, { holder: "first" });
      const elsewhere: Event[] = [];
      const second = (now: () => string) =>
        watcher(wallets, {
          ...{ holder: "second", now },
          emit: async (events) => {
            elsewhere.push(...events.map(({ event }) => event));
            take(events);
          },
        });
      await pay(agent, 1n);
      await catchUp(first);
      await pay(agent, 2n);
      await devnet.mine(3);
      await rounds(second(later(0)), 3);
      expect(elsewhere).toEqual([]);
      await catchUp(first);
      expect(amounts()).toEqual(["1", "2"]);
      await pay(agent, 3n);
      await catchUp(second(later(60)));
      expect(elsewhere.filter(({ type }) => type === "chain.settled")).toMatchObject([{ amount: "3" }]);
      await pay(agent, 4n);
      await rounds(first, 3); // its lease is the other's now, by whichever clock
      expect(amounts()).toEqual(["1", "2", "3"]);
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test(
    "the first, whose lease went over to the other in the middle of a round, moves nothing any more",
    async () => {
      const agent = await payer();
      const wallets = () => [{ address: agent.address, fromBlock: startBlock }];
      await devnet.mine(12);
      await pay(agent, 1n);
      const second = watcher(wallets, { holder: "second", now: later(60) });
      let stolen = false;
      const first = watcher(wallets, {
        holder: "first",
        async emit(events) {
          take(events);
          if (stolen || events.every(({ event }) => event.type !== "chain.settled")) return;
          stolen = true;
          await devnet.reorg(8); // the first has just told of what is gone now
          await pay(agent, 2n);
          await devnet.mine(8);
          await catchUp(second);
        },
      });
      await round(first).catch(() => {});
      expect(stolen).toBe(true);
      await rounds(first, 3);
      await pay(agent, 3n);
      await catchUp(second);
      const truth = await heldByChain(devnet, [agent.address], startBlock);
      await expect.poll(() => rounds(second, 1).then(books.live), { timeout: 20_000 }).toEqual(truth);
    },
    SLOW,
  );
});

describe("a chain that is not the one it was", () => {
  test(
    "a table that was read from another chain of the same id: an error says so, and nothing is taken back",
    async () => {
      const agent = await payer();
      const wallets = () => [{ address: agent.address, fromBlock: startBlock }];
      await pay(agent, 1n);
      await devnet.mine(400);
      await pay(agent, 2n);
      await catchUp(watcher(wallets));
      const before = books.live();
      expect(before).toHaveLength(2);
      const other = await startDevnet();
      try {
        await other.mine(600);
        while ((await other.blockNumber()) <= (await devnet.blockNumber())) await other.mine(100);
        const ports = watcher(wallets, { rpcUrls: [other.rpcUrl] });
        await expect(round(ports)).rejects.toMatchObject({
          name: "RpcError",
          message: expect.stringMatching(/history|another chain|other chain|started anew/),
        });
        for (let left = 5; left > 0; left--) {
          await other.mine(3);
          await rounds(ports, 1);
        }
        expect(of("chain.orphaned")).toEqual([]);
        expect(books.live()).toEqual(before);
      } finally {
        await other.stop();
      }
      await pay(agent, 3n);
      await catchUp(watcher(wallets)); // the first chain again: as if nothing had been
      expect(amounts()).toEqual(["1", "2", "3"]);
    },
    SLOW,
  );
});
