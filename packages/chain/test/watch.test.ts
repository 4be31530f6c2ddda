import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@bursar/core/ports";
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { type RpcProxy, startRpcProxy } from "@bursar/demo/rpc-proxy";
import { cancel } from "@bursar/demo/settlement";
import { transfer } from "@bursar/demo/usdc";
import { type Event, type EventOf, event } from "@bursar/events/contract";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createChainClient } from "../src/client.ts";
import { readCursor } from "../src/cursor.ts";
import { type WatchPorts, watchRound } from "../src/watch.ts";
import { startWatching } from "../src/watch-loop.ts";

const SLOW = 120_000;
const CHAIN = 42161;
let devnet: Devnet;
let proxy: RpcProxy;
let directory: string;
let store: Store;
let heard: Event[];
let startBlock: number;
let next = 0;

beforeAll(async () => {
  devnet = await startDevnet();
  proxy = await startRpcProxy(devnet.rpcUrl);
}, SLOW);
afterAll(async () => {
  await proxy?.close();
  await devnet?.stop();
});
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "bursar-watch-"));
  store = await openLmdbStore(directory);
  heard = [];
  startBlock = (await devnet.blockNumber()) + 1;
  proxy.honest();
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

/** A payer that no other test uses, with USDC. */
async function payer(amount = 1_000_000n) {
  const account = devnet.account(next++);
  await devnet.fund(account.address, amount);
  return { account, address: account.address.toLowerCase() };
}

const payee = `0x${"b".repeat(40)}` as const;
const pay = async (from: Awaited<ReturnType<typeof payer>>, value = 10_000n) => {
  const signed = await signAuthorization(from.account, { to: payee, value });
  return { signed, receipt: await devnet.settle(signed) };
};

function ports(wallets: WatchPorts["wallets"], more: Partial<WatchPorts> = {}): WatchPorts {
  const emit = async (emissions: readonly { event: Event }[]) => {
    for (const each of emissions) heard.push(event.parse(each.event));
  };
  const client = createChainClient({ chainId: CHAIN, rpcUrls: [proxy.url], timeoutMs: 2000 });
  const now = () => new Date().toISOString();
  return { client, store, asset: devnet.usdc, wallets, emit, startBlock, now, holder: "test", ...more };
}

/** Rounds until all that was there at the beginning is read. */
async function readAll(given: WatchPorts) {
  const target = await devnet.blockNumber();
  for (;;) {
    const round = await watchRound(given);
    if (round.scanned >= target && (await readCursor(store, CHAIN))?.cursor.backfills.length === 0) return round;
  }
}

const of = <Type extends Event["type"]>(type: Type) => heard.filter((each) => each.type === type) as EventOf<Type>[];
const amounts = () => of("chain.settled").map((each) => each.amount);

describe("watchRound", () => {
  test(
    "hands on each settlement once, with heads, and stands still when nothing moves",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await readAll(given);
      await pay(agent, 1n);
      await readAll(given);
      await pay(agent, 2n);
      await devnet.mine(5);
      await readAll(given);
      await devnet.mine(300); // safe and final passes read it all again
      await readAll(given);
      expect(amounts()).toEqual(["1", "2"]);
      expect(of("chain.heads").length).toBeGreaterThan(1);
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test(
    "hands on a transfer, and a cancellation once it is safe",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await transfer(devnet.client, agent.account, payee, 5n);
      const { nonce } = (await signAuthorization(agent.account, { to: payee, value: 1n })).authorization;
      await cancel(devnet.client, devnet.accounts.relayer, agent.account, nonce);
      await devnet.mine(5);
      await readAll(given);
      expect(of("chain.transferred")).toMatchObject([{ payer: agent.address, amount: "5" }]);
      await expect
        .poll(async () => (await readAll(given)) && new Set(of("chain.cancelled").map(({ id }) => id)).size, {
          timeout: 20_000,
        })
        .toBe(1);
    },
    SLOW,
  );

  test(
    "pages over many blocks after downtime, shrinking to what the provider allows",
    async () => {
      const agent = await payer();
      startBlock = (await devnet.blockNumber()) + 1;
      for (let value = 1n; value <= 5n; value++) {
        await pay(agent, value);
        await devnet.mine(100);
      }
      proxy.limitRange(150);
      const round = await readAll(ports(() => [{ address: agent.address }]));
      expect(amounts()).toEqual(["1", "2", "3", "4", "5"]);
      expect(round.scanned).toBeGreaterThanOrEqual(startBlock + 500);
      expect(proxy.refused).toBeGreaterThan(0);
      expect((await readCursor(store, CHAIN))?.cursor.span).toBeLessThan(400);
    },
    SLOW,
  );

  test(
    "goes on where it was after a restart, and says again what was not durable",
    async () => {
      const agent = await payer();
      const wallets = () => [{ address: agent.address }];
      await pay(agent, 1n);
      await readAll(ports(wallets));
      await pay(agent, 2n);
      const failing = ports(wallets, { emit: () => Promise.reject(new Error("queue is down")) });
      await expect(watchRound(failing)).rejects.toThrow("queue is down");
      await store.close();
      store = await openLmdbStore(directory);
      await readAll(ports(wallets));
      expect(amounts()).toEqual(["1", "2"]);
      const [first, second] = of("chain.settled");
      expect(Number(second?.seq)).toBeGreaterThan(Number(first?.seq));
    },
    SLOW,
  );

  test(
    "says nothing twice though the receiver fails after some were durable",
    async () => {
      const agent = await payer();
      const wallets = () => [{ address: agent.address }];
      await pay(agent, 1n);
      const once = ports(wallets);
      const dying = ports(wallets, {
        emit: async (emissions) => {
          await once.emit(emissions);
          if (emissions.some((each) => each.event.type === "chain.settled"))
            throw new Error("died after it was durable");
        },
      });
      await expect(readAll(dying)).rejects.toThrow("died");
      await readAll(once);
      const ids = of("chain.settled").map((each) => each.id);
      expect(ids).toHaveLength(2);
      expect(new Set(ids).size).toBe(1); // the same id: the receiver knows it
    },
    SLOW,
  );

  test(
    "takes back what a reorg of depth 3 removed, and brings what came instead",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await pay(agent, 1n);
      await devnet.mine(10);
      await readAll(given);
      const { signed, receipt } = await pay(agent, 2n);
      await readAll(given);
      expect(amounts()).toEqual(["1", "2"]);
      const depth = Math.max(3, (await devnet.blockNumber()) - Number(receipt.blockNumber) + 1);
      await devnet.reorg(depth);
      const again = await devnet.settle(signed);
      await pay(agent, 3n);
      await devnet.mine(2);
      await readAll(given);
      const settled = of("chain.settled");
      expect(settled.map((each) => each.amount)).toEqual(["1", "2", "2", "3"]);
      expect(settled[2]?.blockHash).toBe(again.blockHash);
      const seqs = settled.map((each) => Number(each.seq));
      // Settled again by the very log: either superseded, or taken back before and with a lower number.
      for (const gone of of("chain.orphaned")) {
        expect(gone).toMatchObject({ payment: settled[1]?.payment, blockHash: receipt.blockHash });
        expect(Number(gone.seq)).toBeGreaterThan(seqs[1] as number);
        expect(Number(gone.seq)).toBeLessThan(seqs[2] as number);
      }
    },
    SLOW,
  );

  test(
    "a transaction that a reorg moved to another block is settled there, not taken back",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await devnet.mine(10);
      const { receipt } = await pay(agent, 2n);
      const request = devnet.client.request as (call: object) => Promise<unknown>;
      const raw = await request({ method: "eth_getRawTransactionByHash", params: [receipt.transactionHash] });
      await readAll(given);
      await devnet.reorg((await devnet.blockNumber()) - Number(receipt.blockNumber) + 1);
      await request({ method: "eth_sendRawTransaction", params: [raw] });
      await devnet.mine(20); // both blocks in one range: it takes back and settles in one pass
      await readAll(given);
      const settled = of("chain.settled");
      expect(settled.map(({ txHash, logIndex }) => [txHash, logIndex])).toEqual([
        [receipt.transactionHash, settled[0]?.logIndex],
        [receipt.transactionHash, settled[0]?.logIndex],
      ]);
      expect(settled[1]?.blockHash).not.toBe(settled[0]?.blockHash);
      for (const gone of of("chain.orphaned")) expect(Number(gone.seq)).toBeLessThan(Number(settled[1]?.seq));
    },
    SLOW,
  );

  test(
    "takes back what a reorg removed for good, a transfer too",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await devnet.mine(10);
      const { receipt } = await pay(agent, 2n);
      const moved = await transfer(devnet.client, agent.account, payee, 4n);
      await readAll(given);
      await devnet.reorg((await devnet.blockNumber()) - Number(receipt.blockNumber) + 1);
      await devnet.mine(2);
      await readAll(given);
      expect(of("chain.orphaned").map(({ payment, txHash }) => [payment.method, txHash])).toEqual([
        ["eip3009", receipt.transactionHash],
        ["transfer", moved.transactionHash],
      ]);
      await devnet.mine(5);
      await readAll(given);
      expect(of("chain.orphaned")).toHaveLength(2);
    },
    SLOW,
  );

  test(
    "reads the past of a wallet that comes later",
    async () => {
      const [first, second] = [await payer(), await payer()];
      startBlock = (await devnet.blockNumber()) + 1;
      const wallets = [{ address: first.address, fromBlock: startBlock }];
      await pay(first, 1n);
      await pay(second, 2n);
      await devnet.mine(20);
      const given = ports(() => wallets);
      await readAll(given);
      expect(amounts()).toEqual(["1"]);
      wallets.push({ address: second.address, fromBlock: startBlock });
      await readAll(given);
      expect(amounts()).toEqual(["1", "2"]);
      await pay(second, 3n);
      await readAll(given);
      expect(amounts()).toEqual(["1", "2", "3"]);
      expect(of("chain.orphaned")).toEqual([]);
    },
    SLOW,
  );

  test(
    "never moves past a block that a lagging node lacks, though its logs look empty",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await readAll(given);
      const before = (await readCursor(store, CHAIN))?.cursor.scanned as number;
      proxy.lag(before);
      await pay(agent, 7n);
      await devnet.mine(3);
      const round = await watchRound(given);
      expect(round).toMatchObject({ scanned: before, lagging: true, events: 1 }); // its heads, nothing else
      expect((await readCursor(store, CHAIN))?.cursor.scanned).toBe(before);
      proxy.honest();
      await readAll(given);
      expect(amounts()).toEqual(["7"]);
    },
    SLOW,
  );

  test(
    "passes over a lagging node for one that is not",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      const client = createChainClient({ chainId: CHAIN, rpcUrls: [proxy.url, devnet.rpcUrl] });
      await readAll({ ...given, client });
      proxy.lag((await devnet.blockNumber()) - 1);
      await pay(agent, 8n);
      await readAll({ ...given, client });
      expect(amounts()).toEqual(["8"]);
    },
    SLOW,
  );

  test(
    "closes an unused authorization at a safe block past its validBefore, and tells a revert with its reason",
    async () => {
      const agent = await payer();
      const { signed: used } = await pay(agent, 1n);
      const refused = await devnet.settle(used);
      expect(refused.status).toBe("reverted");
      await devnet.mine(5);
      const payment = (nonce: string) => ({
        method: "eip3009" as const,
        chainId: CHAIN,
        asset: devnet.usdc,
        payer: agent.address,
        nonce,
      });
      const unused = (await signAuthorization(agent.account, { to: payee, value: 1n })).authorization.nonce;
      const candidates = async () => ({
        expiring: [
          { payment: payment(used.authorization.nonce), validBefore: "1000" },
          { payment: payment(unused), validBefore: "1000" },
          { payment: payment(`0x${"9".repeat(64)}`), validBefore: "9999999999" },
        ],
        hashes: [refused.transactionHash, `0x${"8".repeat(64)}` as const].map((txHash) => ({ txHash, payer: payee })),
      });
      await watchRound(ports(() => [{ address: agent.address }], { candidates }));
      expect(of("chain.expired")).toMatchObject([{ payment: payment(unused), validBefore: "1000" }]);
      expect(of("chain.reverted")).toMatchObject([
        { txHash: refused.transactionHash, reason: "FiatTokenV2: authorization is used or canceled" },
      ]);
    },
    SLOW,
  );

  test(
    "finds a claimed settlement from before the cursor began, and of a wallet that nobody watches",
    async () => {
      const [agent, outsider] = [await payer(), await payer()];
      const [early, foreign] = [await pay(agent, 3n), await pay(outsider, 4n)];
      await devnet.mine(8);
      const claimed = [
        { txHash: early.receipt.transactionHash, payer: agent.address },
        { txHash: foreign.receipt.transactionHash, payer: outsider.address },
      ];
      const given = ports(() => [{ address: agent.address }], {
        startBlock: await devnet.blockNumber(),
        candidates: async () => ({ expiring: [], hashes: claimed }),
      });
      await watchRound(given);
      const found = of("chain.settled").map(({ txHash, amount }) => ({ txHash, amount }));
      expect(found).toEqual([
        { txHash: early.receipt.transactionHash, amount: "3" },
        { txHash: foreign.receipt.transactionHash, amount: "4" },
      ]);
      await watchRound(given); // at least once, and by the same name
      expect(new Set(of("chain.settled").map(({ id }) => id)).size).toBe(2);
    },
    SLOW,
  );

  test(
    "two watchers of one chain cannot both move the cursor",
    async () => {
      const agent = await payer();
      const given = ports(() => [{ address: agent.address }]);
      await readAll(given);
      await devnet.mine(3);
      const results = await Promise.allSettled([watchRound(given), watchRound(given), watchRound(given)]);
      const refused = results.filter((each) => each.status === "rejected").map((each) => (each.reason as Error).name);
      expect(refused.length).toBeGreaterThan(0);
      expect(new Set(refused)).toEqual(new Set(["CursorConflict"]));
    },
    SLOW,
  );
});

describe("startWatching", () => {
  test(
    "tries again when the node was away, and says where it was",
    async () => {
      const agent = await payer();
      const errors: Error[] = [];
      proxy.refuseAll();
      const watching = startWatching(
        ports(() => [{ address: agent.address }]),
        {
          intervalMs: 20,
          onError: (error) => errors.push(error as Error),
        },
      );
      try {
        await expect.poll(() => errors.length, { timeout: 20_000 }).toBeGreaterThan(1);
        expect(errors[0]).toMatchObject({ name: "RpcError", fault: "unavailable" });
        expect(errors[0]?.message).toContain(`RPC ${new URL(proxy.url).host}: HTTP 502`);
        await pay(agent, 6n);
        proxy.honest();
        await expect.poll(amounts, { timeout: 20_000 }).toEqual(["6"]);
      } finally {
        await watching.stop();
      }
    },
    SLOW,
  );
});
