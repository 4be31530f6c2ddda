/** The node that misbehaves does what it says, or tests that trust in it show nothing. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { signAuthorization } from "../src/authorization.ts";
import { type Devnet, startDevnet } from "../src/devnet.ts";
import { outflows } from "../src/outflows.ts";
import { type RpcProxy, startRpcProxy } from "../src/rpc-proxy.ts";
import { transfer } from "../src/usdc.ts";

const SLOW = 120_000;
let devnet: Devnet;
let proxy: RpcProxy;

beforeAll(async () => {
  devnet = await startDevnet({ blockTimeSeconds: 3600 });
  proxy = await startRpcProxy(devnet.rpcUrl);
  await devnet.fund(devnet.account(0).address, 1_000_000n);
  await devnet.mine(20);
}, SLOW);
afterAll(async () => {
  await proxy?.close();
  await devnet?.stop();
});
afterEach(() => proxy.honest());

const post = async (body: unknown) =>
  fetch(proxy.url, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
async function ask<T>(method: string, ...params: unknown[]): Promise<T> {
  const response = await post({ jsonrpc: "2.0", id: 1, method, params });
  const { result, error } = (await response.json()) as { result: T; error?: { message: string } };
  if (error !== undefined) throw new Error(error.message);
  return result;
}
const hex = (number: number) => `0x${number.toString(16)}`;
const pay = async () => {
  const to = devnet.account(1).address;
  return devnet.settle(await signAuthorization(devnet.account(0), { to, value: 5n }));
};
const logsOf = (from: number, to: number) =>
  ask<{ transactionHash: string }[]>("eth_getLogs", { address: devnet.usdc, fromBlock: hex(from), toBlock: hex(to) });
const blockOf = (block: string) => ask<{ number: string; hash: string } | null>("eth_getBlockByNumber", block, false);

describe("a view", () => {
  test(
    "of a node that stands behind is of that block, whatever is asked",
    async () => {
      const { blockNumber, transactionHash, blockHash } = await pay();
      const last = Number(blockNumber) - 1;
      proxy.misbehave({ stale: { at: last } });
      expect(await ask("eth_blockNumber")).toBe(hex(last));
      expect((await blockOf("latest"))?.number).toBe(hex(last));
      expect((await blockOf("finalized"))?.number).toBe(hex(last - 2));
      expect(await blockOf(hex(last + 1))).toBe(null);
      expect(await ask("eth_getBlockByHash", blockHash, false)).toBe(null);
      expect(await ask("eth_getTransactionReceipt", transactionHash)).toBe(null);
      expect(await logsOf(last - 1, last + 1)).toEqual([]);
      await expect(ask("eth_getLogs", { address: devnet.usdc, blockHash })).rejects.toThrow("unknown block");
      await expect(ask("eth_call", { to: devnet.usdc }, hex(last + 1))).rejects.toThrow("header not found");
      proxy.honest();
      expect(await logsOf(last - 1, last + 1)).toHaveLength(2);
    },
    SLOW,
  );

  test(
    "of a fork keeps what a reorg has taken, and grows on it",
    async () => {
      const { blockNumber, transactionHash, blockHash } = await pay();
      const at = Number(blockNumber);
      await devnet.mine(2);
      const view = await proxy.forked(5, devnet.usdc, 2);
      await devnet.reorg(4);
      await devnet.mine(3);
      const head = await devnet.blockNumber();
      expect((await blockOf(hex(at)))?.hash).not.toBe(blockHash);
      proxy.misbehave({ view });
      expect(await ask("eth_blockNumber")).toBe(hex(head + 2));
      expect((await blockOf(hex(at)))?.hash).toBe(blockHash);
      expect((await blockOf("latest"))?.number).toBe(hex(head + 2));
      expect((await logsOf(at, head)).map((log) => log.transactionHash)).toEqual([transactionHash, transactionHash]);
      expect(await ask("eth_getTransactionReceipt", transactionHash)).toMatchObject({ blockHash });
      const honest = await outflows(devnet.client, [devnet.account(0).address.toLowerCase()], at);
      expect(honest).toEqual([]);
    },
    SLOW,
  );
});

test(
  "counts what it is asked, by method, and whoever comes before Retry-After is over",
  async () => {
    proxy.count();
    const call = (id: number, method: string) => ({ jsonrpc: "2.0", id, method, params: [] });
    await post([call(1, "eth_chainId"), call(2, "eth_blockNumber"), call(3, "eth_blockNumber")]);
    await post(call(1, "eth_chainId"));
    expect(proxy.tally).toMatchObject({ requests: 2, calls: { eth_chainId: 2, eth_blockNumber: 2 } });
    expect(proxy.tally.bytesOut).toBeGreaterThan(100);
    proxy.misbehave({ rate: { as: "http", retryAfterSeconds: 60 } });
    const refused = await post(call(1, "eth_chainId"));
    expect([refused.status, refused.headers.get("retry-after")]).toEqual([429, "60"]);
    expect(proxy.tally.early).toBe(0);
    await post(call(1, "eth_chainId"));
    expect(proxy.tally.early).toBe(1);
    proxy.honest();
    await proxy.leave();
    await expect(post(call(1, "eth_chainId"))).rejects.toThrow();
    await proxy.comeBack();
    expect((await post(call(1, "eth_chainId"))).status).toBe(200);
  },
  SLOW,
);

test(
  "the chain's own word on what left a wallet tells authorizations from plain transfers",
  async () => {
    const from = (await devnet.blockNumber()) + 1;
    const [payer, payee] = [devnet.account(0), devnet.account(1)];
    const signed = await signAuthorization(payer, { to: payee.address, value: 5n });
    const settled = await devnet.settle(signed);
    const moved = await transfer(devnet.client, payer, payee.address, 6n);
    await transfer(devnet.client, payer, payee.address, 0n);
    await transfer(devnet.client, payer, payer.address, 7n);
    const wallet = payer.address.toLowerCase();
    expect(await outflows(devnet.client, [wallet], from)).toMatchObject([
      {
        id: `eip3009:42161:${devnet.usdc}:${wallet}:${signed.authorization.nonce}`,
        txHash: settled.transactionHash,
        amount: 5n,
      },
      { id: `transfer:42161:${moved.transactionHash}:0`, payee: payee.address.toLowerCase(), amount: 6n },
    ]);
  },
  SLOW,
);
