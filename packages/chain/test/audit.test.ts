/** A second reading of a real chain: the bounds of a span of time, all that moved in it, and USDC's own balances. */
import type { Day } from "@bursar/core/chain-day";
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { startRpcProxy } from "@bursar/demo/rpc-proxy";
import { transfer } from "@bursar/demo/usdc";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type AuditOptions, auditDay } from "../src/audit.ts";
import type { Block } from "../src/block.ts";
import { firstBlockAt, readBlocks } from "../src/block-at.ts";
import { type ChainClient, createChainClient } from "../src/client.ts";

const SLOW = 240_000;
const CHAIN = 42161;
let devnet: Devnet;
let client: ChainClient;
/** The chain up to where it was when the stories were over. */
let blocks: readonly Block[];
/** A span in which payer and shop moved USDC, and which the chain has passed. */
let span: Day;
const wallet = (index: number) => devnet.account(index).address.toLowerCase();

/** A span of seconds as a day: what is read goes by its start and end alone. */
const spanOf = (from: number, to: number): Day => ({
  name: "span",
  start: new Date(from * 1000).toISOString(),
  end: new Date(to * 1000).toISOString(),
});

beforeAll(async () => {
  devnet = await startDevnet();
  client = createChainClient({ chainId: CHAIN, rpcUrls: [devnet.rpcUrl] });
  const [payer, shop, friend] = [devnet.account(0), devnet.account(1), devnet.account(2)];
  await devnet.fund(payer.address, 1_000_000n);
  await devnet.fund(friend.address, 500n);
  const from = await newest();
  await passes(from.timestamp);
  const pay = (value: bigint, to = shop.address) => signAuthorization(payer, { to, value });
  await devnet.settle(await pay(10_000n));
  await devnet.settle(await pay(1n), await pay(2n), await pay(3n, payer.address));
  await transfer(devnet.client, payer, shop.address, 40n);
  await transfer(devnet.client, payer, payer.address, 5n);
  await transfer(devnet.client, friend, payer.address, 300n);
  const to = await newest();
  await passes(to.timestamp);
  await devnet.settle(await pay(7n)); // after the span
  await devnet.mine(3);
  span = spanOf(from.timestamp + 1, to.timestamp + 1);
  const last = await newest();
  blocks = await readBlocks(
    client,
    Array.from({ length: last.number + 1 }, (_, number) => number),
  );
}, SLOW);
afterAll(() => devnet?.stop());

const newest = async (): Promise<Block> => (await readBlocks(client, [await devnet.blockNumber()]))[0] as Block;

/** Resolves when the chain's time is past `seconds`. */
async function passes(seconds: number): Promise<void> {
  while ((await newest()).timestamp <= seconds) await new Promise((resolve) => setTimeout(resolve, 50));
}

const audit = (options: Partial<AuditOptions> = {}) =>
  auditDay({ client, asset: devnet.usdc, wallets: [wallet(0), wallet(1)], day: span, through: null, ...options });

describe("firstBlockAt", () => {
  test(
    "finds the first of the blocks that share a time, as one does who reads them all",
    async () => {
      const last = blocks.at(-1) as Block;
      const times = blocks.map(({ timestamp }) => timestamp);
      const shared = times.filter((time, i) => time === times[i - 1]);
      expect(shared.length).toBeGreaterThan(0);
      const asked = [...new Set([...shared.slice(-4), ...times.slice(-6), ...times.slice(0, 2)])];
      for (const time of asked.flatMap((one) => [one, one + 1]))
        expect(await firstBlockAt(client, time, last)).toBe(
          blocks.find(({ timestamp }) => timestamp >= time)?.number ?? null,
        );
    },
    SLOW,
  );

  test("finds nothing in a time that the chain has not come to, and the first block at any time before it", async () => {
    const last = blocks.at(-1) as Block;
    expect(await firstBlockAt(client, last.timestamp + 1, last)).toBeNull();
    expect(await firstBlockAt(client, 0, last)).toBe(0);
    const floor = last.number - 3;
    expect(await firstBlockAt(client, last.timestamp, last, floor)).toBeGreaterThan(floor);
  });
});

describe("auditDay", () => {
  test(
    "finds all that left the wallets in the span, and USDC's balances prove it to the unit",
    async () => {
      const found = await audit();
      const inside = blocks.filter(({ at }) => at >= span.start && at < span.end);
      expect(found).toMatchObject({ isOver: true, unread: 0, unproved: null });
      expect(found.blocks).toEqual({ from: inside[0]?.number, to: inside.at(-1)?.number });
      expect(found.endAt).toBe(inside.at(-1)?.at);
      expect(found.movements.map(({ amount, payee }) => [amount, payee])).toEqual([
        [10_000n, wallet(1)],
        [1n, wallet(1)],
        [2n, wallet(1)],
        [3n, wallet(0)],
        [40n, wallet(1)],
      ]);
      expect(found.movements.map(({ id }) => id.split(":")[0])).toEqual([...Array(4).fill("eip3009"), "transfer"]);
      expect(found.balances?.get(wallet(0))).toEqual({ opening: 1_000_000n, incoming: 300n, closing: 990_257n });
      expect(found.balances?.get(wallet(1))).toEqual({ opening: 0n, incoming: 10_043n, closing: 10_043n });
    },
    SLOW,
  );

  test(
    "stops at the block that the table has read, and says how many are left",
    async () => {
      const whole = await audit();
      const { from, to } = whole.blocks as { from: number; to: number };
      const first = whole.movements[0]?.blockNumber as number;
      const found = await audit({ through: first });
      expect(found).toMatchObject({ blocks: { from, to: first }, isOver: true, unread: to - first });
      expect(found.movements).toEqual(whole.movements.slice(0, 1));
      expect(found.balances?.get(wallet(0))?.closing).toBe(990_000n);
      expect(await audit({ through: from - 1 })).toMatchObject({ blocks: null, unread: to - from + 1, movements: [] });
    },
    SLOW,
  );

  test(
    "of a day that is not over ends at the newest block, and has none of one that has not begun",
    async () => {
      const { timestamp } = blocks.at(-1) as Block;
      const today = await audit({ day: spanOf(Date.parse(span.start) / 1000, timestamp + 86_400) });
      expect(today).toMatchObject({ isOver: false, unread: 0 });
      expect(today.movements.map(({ amount }) => amount)).toEqual([10_000n, 1n, 2n, 3n, 40n, 7n]);
      const tomorrow = await audit({ day: spanOf(timestamp + 86_400, timestamp + 90_000) });
      expect(tomorrow).toMatchObject({ blocks: null, endAt: null, isOver: false, unread: 0, movements: [] });
    },
    SLOW,
  );

  test(
    "keeps where final days begin and end, so that the next audit asks no more for it",
    async () => {
      const known = new Map<number, number>();
      const found = await audit({ known });
      const { from, to } = found.blocks as { from: number; to: number };
      expect([...known.values()]).toEqual([from, to + 1]);
      expect(await audit({ known })).toEqual(found);
    },
    SLOW,
  );

  test(
    "gets by with a node that gives little at once, or keeps no old state, or is down for a moment",
    async () => {
      const proxy = await startRpcProxy(devnet.rpcUrl);
      try {
        const behind = createChainClient({ chainId: CHAIN, rpcUrls: [proxy.url] });
        const whole = await audit();
        proxy.limitRange(3);
        const steps: number[] = [];
        expect(await audit({ client: behind, onProgress: (done) => steps.push(done) })).toEqual(whole);
        expect(proxy.refused).toBeGreaterThan(0);
        expect(steps).toEqual([...steps].sort((a, b) => a - b));
        expect(steps.at(-1)).toBe((whole.blocks?.to ?? 0) - (whole.blocks?.from ?? 0) + 1);
        proxy.honest();
        proxy.misbehave({ failing: ["eth_call"] });
        const unproved = await audit({ client: behind });
        expect(unproved).toMatchObject({ movements: whole.movements, balances: null });
        expect(unproved.unproved).toContain("eth_call: internal error");
        proxy.honest();
        proxy.refuseAll();
        const waits: number[] = [];
        const wait = async (ms: number) => {
          waits.push(ms);
          if (waits.length === 3) proxy.honest();
        };
        expect(await audit({ client: behind, wait })).toEqual(whole);
        expect(waits).toEqual([250, 500, 1000]);
        proxy.refuseAll();
        await expect(audit({ client: behind, wait: async () => {} })).rejects.toMatchObject({ name: "RpcError" });
      } finally {
        await proxy.close();
      }
    },
    SLOW,
  );

  test(
    "begins anew when blocks that it has read are replaced before it comes to the end",
    async () => {
      const proxy = await startRpcProxy(devnet.rpcUrl);
      try {
        const behind = createChainClient({ chainId: CHAIN, rpcUrls: [proxy.url] });
        const known = new Map<number, number>();
        const whole = await audit({ known });
        const { from, to } = whole.blocks as { from: number; to: number };
        proxy.limitRange(1);
        proxy.lag(to - 1);
        const wait = async () => {
          await devnet.reorg((await devnet.blockNumber()) - from);
          proxy.honest();
        };
        const found = await audit({ client: behind, known, wait });
        expect(found.movements.length).toBeLessThan(whole.movements.length);
        expect(found.movements).toEqual((await audit()).movements);
      } finally {
        await proxy.close();
      }
    },
    SLOW,
  );
});
