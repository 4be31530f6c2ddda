/** A node that misbehaves, alone and among others: nothing is missed, nothing invented, nothing taken back that stands. */
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { type Misbehaviour, type RpcProxy, startRpcProxy } from "@bursar/demo/rpc-proxy";
import { transfer } from "@bursar/demo/usdc";
import type { Event, EventOf } from "@bursar/events/contract";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import type { WatchPorts } from "../src/watch.ts";
import { startWatching } from "../src/watch-loop.ts";
import { dice } from "./dice.ts";
import { type Given, portsOf, readAll, round, rounds } from "./ports.ts";
import { heldByChain, isOnChain, type Receiver, receiver } from "./receiver.ts";
import { type Payer, payersOn, tablesForTests } from "./table.ts";

const SLOW = 120_000;
let devnet: Devnet;
/** The one that misbehaves, and two that do not. */
let bad: RpcProxy;
let good: readonly [RpcProxy, RpcProxy];
let books: Receiver;
let heard: Event[];
let startBlock: number;
const table = tablesForTests();
/** An account without USDC. */
const POOR = 900;

beforeAll(async () => {
  devnet = await startDevnet();
  bad = await startRpcProxy(devnet.rpcUrl);
  good = [await startRpcProxy(devnet.rpcUrl), await startRpcProxy(devnet.rpcUrl)];
}, SLOW);
afterAll(async () => {
  for (const proxy of [bad, ...(good ?? [])]) await proxy?.close();
  await devnet?.stop();
});
beforeEach(async () => {
  books = receiver();
  heard = [];
  startBlock = (await devnet.blockNumber()) + 1;
  for (const proxy of [bad, ...good]) {
    await proxy.comeBack();
    proxy.honest();
  }
});

const payer = payersOn(() => devnet);

const payee = `0x${"b".repeat(40)}` as const;
const sign = (from: Payer, value: bigint) => signAuthorization(from.account, { to: payee, value });

/** One alone, three together, a plain transfer: seven movements in all, over some blocks. */
async function pay(from: Payer): Promise<void> {
  await devnet.settle(await sign(from, 1n));
  await devnet.settle(...(await Promise.all([2n, 3n, 4n].map((value) => sign(from, value)))));
  await devnet.mine(2);
  await transfer(devnet.client, from.account, payee, 5n);
  await devnet.settle(...(await Promise.all([6n, 7n].map((value) => sign(from, value)))));
}

/** The orphaned blocks that stand on the chain when they are said to be gone. */
let wronglyGone: string[];

function watching(rpcUrls: readonly string[], wallets: readonly string[], more: Partial<Given> = {}): WatchPorts {
  wronglyGone = [];
  return portsOf({
    ...{ rpcUrls, store: table(), startBlock, timeoutMs: 500 },
    wallets: () => wallets.map((address) => ({ address, fromBlock: startBlock })),
    async emit(emissions) {
      for (const { event } of emissions) {
        heard.push(event);
        books.take(event);
        if (event.type === "chain.orphaned" && (await isOnChain(devnet, event.blockHash)))
          wronglyGone.push(event.blockHash);
      }
    },
    ...more,
  });
}

const of = <Type extends Event["type"]>(type: Type) => heard.filter((each) => each.type === type) as EventOf<Type>[];
const catchUp = async (ports: WatchPorts) => readAll(ports, await devnet.blockNumber());
const truth = (agent: Payer) => heldByChain(devnet, [agent.address], startBlock);

type Fault = readonly [name: string, faults: (block: number) => Misbehaviour];

/** What a node answers wrong, and a good watcher cannot use. */
const USELESS: readonly Fault[] = [
  ["answers no eth_getLogs", () => ({ failing: ["eth_getLogs"] })],
  ["answers no eth_getBlockByNumber", () => ({ failing: ["eth_getBlockByNumber"] })],
  ["answers no eth_getBlockByHash", () => ({ failing: ["eth_getBlockByHash"] })],
  ["says HTTP 429", () => ({ rate: { as: "http" } })],
  ["says by JSON-RPC that it is asked too often", () => ({ rate: { as: "rpc" } })],
  ["never answers", () => ({ door: "silent" })],
  ["answers 502", () => ({ door: "bad_gateway" })],
  ["answers a page", () => ({ door: "html" })],
  ["answers nothing at all", () => ({ door: "no_body" })],
  ["answers null", () => ({ door: "null" })],
  ["answers none of a batch", () => ({ door: "no_answers" })],
  ["answers half of each batch", () => ({ halves: true })],
  ["is of another chain", () => ({ claims: { eth_chainId: "0x1" } })],
  ["stands still where it was", (at) => ({ stale: { at } })],
  ["stands 40 blocks behind", () => ({ stale: { behind: 40 } })],
  ["names its newest block and lacks it, with empty logs", (lacksAbove) => ({ lacksAbove })],
];

/** What costs no more than more calls, or a second look at each log. */
const BEARABLE: readonly Fault[] = [
  ["answers no receipts", () => ({ failing: ["eth_getTransactionReceipt"] })],
  ["gives each log twice", () => ({ logs: ["double"] })],
  ["gives logs in reverse", () => ({ logs: ["reverse"] })],
  ["mixes in another token's logs and other wallets'", () => ({ logs: ["strangers"] })],
  ["does all of that to logs", () => ({ logs: ["strangers", "double", "reverse"] })],
  ["allows ranges of 3 blocks", () => ({ blocksMax: 3 })],
  ["allows answers of 6 logs", () => ({ logsMax: 6 })],
];

describe("a single node", () => {
  test.each(USELESS)(
    "that %s: the watcher waits, and reads all of it when the node is well again",
    async (_, faults) => {
      const agent = await payer();
      const ports = watching([bad.url], [agent.address]);
      await pay(agent);
      await catchUp(ports);
      const before = books.live();
      bad.misbehave(faults(await devnet.blockNumber()));
      await pay(agent);
      await rounds(ports, 3);
      const chain = await truth(agent);
      for (const line of books.live()) expect(chain).toContain(line);
      for (const line of before) expect(books.live()).toContain(line);
      bad.honest();
      await catchUp(ports);
      expect(books.live()).toEqual(chain);
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test.each(BEARABLE)(
    "that %s: the watcher reads all of it the same",
    async (_, faults) => {
      const agent = await payer();
      const claimed = await devnet.settle(await sign({ ...agent, account: devnet.account(POOR) }, 1n)); // no USDC
      expect(claimed.status).toBe("reverted");
      const hashes = [{ txHash: claimed.transactionHash, payer: agent.address }];
      const ports = watching([bad.url], [agent.address], { candidates: async () => ({ expiring: [], hashes }) });
      bad.misbehave(faults(await devnet.blockNumber()));
      await pay(agent);
      const chain = await truth(agent);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(chain);
      await devnet.mine(20); // safe and final passes see the same
      await rounds(ports, 4);
      expect(books.live()).toEqual(chain);
      expect(of("chain.orphaned")).toEqual([]);
      expect(
        [...new Set(of("chain.settled").map(({ amount, sharedBy }) => `${amount} of ${sharedBy}`))].sort(),
      ).toEqual(["1 of 1", "2 of 3", "3 of 3", "4 of 3", "6 of 2", "7 of 2"]);
      bad.honest();
      await expect
        .poll(() => rounds(ports, 1).then(() => of("chain.reverted")[0]?.txHash), { timeout: 20_000 })
        .toBe(claimed.transactionHash);
    },
    SLOW,
  );

  test(
    "whose balancer sends half of the requests to a node that is behind",
    async () => {
      const agent = await payer();
      const ports = watching([bad.url], [agent.address]);
      const roll = dice(7);
      bad.misbehave({ stale: { behind: 6 }, when: () => roll(2) === 0 });
      for (let times = 3; times > 0; times--) {
        await pay(agent);
        await rounds(ports, 3);
      }
      await devnet.mine(10);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(await truth(agent));
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test(
    "that is gone for thousands of blocks: what the blocks held meanwhile is read, from where the cursor was",
    async () => {
      const agent = await payer();
      const ports = watching([bad.url], [agent.address]);
      await pay(agent);
      await catchUp(ports);
      await bad.leave();
      await expect(round(ports)).rejects.toMatchObject({ name: "RpcError", fault: "unavailable" });
      for (let part = 0; part < 4; part++) {
        await devnet.mine(600); // an hour has 14,400; anvil takes a minute for those
        await pay(agent);
      }
      await rounds(ports, 2);
      await bad.comeBack();
      const { scanned } = await catchUp(ports);
      expect(scanned).toBeGreaterThan(startBlock + 2_400);
      expect(books.live()).toEqual(await truth(agent));
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test.each(["http", "rpc"] as const)(
    "that says when to come back (%s 429 with Retry-After) is not asked before",
    async (as) => {
      const agent = await payer();
      await pay(agent);
      bad.misbehave({ rate: { as, retryAfterSeconds: 2 } });
      const chain = await truth(agent);
      const loop = startWatching(watching([bad.url], [agent.address]), { intervalMs: 20 });
      try {
        await expect.poll(books.live, { timeout: 20_000 }).toEqual(chain);
      } finally {
        await loop.stop();
      }
      expect(bad.tally.early).toBe(0);
    },
    SLOW,
  );
});

describe("one bad node among several", () => {
  test.each([...USELESS, ...BEARABLE])(
    "that %s holds nothing up",
    async (_, faults) => {
      const agent = await payer();
      const ports = watching([bad.url, good[0].url], [agent.address]);
      await pay(agent);
      await catchUp(ports);
      bad.misbehave(faults(await devnet.blockNumber()));
      await pay(agent);
      const chain = await truth(agent);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(chain);
      await devnet.mine(10);
      await pay(agent);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(await truth(agent));
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test.each([0, 3])(
    "that keeps a fork, %i blocks higher than the others, takes nothing back",
    async (ahead) => {
      const agent = await payer();
      const ports = watching([bad.url, good[0].url, good[1].url], [agent.address]);
      await devnet.mine(12);
      await devnet.settle(await sign(agent, 1n));
      await catchUp(ports);
      const fork = await bad.forked(6, devnet.usdc, ahead);
      await devnet.reorg(6); // takes the payment back, but not in the fork
      await bad.leave();
      await pay(agent);
      await catchUp(ports);
      const chain = await truth(agent);
      expect(books.live()).toEqual(chain);

      bad.misbehave({ view: fork });
      await bad.comeBack();
      await devnet.mine(3); // something new to read, on either branch
      await rounds(watching([bad.url, good[0].url, good[1].url], [agent.address]), 3);
      expect(wronglyGone).toEqual([]);
      expect(books.live()).toEqual(chain);

      await pay(agent);
      await catchUp(ports);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(await truth(agent));
      expect(wronglyGone).toEqual([]);
    },
    SLOW,
  );

  test(
    "that keeps a fork takes nothing back while it is the only one that answers",
    async () => {
      const agent = await payer();
      const urls = [bad.url, good[0].url];
      const ports = watching(urls, [agent.address]);
      await devnet.mine(12);
      const fork = await bad.forked(6, devnet.usdc);
      await devnet.reorg(6);
      await bad.leave();
      await pay(agent);
      await catchUp(ports);
      const before = books.live();
      bad.misbehave({ view: fork });
      await bad.comeBack();
      await good[0].leave();
      await devnet.mine(3);
      await rounds(ports, 5);
      expect(wronglyGone).toEqual([]);
      expect(books.live()).toEqual(before);
      await good[0].comeBack();
      await pay(agent);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(await truth(agent));
      expect(wronglyGone).toEqual([]);
    },
    SLOW,
  );

  test(
    "of which one has not seen a reorg yet: what the reorg took is taken back once they agree",
    async () => {
      const agent = await payer();
      const ports = watching([bad.url, good[0].url], [agent.address]);
      await devnet.mine(12);
      await pay(agent);
      await catchUp(ports);
      bad.misbehave({ view: await bad.forked(10, devnet.usdc) });
      await devnet.reorg(8);
      await devnet.settle(await sign(agent, 9n));
      await rounds(ports, 4);
      bad.honest();
      await devnet.mine(12); // a range has to end in the new blocks, whatever fork the cursor stood on
      await catchUp(ports);
      await expect.poll(() => rounds(ports, 1).then(books.live), { timeout: 20_000 }).toEqual(await truth(agent));
      expect(wronglyGone).toEqual([]);
    },
    SLOW,
  );
});
