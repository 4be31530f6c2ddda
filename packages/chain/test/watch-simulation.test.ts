/** Whatever happens to the node, the receiver and the chain: in the end the receiver holds what the chain holds. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { type RpcProxy, startRpcProxy } from "@bursar/demo/rpc-proxy";
import { transfer } from "@bursar/demo/usdc";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createChainClient } from "../src/client.ts";
import { type WatchPorts, watchRound } from "../src/watch.ts";
import { dice } from "./dice.ts";
import { heldByChain, receiver } from "./receiver.ts";

const CHAIN = 42161;
let devnet: Devnet;
let proxy: RpcProxy;

beforeAll(async () => {
  devnet = await startDevnet();
  proxy = await startRpcProxy(devnet.rpcUrl);
});
afterAll(async () => {
  await proxy?.close();
  await devnet?.stop();
});

test.each([1, 2, 3, 4])(
  "seed %i",
  async (seed) => {
    const roll = dice(seed);
    const directory = mkdtempSync(join(tmpdir(), "bursar-simulation-"));
    let store = await openLmdbStore(directory);
    try {
      proxy.honest();
      const agents = [0, 1, 2].map((index) => devnet.account(seed * 10 + index));
      for (const agent of agents) await devnet.fund(agent.address, 1_000_000n);
      await devnet.mine(30); // no reorg below reaches the funding
      const startBlock = (await devnet.blockNumber()) + 1;
      const books = receiver();
      let failing = 0;
      const wallets = agents
        .slice(0, 2)
        .map(({ address }) => ({ address: address.toLowerCase(), fromBlock: startBlock }));
      const ports = (): WatchPorts => ({
        client: createChainClient({ chainId: CHAIN, rpcUrls: [proxy.url], timeoutMs: 5000 }),
        store,
        asset: devnet.usdc,
        startBlock,
        now: () => new Date().toISOString(),
        holder: "simulation",
        wallets: () => wallets,
        emit: async (emissions) => {
          const cut = failing > 0 && failing-- > 0 ? roll(emissions.length + 1) : emissions.length;
          for (const { event } of emissions.slice(0, cut)) books.take(event);
          if (cut < emissions.length) throw new Error("the receiver died");
        },
      });
      const signed: Awaited<ReturnType<typeof signAuthorization>>[] = [];
      const sign = () => {
        const to = (agents[roll(3)] as (typeof agents)[0]).address;
        return signAuthorization(agents[roll(3)] as (typeof agents)[0], { to, value: BigInt(roll(50) + 1) });
      };
      const steps: (() => Promise<unknown>)[] = [
        async () => {
          const one = await sign();
          signed.push(one);
          await devnet.settle(one);
        },
        async () => {
          const several = await Promise.all([sign(), sign(), sign()]);
          signed.push(...several);
          await devnet.settle(...several);
        },
        async () => transfer(devnet.client, agents[roll(2)] as (typeof agents)[0], devnet.accounts.owner.address, 3n),
        async () => devnet.settle(...signed.slice(-1)), // again: goes through only where a reorg took it back
        async () => devnet.mine(roll(6)),
        async () => devnet.reorg(1 + roll(9)),
        async () => proxy.lag((await devnet.blockNumber()) - roll(4)),
        async () => proxy.limitRange(1 + roll(12)),
        async () => proxy.honest(),
        async () => {
          failing = 1 + roll(2);
        },
        async () => {
          await store.close();
          store = await openLmdbStore(directory);
        },
        async () => {
          const address = (agents[2] as (typeof agents)[0]).address.toLowerCase();
          if (wallets.length === 2) wallets.push({ address, fromBlock: startBlock });
        },
      ];
      for (let step = 0; step < 60; step++) {
        await (steps[roll(steps.length)] as () => Promise<unknown>)();
        for (let rounds = roll(3); rounds > 0; rounds--) await watchRound(ports()).catch(() => {});
      }
      proxy.honest();
      failing = 0;
      await devnet.mine(20);
      const settled = { behind: 0, lagging: false, limited: null };
      await expect.poll(() => watchRound(ports()), { timeout: 60_000 }).toMatchObject(settled);
      const held = await heldByChain(
        devnet,
        wallets.map(({ address }) => address),
        startBlock,
      );
      expect(held.length).toBeGreaterThan(0);
      expect(books.live()).toEqual(held);
    } finally {
      await store.close();
      rmSync(directory, { recursive: true });
    }
  },
  180_000,
);
