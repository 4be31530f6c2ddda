/** What once made the watcher miss, invent, forget or stand still: nodes, chains and wallets that are out to do so. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@bursar/core/ports";
import {
  build,
  cancelling,
  chainOf,
  type FakeNode,
  grow,
  hashOf,
  hex,
  honest,
  nonceOf,
  payment,
  startFakeNode,
  txHashOf,
  walletOf,
  write,
} from "@bursar/demo/fake-node";
import type { LogFilter, RawLog } from "@bursar/demo/rpc-views";
import { USDC } from "@bursar/demo/usdc";
import { type Event, type EventOf, event } from "@bursar/events/contract";
import { openLmdbStore } from "@bursar/store/lmdb";
import { encodeFunctionResult, multicall3Abi } from "viem";
import { afterEach, describe, expect, test, vi } from "vitest";
import { createChainClient } from "../src/client.ts";
import { firstCursor, readCursor } from "../src/cursor.ts";
import { readHeads } from "../src/heads.ts";
import { AUTHORIZATION_USED } from "../src/logs.ts";
import { type Candidates, emptyStragglers, findStragglers } from "../src/stragglers.ts";
import { movesOf, type WatchedWallet, writeJobs } from "../src/wallets.ts";
import { emptyMemory, type WatchPorts, watchRound } from "../src/watch.ts";
import { startWatching } from "../src/watch-loop.ts";
import { CHAIN } from "./ports.ts";

vi.setConfig({ testTimeout: 120_000 });

const W = walletOf(1);
const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

async function nodeOf(...given: Parameters<typeof startFakeNode>): Promise<FakeNode> {
  const node = await startFakeNode(...given);
  closing.push(() => node.close());
  return node;
}

async function storeForTest(): Promise<Store> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-attacks-"));
  const store = await openLmdbStore(directory);
  closing.push(async () => {
    await store.close();
    rmSync(directory, { recursive: true });
  });
  return store;
}

/** A watcher of some nodes, what it says, and its client's clock: it goes on only where a test says so. */
async function watcherOf(
  nodes: readonly FakeNode[],
  wallets: readonly WatchedWallet[] | (() => readonly WatchedWallet[]),
  more: Partial<WatchPorts> = {},
) {
  let clockMs = 1_000_000;
  const heard: Event[] = [];
  const memory = emptyMemory();
  const rpcUrls = nodes.map(({ url }) => url);
  const ports: WatchPorts = {
    client: createChainClient({ chainId: CHAIN, rpcUrls, timeoutMs: 5_000, clock: () => clockMs }),
    store: more.store ?? (await storeForTest()),
    asset: USDC,
    wallets: typeof wallets === "function" ? wallets : () => wallets,
    emit: async (emissions) => {
      for (const each of emissions) heard.push(event.parse(each.event));
    },
    now: () => new Date().toISOString(),
    holder: "test",
    headsMs: 0,
    ...more,
  };
  const round = (changed: Partial<WatchPorts> = {}) => watchRound({ ...ports, ...changed }, memory);
  return {
    ports,
    heard,
    round,
    of: <Type extends Event["type"]>(type: Type) => heard.filter((each) => each.type === type) as EventOf<Type>[],
    cursor: async () => (await readCursor(ports.store, CHAIN))?.cursor,
    pass(ms: number) {
      clockMs += ms;
    },
    /** Rounds, whatever becomes of them, with a pause before each. */
    async rounds(count: number, pauseMs = 0) {
      for (let left = count; left > 0; left--) {
        clockMs += pauseMs;
        await round().catch(() => {});
      }
    },
  };
}

/** The stragglers' questions alone: rounds of them, a pause before each, and what they brought. */
function stragglersOf(node: FakeNode, scanned: number) {
  let clockMs = 0;
  const client = createChainClient({ chainId: CHAIN, rpcUrls: [node.url], clock: () => clockMs });
  const memory = emptyStragglers();
  return async (candidates: Candidates, rounds = 1, pauseMs = 0) => {
    const heads = await readHeads(client);
    const brought: unknown[] = [];
    for (let left = rounds; left > 0; left--) {
      clockMs += pauseMs;
      const found = await findStragglers(client, USDC, candidates, heads, { scanned, marks: [] }, memory);
      brought.push(...found.events, ...found.settled.flat());
    }
    return brought;
  };
}

/** A door that stays shut until somebody opens it. */
function shutDoor() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { open: () => open(), opened };
}

const watched = (...addresses: string[]): WatchedWallet[] => addresses.map((address) => ({ address }));
const filterOf = ({ params }: { readonly params: readonly unknown[] }) => params[0] as LogFilter;

describe("logs", () => {
  test("a settlement whose AuthorizationUsed came late is settled in the end, not a plain transfer for ever", async () => {
    const chain = chainOf(1000, 900, 800);
    write(chain, 998, payment(W, 1));
    const node = await nodeOf(chain);
    // The index of the newest blocks has the Transfer before the AuthorizationUsed.
    node.hook = (call) => {
      if (call.method !== "eth_getLogs") return undefined;
      const answer = honest(chain, call);
      if ("error" in answer) return answer;
      const logs = answer.result as readonly RawLog[];
      return { result: logs.filter(({ topics }) => topics[0] !== AUTHORIZATION_USED) };
    };
    const { round, of } = await watcherOf([node], watched(W), { startBlock: 990 });
    await round();
    expect(of("chain.settled")).toEqual([]);
    node.hook = () => undefined;
    for (const [latest, safe, final] of [
      [1001, 900, 800],
      [1400, 1100, 1000],
      [2000, 1900, 1900],
    ] as const) {
      grow(chain, { latest, safe, final });
      await round();
    }
    expect(of("chain.settled")).toHaveLength(1);
  });

  test("of two nodes the one that hides an old log is passed over, and the safe pass goes on", async () => {
    const chain = chainOf(1000, 900, 800);
    write(chain, 998, payment(W, 1));
    const [hiding, good] = [await nodeOf(chain), await nodeOf(chain)];
    const { round, rounds, cursor } = await watcherOf([hiding, good], watched(W), { startBlock: 990 });
    await round();
    hiding.hook = ({ method }) => (method === "eth_getLogs" ? { result: [] } : undefined);
    grow(chain, { latest: 1400, safe: 1100, final: 900 });
    await rounds(12, 1_000);
    expect((await cursor())?.safe).toBe(1100);
  });

  test("a node that takes fewer wallets a call is asked for fewer", async () => {
    const node = await nodeOf(chainOf(1000, 990, 980));
    node.hook = (call) =>
      call.method === "eth_getLogs" && (filterOf(call).topics?.[1]?.length ?? 0) > 100
        ? { error: { code: -32602, message: "exceeds the limit of 100 topic values" } }
        : undefined;
    const wallets = watched(...Array.from({ length: 250 }, (_, n) => walletOf(n + 1)));
    const { rounds, cursor } = await watcherOf([node], wallets, { startBlock: 990 });
    await rounds(20);
    expect((await cursor())?.scanned).toBe(1000);
  });

  test("no part of a URL is in an error's words", async () => {
    const node = await nodeOf(chainOf(10, 5, 5), "/v2/SECRETKEY");
    const { round } = await watcherOf([node], watched(W));
    const error = { code: -32000, message: "Must be authenticated: /v2/SECRETKEY is disabled" };
    for (const door of [
      () => ({ body: { jsonrpc: "2.0", id: 1, error } }),
      () => ({ status: 404, body: "Cannot POST /v2/SECRETKEY" }),
      (calls: readonly { readonly id: number }[]) => ({ body: calls.map(({ id }) => ({ jsonrpc: "2.0", id, error })) }),
    ]) {
      node.door = door;
      await expect(round()).rejects.toThrow(/^(?!.*SECRETKEY).*RPC 127\.0\.0\.1/s);
    }
  });

  test("payments at 50 a second cost at most 0.05 calls each where a round comes every two seconds", async () => {
    const chain = chainOf(1000, 900, 800);
    const node = await nodeOf(chain);
    const more = { startBlock: 1001, headsMs: 20_000 };
    const { ports, round, of, pass } = await watcherOf([node], watched(W), more);
    let next = 0;
    const twoSeconds = async () => {
      pass(2_000);
      for (let block = 0; block < 8; block++) {
        const latest = chain.latest + 1;
        grow(chain, { latest, safe: latest - 100, final: latest - 200 });
        const count = block % 4 < 2 ? 13 : 12;
        write(chain, latest, Array.from({ length: count }, (_, i) => payment(W, next++, i * 2)).flat());
      }
      await round();
    };
    for (let turn = 0; turn < 20; turn++) await twoSeconds();
    const [calls, paid] = [ports.client.sent.calls, of("chain.settled").length];
    for (let turn = 0; turn < 60; turn++) await twoSeconds();
    const settled = of("chain.settled").length - paid;
    expect(settled).toBe(60 * 100);
    expect((ports.client.sent.calls - calls) / settled).toBeLessThanOrEqual(0.05);
  });
});

describe("a block that is not there", () => {
  test.each([
    "BlockOutOfRangeError: block height is 999 but requested was 1000",
    "block range extends beyond current head block",
    "header not found",
  ])("is waited for, in whatever words a node lacks it: %s", async (message) => {
    const node = await nodeOf(chainOf(1000, 990, 980));
    node.hook = ({ method }) => (method === "eth_getLogs" ? { error: { code: -32000, message } } : undefined);
    const { ports, round } = await watcherOf([node], watched(W), { startBlock: 990 });
    expect(await round()).toMatchObject({ lagging: true, limited: null, scanned: 989 });
    const span = (await readCursor(ports.store, CHAIN))?.cursor.span;
    node.hook = () => undefined;
    expect(await round()).toMatchObject({ lagging: false, scanned: 1000 });
    expect((await readCursor(ports.store, CHAIN))?.cursor.span).toBe(span);
  });
});

describe("heads", () => {
  test("heads that contradict each other move no finality", async () => {
    const node = await nodeOf(chainOf(1000, 990, 980));
    node.hook = ({ method, params }) =>
      method === "eth_getBlockByNumber" && params[0] === "finalized"
        ? { result: { number: hex(2 ** 40), hash: hashOf(5, "c"), timestamp: hex(1_800_000_000) } }
        : undefined;
    const { rounds, of } = await watcherOf([node], watched(W), { startBlock: 990 });
    await rounds(1);
    expect(of("chain.heads").filter(({ final, latest }) => final > latest)).toEqual([]);
  });

  test("a lagging answer about heads does not keep the watcher behind for the next fifteen seconds", async () => {
    const chain = chainOf(1000, 900, 800);
    const node = await nodeOf(chain);
    const { round, pass } = await watcherOf([node], watched(W), { startBlock: 990, headsMs: 15_000 });
    await round();
    pass(15_000);
    grow(chain, { latest: 1060 });
    // Whoever is asked for the heads just then is 20 blocks behind: not enough to be passed over.
    node.hook = ({ method, params }) =>
      method === "eth_getBlockByNumber" && params[0] === "latest"
        ? honest({ ...chain, latest: 1040 }, { method, params })
        : undefined;
    await round();
    node.hook = () => undefined;
    for (let second = 1; second < 15; second++) {
      pass(1_000);
      grow(chain, { latest: chain.latest + 4 });
      const { scanned } = await round();
      expect(chain.latest - scanned).toBeLessThanOrEqual(8); // two rounds' blocks
    }
  });

  test("a past that the node cannot show does not keep finality from being told", async () => {
    const chain = chainOf(1000, 990, 980);
    const pruned = await nodeOf(chain);
    pruned.hook = (call) =>
      call.method === "eth_getLogs" && Number(filterOf(call).fromBlock) < 500
        ? { error: { code: -32000, message: "history has been pruned for this block" } }
        : undefined;
    const { rounds, of } = await watcherOf([pruned], [{ address: W, fromBlock: 100 }], { startBlock: 990 });
    for (let turn = 0; turn < 4; turn++) {
      grow(chain, { latest: chain.latest + 1, final: chain.final + 1 });
      await rounds(1);
    }
    expect(of("chain.heads").at(-1)).toMatchObject({ final: 984 });
  });
});

describe("reorgs", () => {
  test.each([
    ["thirty gone pages are taken back", 970],
    ["seventy gone pages are taken back", 930],
  ])("%s though one of two nodes is away", async (_name, first) => {
    const chain = chainOf(1000, 900, 800);
    for (let number = first; number < 1000; number++) write(chain, number, payment(W, number));
    const [here, away] = [await nodeOf(chain), await nodeOf(chain)];
    const { round, rounds, of } = await watcherOf([here, away], watched(W), { startBlock: 920 });
    await round();
    await away.close();
    build(chain, 925, 1010, "b");
    await rounds(30, 10_000);
    expect(of("chain.orphaned")).toHaveLength(1000 - first);
  });

  test.each([
    ["a fork that is alone to answer takes nothing back", false],
    ["a dispute that ended an hour ago is no licence for a fork that is alone to answer", true],
  ])("%s", async (_name, isDisputedBefore) => {
    const chain = chainOf(1000, 900, 800);
    write(chain, 998, payment(W, 1));
    const forkOf = (latest: number) => {
      const fork = chainOf(latest, 900, 800);
      build(fork, 995, latest, "b");
      return fork;
    };
    const [bad, good] = [await nodeOf(chain), await nodeOf(chain)];
    const { round, rounds, of, pass } = await watcherOf([bad, good], watched(W), { startBlock: 990 });
    await round();
    if (isDisputedBefore) {
      bad.chain = forkOf(1002);
      await round();
      bad.chain = chain;
    }
    for (let minute = 0; minute < 60; minute++) {
      pass(60_000);
      grow(chain, { latest: chain.latest + 1 });
      await round();
    }
    expect(of("chain.orphaned")).toEqual([]);
    // Then the good one rests for a moment, and the bad one is on a fork.
    const error = { code: 429, message: "too many requests" };
    good.door = () => ({ status: 429, body: { jsonrpc: "2.0", id: null, error } });
    bad.chain = forkOf(chain.latest + 2);
    await rounds(5, 1_000);
    expect(of("chain.settled")).toHaveLength(1);
    expect(of("chain.orphaned")).toEqual([]);
  });

  test("what a watcher that slept says after its successor is through is taken back, or is never said", async () => {
    const chain = chainOf(1000, 900, 800);
    write(chain, 1000, payment(W, 1));
    const node = await nodeOf(chain);
    let at = Date.parse("2026-01-01T00:00:00Z");
    const now = () => new Date(at).toISOString();
    const asleep = shutDoor();
    const awake = shutDoor();
    const first = await watcherOf([node], watched(W), { startBlock: 990, now, holder: "first" });
    const { store } = first.ports;
    // It falls asleep between the reservation of its seq and the journal's page.
    const sleepy = {
      get: store.get.bind(store),
      commit: store.commit.bind(store),
      drop: store.drop.bind(store),
      facts: store.facts.bind(store),
      async putAll(puts: Parameters<Store["putAll"]>[0]) {
        if (puts.some(({ pk }) => pk.endsWith("#moved"))) {
          asleep.open();
          await awake.opened;
        }
        return store.putAll(puts);
      },
    };
    const ended = first.round({ store: sleepy }).catch(() => {});
    await asleep.opened;
    // Block 1000 goes; the successor reads the chain as it is now, up to final and beyond.
    at += 60_000;
    build(chain, 1000, 3000, "b");
    grow(chain, { latest: 3000, safe: 2900, final: 2700 });
    const second = await watcherOf([node], watched(W), { startBlock: 990, now, holder: "second", store });
    const secondRounds = async (blocks: number) => {
      for (let turn = 0; turn < 4; turn++) {
        at += 1000;
        const { latest, safe, final } = chain;
        grow(chain, { latest: latest + blocks, safe: safe + blocks, final: final + blocks }, "b");
        await second.round();
      }
    };
    await secondRounds(0);
    awake.open();
    await ended;
    await secondRounds(600);
    expect(first.of("chain.settled").length).toBe(second.of("chain.orphaned").length);
  });
});

describe("wallets", () => {
  test("a wallet that left, and comes back after a reorg, misses nothing", async () => {
    const chain = chainOf(1000, 900, 800);
    write(chain, 998, payment(W, 1));
    const node = await nodeOf(chain);
    const other = walletOf(2);
    let wallets = watched(W, other);
    const { round, rounds, heard, of } = await watcherOf([node], () => wallets, { startBlock: 990 });
    await round();
    expect(of("chain.settled")).toHaveLength(1);
    wallets = watched(other);
    await round();
    // The payment moves from block 998 to block 999 of another branch. Then all of that becomes final.
    build(chain, 996, 1001, "b");
    write(chain, 999, payment(W, 1));
    await rounds(3);
    for (const latest of [1400, 2000]) {
      grow(chain, { latest, safe: latest - 10, final: latest - 20 }, "b");
      await rounds(3);
    }
    wallets = watched(W, other);
    await rounds(5);
    const last = heard.findLast(({ type }) => type === "chain.settled" || type === "chain.orphaned");
    expect(last).toMatchObject({ type: "chain.settled", blockHash: hashOf(999, "b") });
  });

  test("the cursor stays far below what the store takes when thousands of wallets come with a past", async () => {
    const cursor = { ...firstCursor(1), scanned: 1_000_000 };
    const wallets = Array.from({ length: 9_000 }, (_, n) => ({ address: walletOf(n + 1), fromBlock: 999_000 }));
    const { backfills: pasts } = movesOf(new Map(), wallets, cursor);
    const backfills = await writeJobs(await storeForTest(), CHAIN, pasts);
    expect(backfills.length).toBeGreaterThan(0);
    expect(JSON.stringify({ ...cursor, backfills }).length).toBeLessThan(16 * 1024);
  });

  test("the past of a new wallet costs no call for each block in which others paid", async () => {
    const chain = chainOf(1000, 500, 400);
    for (let number = 800; number < 1000; number++) write(chain, number, payment(W, number));
    const node = await nodeOf(chain);
    let wallets: WatchedWallet[] = [{ address: W }];
    const { round } = await watcherOf([node], () => wallets, { startBlock: 790 });
    await round();
    const before = node.calls.eth_getBlockByNumber ?? 0;
    wallets = [...wallets, { address: walletOf(2), fromBlock: 790 }];
    expect(await round()).toMatchObject({ backfilling: 0 });
    expect((node.calls.eth_getBlockByNumber ?? 0) - before).toBeLessThan(20);
  });
});

describe("stragglers", () => {
  test("a node that fails only receipts holds up neither the rounds, nor pruning, nor who waits for a round", async () => {
    const chain = chainOf(3000, 2900, 2700);
    write(chain, 995, payment(W, 1));
    const node = await nodeOf(chain);
    node.hook = ({ method }) =>
      method === "eth_getTransactionReceipt"
        ? { error: { code: -32601, message: "the method is not available" } }
        : undefined;
    const candidates = () => ({ expiring: [], hashes: [{ txHash: txHashOf(77), payer: W }] });
    const { ports, of, cursor } = await watcherOf([node], watched(W), { startBlock: 990, candidates });
    const errors: unknown[] = [];
    const watching = startWatching(ports, { intervalMs: 20, onError: (error) => errors.push(error) });
    try {
      await vi.waitFor(async () => expect((await cursor())?.pruned).toBe(2700), { timeout: 60_000 });
      for (let turn = 0; turn < 5; turn++) expect(await watching.round()).toMatchObject({ scanned: 3000, behind: 0 });
    } finally {
      await watching.stop();
    }
    expect(of("chain.settled")).toHaveLength(1);
    expect(errors).toEqual([]);
    expect(node.calls.eth_getTransactionReceipt).toBeGreaterThan(0);
  });

  test("a node's cap on batches is met by smaller batches: reverts are found all the same", async () => {
    const capped = await nodeOf(chainOf(1000, 990, 980));
    // As several providers answer a batch that is too large: one error for all, no list.
    const error = { code: -32600, message: "batch size too large: the limit is 10" };
    capped.door = (calls) => (calls.length > 10 ? { body: { jsonrpc: "2.0", id: null, error } } : undefined);
    capped.hook = ({ method, params: [transactionHash] }) => {
      if (method === "eth_getTransactionReceipt")
        return { result: { status: "0x0", transactionHash, blockNumber: hex(995), blockHash: hashOf(995) } };
      if (method === "eth_getTransactionByHash") return { result: { from: W, to: null, input: "0x", value: "0x0" } };
      return undefined;
    };
    const hashes = Array.from({ length: 30 }, (_, n) => ({ txHash: txHashOf(n), payer: W }));
    const candidates = () => ({ expiring: [], hashes });
    const { rounds, of } = await watcherOf([capped], watched(W), { startBlock: 990, candidates });
    await rounds(10, 600_000);
    expect(new Set(of("chain.reverted").map(({ txHash }) => txHash)).size).toBe(30);
  });

  test("an authorization cancelled before anybody watched is told so, not asked about for ever", async () => {
    // authorizationState is true for it, and no log that the passes read says why.
    const chain = chainOf(1000, 990, 980);
    write(chain, 500, cancelling(W, 1));
    const node = await nodeOf(chain);
    const used = encodeFunctionResult({
      abi: multicall3Abi,
      functionName: "aggregate3",
      result: [{ success: true, returnData: `0x${"1".padStart(64, "0")}` }],
    });
    node.hook = ({ method }) => (method === "eth_call" ? { result: used } : undefined);
    const key = { method: "eip3009" as const, chainId: CHAIN, asset: USDC, payer: W, nonce: nonceOf(1) };
    const candidates = { expiring: [{ payment: key, validBefore: "1700000001" }], hashes: [] };
    const brought = await stragglersOf(node, 1000)(candidates, 10, 600_000);
    expect(brought).toContainEqual(expect.objectContaining({ type: "chain.cancelled" }));
  });

  test("an outsider's payment is matched when it is on the chain, not only when its block is final", async () => {
    const chain = chainOf(5000, 1000, 900);
    write(chain, 2000, payment(W, 1));
    const node = await nodeOf(chain);
    node.hook = ({ method, params: [transactionHash] }) =>
      method === "eth_getTransactionReceipt"
        ? { result: { status: "0x1", transactionHash, blockNumber: hex(2000), blockHash: hashOf(2000) } }
        : undefined;
    const candidates = { expiring: [], hashes: [{ txHash: txHashOf(1), payer: W }] };
    const brought = await stragglersOf(node, 5000)(candidates);
    expect(brought).toContainEqual(expect.objectContaining({ type: "chain.settled" }));
  });

  test("hashes that nobody will ever find do not keep new ones from being asked for", async () => {
    const node = await nodeOf(chainOf(100, 90, 80));
    const asked = new Set<unknown>();
    node.hook = ({ method, params }) => {
      if (method === "eth_getTransactionReceipt") asked.add(params[0]);
      return undefined;
    };
    const ask = stragglersOf(node, 100);
    // A round in ten seconds and 4,000 made-up hashes stand for one a second and 40,000.
    const hashes = Array.from({ length: 4_000 }, (_, n) => ({ txHash: txHashOf(n), payer: W }));
    await ask({ expiring: [], hashes }, 100, 10_000);
    const mine = { txHash: txHashOf(999_999), payer: W };
    await ask({ expiring: [], hashes: [...hashes, mine] }, 100, 10_000);
    expect(asked).toContain(mine.txHash);
  });
});
