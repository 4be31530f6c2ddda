import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { startRpcProxy } from "@bursar/demo/rpc-proxy";
import { cancel } from "@bursar/demo/settlement";
import { transfer } from "@bursar/demo/usdc";
import { event } from "@bursar/events/contract";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type ChainClient, createChainClient } from "../src/client.ts";
import { readHeads } from "../src/heads.ts";
import { TRANSFER } from "../src/logs.ts";
import { type Scan, scanRange } from "../src/scan.ts";

const SLOW = 120_000;
const CHAIN = 42161;
let devnet: Devnet;
let client: ChainClient;

beforeAll(async () => {
  devnet = await startDevnet();
  client = createChainClient({ chainId: CHAIN, rpcUrls: [devnet.rpcUrl] });
}, SLOW);
afterAll(() => devnet?.stop());

const word = (digits: string) => `0x${digits.padStart(64, "0")}`;
const wallet = (index: number) => devnet.account(index).address.toLowerCase();

async function scan(wallets: readonly string[], fromBlock: number, toBlock?: number) {
  const last = toBlock ?? (await devnet.blockNumber());
  const found = await scanRange(client, { chainId: CHAIN, asset: devnet.usdc, wallets, fromBlock, toBlock: last });
  if (found.kind !== "scanned") throw new Error(found.kind);
  for (const each of [...found.facts, ...found.cancelled]) expect(event.parse(each)).toEqual(each);
  return found;
}

describe("scanRange", () => {
  test(
    "finds one settlement, with its block's time",
    async () => {
      const payer = devnet.account(0);
      await devnet.fund(payer.address, 1_000_000n);
      const from = (await devnet.blockNumber()) + 1;
      const signed = await signAuthorization(payer, { to: devnet.account(1).address, value: 10_000n });
      const receipt = await devnet.settle(signed);
      const { facts } = await scan([wallet(0)], from);
      expect(facts).toHaveLength(1);
      expect(facts[0]).toMatchObject({
        type: "chain.settled",
        payment: {
          method: "eip3009",
          chainId: CHAIN,
          asset: devnet.usdc,
          payer: wallet(0),
          nonce: signed.authorization.nonce,
        },
        txHash: receipt.transactionHash,
        logIndex: receipt.logs[1]?.logIndex,
        blockNumber: Number(receipt.blockNumber),
        blockHash: receipt.blockHash,
        payee: wallet(1),
        amount: "10000",
        sharedBy: 1,
      });
      expect(Math.abs(Date.parse(facts[0]?.at ?? "") - Date.now())).toBeLessThan(60_000);
    },
    SLOW,
  );

  test(
    "pairs every authorization of a batch with its own transfer, and counts strangers in sharedBy",
    async () => {
      const [a, b, stranger, payee] = [devnet.account(2), devnet.account(3), devnet.account(4), devnet.account(5)];
      for (const payer of [a, b, stranger]) await devnet.fund(payer.address, 1000n);
      const from = (await devnet.blockNumber()) + 1;
      const signed = await Promise.all([
        signAuthorization(a, { to: payee.address, value: 1n }),
        signAuthorization(b, { to: payee.address, value: 2n }),
        signAuthorization(stranger, { to: payee.address, value: 3n }),
        signAuthorization(a, { to: b.address, value: 4n }),
      ]);
      await devnet.settle(...signed);
      const { facts } = await scan([wallet(2), wallet(3)], from);
      const pairs = facts.map((fact) =>
        fact.type === "chain.settled" ? [nonceOf(fact), fact.amount, fact.sharedBy] : null,
      );
      const nonce = (index: number) => signed[index]?.authorization.nonce;
      expect(pairs).toEqual([
        [nonce(0), "1", 4],
        [nonce(1), "2", 4],
        [nonce(3), "4", 4],
      ]);
    },
    SLOW,
  );

  test(
    "finds a plain transfer and a cancellation; nothing where nothing moved",
    async () => {
      const payer = devnet.account(6);
      await devnet.fund(payer.address, 1000n);
      const from = (await devnet.blockNumber()) + 1;
      const receipt = await transfer(devnet.client, payer, devnet.account(7).address, 9n);
      await transfer(devnet.client, payer, devnet.account(7).address, 0n);
      const { nonce } = (await signAuthorization(payer, { to: payer.address, value: 1n })).authorization;
      const cancelled = await cancel(devnet.client, devnet.accounts.relayer, payer, nonce);
      const found = await scan([wallet(6)], from);
      expect(found.facts).toMatchObject([
        { type: "chain.transferred", txHash: receipt.transactionHash, payer: wallet(6), payee: wallet(7), amount: "9" },
      ]);
      expect(found.cancelled).toMatchObject([
        {
          payment: { payer: wallet(6), nonce },
          txHash: cancelled.transactionHash,
          blockNumber: Number(cancelled.blockNumber),
        },
      ]);
      expect((await scan([wallet(8)], from)).facts).toEqual([]);
      expect((await scan([], from)).facts).toEqual([]);
    },
    SLOW,
  );

  test(
    "asks 300 wallets in one batch",
    async () => {
      const strangers = Array.from({ length: 300 }, (_, index) => `0x${(index + 1).toString(16).padStart(40, "0")}`);
      const { facts } = await scan([...strangers, wallet(0)], 0);
      expect(facts).toHaveLength(1);
    },
    SLOW,
  );

  test(
    "says so when the node lacks the last block, or the anchor is gone",
    async () => {
      const toBlock = (await devnet.blockNumber()) + 1000;
      const ask = (range: object): Promise<Scan> =>
        scanRange(client, {
          chainId: CHAIN,
          asset: devnet.usdc,
          wallets: [wallet(0)],
          fromBlock: 1,
          toBlock: 5,
          ...range,
        });
      expect(await ask({ toBlock })).toEqual({ kind: "lagging" });
      const { latest } = await readHeads(client);
      expect(await ask({ toBlock: latest.number, anchor: latest })).toMatchObject({ kind: "scanned", end: latest });
      expect(await ask({ anchor: { number: 3, hash: `0x${"1".repeat(64)}` } })).toEqual({ kind: "reorged" });
    },
    SLOW,
  );
});

describe("createChainClient", () => {
  test(
    "falls back to the next URL, and names hosts only",
    async () => {
      const dead = "http://127.0.0.1:9/v2/secret-key";
      const both = createChainClient({ chainId: CHAIN, rpcUrls: [dead, devnet.rpcUrl] });
      expect((await readHeads(both)).latest.number).toBeGreaterThan(0);
      expect(both.last).toBe(1);
      const none = createChainClient({ chainId: CHAIN, rpcUrls: [dead] });
      const error = await readHeads(none).catch((reason: Error) => reason);
      expect(error).toMatchObject({ name: "RpcError", fault: "unavailable", host: "127.0.0.1:9" });
      expect(JSON.stringify([(error as Error).message, (error as Error).stack, error])).not.toContain("secret-key");
    },
    SLOW,
  );

  test(
    "refuses a node of another chain",
    async () => {
      const wrong = createChainClient({ chainId: 421614, rpcUrls: [devnet.rpcUrl] });
      await expect(readHeads(wrong)).rejects.toThrow(/answers for chain 42161, not 421614/);
    },
    SLOW,
  );

  test(
    "passes over a node of another chain, which never stands in for one of ours that is down",
    async () => {
      const [ours, other] = [await startRpcProxy(devnet.rpcUrl), await startRpcProxy(devnet.rpcUrl)];
      try {
        other.claim("eth_chainId", "0x1");
        const first = createChainClient({ chainId: CHAIN, rpcUrls: [other.url, ours.url] });
        expect((await readHeads(first)).latest.number).toBeGreaterThan(0);
        const last = createChainClient({ chainId: CHAIN, rpcUrls: [ours.url, other.url] });
        ours.refuseAll();
        await expect(readHeads(last)).rejects.toThrow(/answers for chain 1, not 42161/);
        ours.honest();
        expect((await readHeads(last)).latest.number).toBeGreaterThan(0);
      } finally {
        await Promise.all([ours.close(), other.close()]);
      }
    },
    SLOW,
  );

  const place = { blockNumber: "0x1", logIndex: "0x0", blockHash: word("1"), transactionHash: word("2") };
  test.each<[string, unknown]>([
    ["eth_getBlockByNumber", {}],
    ["eth_getBlockByNumber", "0x1"],
    ["eth_getBlockByNumber", { number: `0x${"f".repeat(40)}`, hash: word("1"), timestamp: "0x1" }],
    ["eth_getBlockByNumber", { number: "0x1", hash: word("1"), timestamp: "0xffffffffffff" }],
    ["eth_getBlockByNumber", { number: "0x1", hash: "0x1", timestamp: "0x1" }],
    ["eth_getLogs", {}],
    ["eth_getLogs", null],
    ["eth_getLogs", [null]],
    ["eth_getLogs", [{ ...place, topics: [TRANSFER, word("3"), word("4")], data: "0x" }]],
    ["eth_getLogs", [{ ...place, topics: [TRANSFER, "0x3"], data: word("5") }]],
    ["eth_getLogs", [{ ...place, blockNumber: "x", topics: [], data: "0x" }]],
  ])(
    "refuses what is no answer, by the name of its host: %s %j",
    async (method, result) => {
      const proxy = await startRpcProxy(devnet.rpcUrl);
      try {
        proxy.claim(method, result);
        const client = createChainClient({ chainId: CHAIN, rpcUrls: [proxy.url] });
        const range = { chainId: CHAIN, asset: devnet.usdc, wallets: [wallet(0)], fromBlock: 1, toBlock: 1 };
        await expect(method === "eth_getLogs" ? scanRange(client, range) : readHeads(client)).rejects.toMatchObject({
          name: "RpcError",
          fault: "unavailable",
          host: new URL(proxy.url).host,
        });
      } finally {
        await proxy.close();
      }
    },
    SLOW,
  );
});

function nonceOf(fact: { payment: { method: string; nonce?: string } }): string | undefined {
  return fact.payment.nonce;
}
