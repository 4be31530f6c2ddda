/** REVIEW: failing tests of the review of issue 4. */
import { memoryStore, emptyMemory } from "../../core/test/memory-store.ts";
import { chainOf, type FakeNode, fakeNode, payment, wallet, blockOf } from "../../chain/test/review-node.ts";
import { readCursor } from "@bursar/chain/cursor";
import { afterEach, expect, test } from "vitest";
import { startWatcher, type Watcher, type WatcherParts } from "../src/watcher.ts";
import { USDC } from "./producers.ts";

let node: FakeNode;
let watcher: Watcher;
afterEach(async () => {
  await watcher?.stop();
  await node?.close();
});
const W = wallet(1);
const partsOf = (since: string, more: Partial<WatcherParts> = {}) => {
  const heard: { type: string }[] = [];
  let head: number | null = null;
  const store = memoryStore(emptyMemory());
  const overview = {
    wallets: () => new Map([[W, { agentIds: ["a"], since }]]),
    open: () => new Map(),
  } as unknown as WatcherParts["overview"];
  const parts: WatcherParts = {
    rpcUrls: [node.url],
    intervalMs: 50,
    startBlock: undefined,
    store,
    owned: () => [],
    chainId: 42161,
    asset: USDC,
    overview,
    latest: () => head,
    now: () => new Date().toISOString(),
    tell: async (told) => {
      for (const { event } of told) {
        heard.push(event);
        if (event.type === "chain.heads") head = (event as unknown as { latest: number }).latest;
      }
    },
    onFault: () => {},
    ...more,
  };
  return { parts, heard, store };
};

test("R20 a wallet that was claimed before the watcher's very first round has its past read", async () => {
  // A first start with a wrong URL, or a provider that is away: an agent signs and pays meanwhile, and loses the hash.
  const chain = chainOf(1000, 990, 980);
  chain.blocks.get(960)!.logs = payment(W, 1);
  node = await fakeNode(chain);
  const { parts, heard } = partsOf(new Date(Date.now() - 20_000).toISOString()); // 80 blocks ago
  watcher = startWatcher(parts);
  for (let turn = 0; turn < 10; turn++) await watcher.round();
  expect(heard.filter(({ type }) => type === "chain.settled")).toHaveLength(1);
});

test("R21 a producer's clock cannot order the whole chain to be read", async () => {
  const chain = chainOf(1000, 990, 980, "a", 900);
  chain.blocks.set(299_999_844, blockOf(299_999_844)); // where the table's first mark is
  for (let n = 300_000_000; n <= 300_000_100; n++) chain.blocks.set(n, blockOf(n));
  Object.assign(chain, { latest: 300_000_100, safe: 300_000_050, final: 300_000_040 });
  node = await fakeNode(chain);
  node.hook = ({ method }) => (method === "eth_getLogs" ? { result: [] } : undefined);
  const { parts, store } = partsOf("1970-01-01T00:00:00.000Z", { latest: () => 300_000_000 }); // an agent's `at`
  watcher = startWatcher(parts);
  await watcher.round().catch(() => {});
  const cursor = (await readCursor(store, 42161))?.cursor;
  // 345,600 blocks are a day. It is 300 million: 30,000 calls, before anybody else's past is read.
  expect(
    watcher.standing()?.backfilling ?? cursor?.backfills.reduce((sum, { next, to }) => sum + to - next, 0),
  ).toBeLessThan(400_000);
});
