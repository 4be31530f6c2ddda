/** Balances of many wallets in few calls, on a local Arbitrum with genuine USDC: its blacklist and its pause included. */

import { mined } from "@bursar/demo/dev-client";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { type RpcProxy, startRpcProxy } from "@bursar/demo/rpc-proxy";
import { transfer } from "@bursar/demo/usdc";
import { encodeFunctionData, parseAbi } from "viem";
import { sendTransaction } from "viem/actions";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { chainBalances, WALLETS_PER_READ } from "../src/balances.ts";
import { createChainClient } from "../src/client.ts";
import { RpcError } from "../src/rpc-error.ts";

const SLOW = 120_000;
const ROLES = parseAbi([
  "function blacklist(address account)",
  "function unBlacklist(address account)",
  "function pause()",
  "function unpause()",
]);
let devnet: Devnet;
let proxy: RpcProxy;
beforeAll(async () => {
  devnet = await startDevnet();
  proxy = await startRpcProxy(devnet.rpcUrl);
}, SLOW);
afterAll(async () => {
  await proxy?.close();
  await devnet?.stop();
});
afterEach(() => proxy.honest());

const clientOf = (url = devnet.rpcUrl) => createChainClient({ chainId: 42161, rpcUrls: [url], timeoutMs: 20_000 });
const balances = (url?: string) => chainBalances(clientOf(url), devnet.usdc);
const address = (index: number) => devnet.account(index).address.toLowerCase();
/** As USDC's owner, who is blacklister and pauser too. */
async function order(functionName: "blacklist" | "unBlacklist" | "pause" | "unpause", args: readonly unknown[] = []) {
  const data = encodeFunctionData({ abi: ROLES, functionName, args } as Parameters<typeof encodeFunctionData>[0]);
  const sent = { account: devnet.accounts.owner, to: devnet.usdc, data, gas: 200_000n } as const;
  const receipt = await mined(devnet.client, await sendTransaction(devnet.client, sent));
  expect(receipt.status).toBe("success");
  return Number(receipt.blockNumber);
}

test("each wallet's balance is the one of that very block", async () => {
  const large = 2n ** 190n;
  await devnet.fund(devnet.account(0).address, large);
  const before = await devnet.blockNumber();
  const { blockNumber } = await transfer(devnet.client, devnet.account(0), devnet.account(1).address, 5n);
  const after = Number(blockNumber);
  const wallets = [address(0), address(1), address(2)];
  const read = async (block: number) => {
    const reading = await balances().read(wallets, block, [before]);
    return { reading, held: wallets.map((wallet) => reading.wallets.get(wallet)?.balance) };
  };
  const [early, late] = [await read(before), await read(after)];
  expect(early.held).toEqual([large, 0n, 0n]);
  expect(late.held).toEqual([large - 5n, 5n, 0n]);
  expect(late.reading.paused).toBe(false);
  expect(late.reading.hashes.get(before)).toBe(early.reading.hashes.get(before));
  expect(late.reading.hashes.get(after)).toMatch(/^0x[0-9a-f]{64}$/);
});

test("a blacklisted wallet and a paused token are seen from their block on, and no longer when they end", async () => {
  const [listed, other] = [address(3), address(4)];
  const read = async (block: number) => {
    const { wallets, paused } = await balances().read([listed, other], block, []);
    return { listed: wallets.get(listed)?.blacklisted, other: wallets.get(other)?.blacklisted, paused };
  };
  const before = await devnet.blockNumber();
  const blacklisted = await order("blacklist", [listed]);
  const paused = await order("pause");
  const over = Math.max(await order("unBlacklist", [listed]), await order("unpause"));
  expect(await read(before)).toEqual({ listed: false, other: false, paused: false });
  expect(await read(blacklisted)).toEqual({ listed: true, other: false, paused: false });
  expect(await read(paused)).toEqual({ listed: true, other: false, paused: true });
  expect(await read(over)).toEqual({ listed: false, other: false, paused: false });
});

test("a block that the node does not have is an error, never a balance of zero", async () => {
  const latest = await devnet.blockNumber();
  await expect(balances().read([address(0)], latest + 10_000, [])).rejects.toThrow(RpcError);
  // Some nodes answer the call from their newest block, and only the block itself tells.
  proxy.lag(latest - 5);
  await expect(balances(proxy.url).read([address(0)], latest, [])).rejects.toThrow(`does not have block ${latest}`);
  // Where another node has it, that one is asked.
  const both = createChainClient({ chainId: 42161, rpcUrls: [proxy.url, devnet.rpcUrl] });
  const { wallets } = await chainBalances(both, devnet.usdc).read([address(0)], latest, []);
  expect(wallets.get(address(0))?.balance).toBeGreaterThan(0n);
});

test(
  "900 wallets are three calls, whose answers are of one chain",
  async () => {
    const wallets = Array.from({ length: 899 }, (_, i) => `0xab${i.toString(16).padStart(38, "0")}`);
    const client = clientOf();
    const block = await devnet.blockNumber();
    const reading = await chainBalances(client, devnet.usdc).read([...wallets, address(0)], block, []);
    expect(reading.wallets.size).toBe(900);
    expect(reading.wallets.get(wallets[500] ?? "")).toEqual({ balance: 0n, blacklisted: false });
    expect(reading.wallets.get(address(0))?.balance).toBeGreaterThan(0n);
    expect(client.sent.requests).toBe(Math.ceil(900 / WALLETS_PER_READ));
  },
  SLOW,
);

test("a token without blacklist and pause has balances all the same; what is no token has none", async () => {
  // balanceOf(anything) is 7, and whatever else is asked reverts.
  const plain = "0x00000000000000000000000000000000000070c3";
  const code = "0x60003560e01c6370a0823114601357600080fd5b600760005260206000f3";
  await devnet.client.request({ method: "anvil_setCode", params: [plain, code] } as never);
  await devnet.mine(1);
  const block = await devnet.blockNumber();
  const read = (token: string) => chainBalances(clientOf(), token).read([address(0)], block, []);
  const found = await read(plain);
  expect(found.wallets.get(address(0))).toEqual({ balance: 7n, blacklisted: null });
  expect(found.paused).toBeNull();
  const none = await read("0x00000000000000000000000000000000000070c4");
  expect(none.wallets.get(address(0))).toEqual({ balance: null, blacklisted: null });
});

test("a node without Multicall3, or one that answers something else, is an error", async () => {
  const block = await devnet.blockNumber();
  const read = () => balances(proxy.url).read([address(0)], block, []);
  proxy.claim("eth_call", "0x");
  await expect(read()).rejects.toThrow("Multicall3");
  proxy.claim("eth_call", "0x1234");
  await expect(read()).rejects.toThrow(RpcError);
});
