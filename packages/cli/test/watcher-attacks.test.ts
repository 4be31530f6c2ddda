/** Wallets that are heard of at the wrong time, or with a wrong one: their past is read, and no more than that. */
import { readCursor } from "@bursar/chain/cursor";
import { worldOf } from "@bursar/core/world";
import { build, chainOf, type FakeNode, grow, payment, startFakeNode, walletOf, write } from "@bursar/demo/fake-node";
import { parseConfig } from "@bursar/events/config-schema";
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterEach, expect, test } from "vitest";
import { createOverview } from "../src/overview.ts";
import { startWatcher, type WatcherParts } from "../src/watcher.ts";
import { directoryForTest } from "./machines.ts";
import { USDC } from "./producers.ts";

const W = walletOf(1);
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

/** A watcher of one node, of a wallet that an agent has claimed since a time. */
async function watcherOf(node: FakeNode, since: string, more: Partial<WatcherParts> = {}) {
  const heard: Told["event"][] = [];
  let latest: number | null = null;
  const store = await openLmdbStore(directoryForTest());
  const { directory } = worldOf(parseConfig({ org: "acme" }));
  const watcher = startWatcher({
    rpcUrls: [node.url],
    intervalMs: 50,
    startBlock: undefined,
    store,
    owned: () => [],
    chainId: 42161,
    asset: USDC,
    overview: { ...createOverview(() => directory), wallets: () => new Map([[W, { agentIds: ["a"], since }]]) },
    latest: () => latest,
    now: () => new Date().toISOString(),
    tell: async (told) => {
      for (const { event } of told) {
        heard.push(event);
        if (event.type === "chain.heads") latest = (event as EventOf<"chain.heads">).latest;
      }
    },
    onFault: () => {},
    ...more,
  });
  closing.push(
    () => node.close(),
    () => store.close(),
    () => watcher.stop(),
  );
  return { watcher, heard, store };
}

test("a wallet that was claimed before the watcher's very first round has its past read", async () => {
  // A first start while no provider answers: an agent signs and pays meanwhile, and loses the hash.
  const chain = chainOf(1000, 990, 980);
  write(chain, 960, payment(W, 1));
  const twentySecondsAgo = new Date(Date.now() - 20_000).toISOString(); // 80 blocks
  const { watcher, heard } = await watcherOf(await startFakeNode(chain), twentySecondsAgo);
  for (let turn = 0; turn < 10; turn++) await watcher.round();
  expect(heard.filter(({ type }) => type === "chain.settled")).toHaveLength(1);
});

test("a producer's clock cannot order the whole chain to be read", async () => {
  const chain = chainOf(1000, 990, 980, 900);
  build(chain, 299_999_844, 299_999_844); // where the table's first mark is
  build(chain, 300_000_000, 300_000_100);
  grow(chain, { latest: 300_000_100, safe: 300_000_050, final: 300_000_040 });
  const node = await startFakeNode(chain);
  node.hook = ({ method }) => (method === "eth_getLogs" ? { result: [] } : undefined);
  const { watcher, store } = await watcherOf(node, "1970-01-01T00:00:00.000Z", { latest: () => 300_000_000 });
  await watcher.round().catch(() => {});
  const backfills = (await readCursor(store, 42161))?.cursor.backfills ?? [];
  const queued = backfills.reduce((sum, { next, to }) => sum + to - next, 0);
  // 345,600 blocks are a day; the chain has 300 million.
  expect(watcher.standing()?.backfilling ?? queued).toBeLessThan(400_000);
});
