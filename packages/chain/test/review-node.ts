/** A fake JSON-RPC node for the review's tests: a chain of made-up blocks, and hooks that say what it does wrong. */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { USDC } from "@bursar/demo/usdc";
import type { Event } from "@bursar/events/contract";
import { emptyMemory as emptyTable, type Memory, memoryStore } from "../../core/test/memory-store.ts";
import { createChainClient } from "../src/client.ts";
import { AUTHORIZATION_CANCELED, AUTHORIZATION_USED, TRANSFER } from "../src/logs.ts";
import { emptyMemory, type WatchMemory, type WatchPorts } from "../src/watch.ts";

export const CHAIN = 42161;
export const GENESIS = 1_700_000_000;

export interface FakeLog {
  readonly topics: readonly string[];
  readonly data: string;
  readonly tx: string;
  readonly logIndex: number;
}
export interface FakeBlock {
  readonly number: number;
  readonly hash: string;
  readonly timestamp: number;
  logs: FakeLog[];
}
export interface Call {
  readonly id: number;
  readonly method: string;
  // biome-ignore lint/suspicious/noExplicitAny: a fake
  readonly params: any[];
}
export type Reply = { result: unknown } | { error: { code: number; message: string } } | undefined;

export const hex = (value: number): string => `0x${value.toString(16)}`;
export const pad = (value: string): string => `0x${value.replace(/^0x/, "").padStart(64, "0")}`;
export const hashOf = (number: number, fork = "a"): string =>
  `0x${fork.charCodeAt(0).toString(16).padStart(4, "0")}${number.toString(16).padStart(60, "0")}`;
export const wallet = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
export const PAYEE = `0x${"b".repeat(40)}`;
export const nonceOf = (n: number): string => pad((n + 0x1000).toString(16));
export const txOf = (n: number): string => pad((n + 0x2000).toString(16));

/** AuthorizationUsed and Transfer, as USDC logs them. */
export function payment(payer: string, n: number, amount = 5, logIndex = 0): FakeLog[] {
  return [
    { topics: [AUTHORIZATION_USED, pad(payer), nonceOf(n)], data: "0x", tx: txOf(n), logIndex },
    { topics: [TRANSFER, pad(payer), pad(PAYEE)], data: pad(amount.toString(16)), tx: txOf(n), logIndex: logIndex + 1 },
  ];
}
export const cancelling = (payer: string, n: number): FakeLog[] => [
  { topics: [AUTHORIZATION_CANCELED, pad(payer), nonceOf(n)], data: "0x", tx: txOf(n), logIndex: 0 },
];

export interface FakeChain {
  readonly blocks: Map<number, FakeBlock>;
  latest: number;
  safe: number;
  final: number;
}
export function chainOf(latest: number, safe: number, final: number, fork = "a", from = 0): FakeChain {
  const blocks = new Map<number, FakeBlock>();
  for (let n = from; n <= latest; n++) blocks.set(n, blockOf(n, fork));
  return { blocks, latest, safe, final };
}
export const blockOf = (number: number, fork = "a"): FakeBlock => ({
  number,
  hash: hashOf(number, fork),
  timestamp: GENESIS + Math.floor(number / 4),
  logs: [],
});

export interface FakeNode {
  readonly url: string;
  chain: FakeChain;
  readonly calls: { [method: string]: number };
  /** Answers a call otherwise. */
  hook: (call: Call) => Reply;
  /** Answers a whole request otherwise. */
  door: ((calls: Call[]) => { status?: number; body: unknown } | undefined) | undefined;
  delayMs: number;
  close(): Promise<void>;
}

export async function fakeNode(chain: FakeChain, path = ""): Promise<FakeNode> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const body = JSON.parse(Buffer.concat(parts).toString()) as Call | Call[];
    const calls = [body].flat();
    for (const { method } of calls) node.calls[method] = (node.calls[method] ?? 0) + 1;
    if (node.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, node.delayMs));
    const whole = node.door?.(calls);
    if (whole !== undefined) {
      const text = typeof whole.body === "string" ? whole.body : JSON.stringify(whole.body);
      response
        .writeHead(whole.status ?? 200, {
          "content-type": typeof whole.body === "string" ? "text/html" : "application/json",
        })
        .end(text);
      return;
    }
    const answers = calls.map((call) => ({
      jsonrpc: "2.0",
      id: call.id,
      ...(node.hook(call) ?? honest(node.chain, call)),
    }));
    response
      .writeHead(200, { "content-type": "application/json" })
      .end(JSON.stringify(Array.isArray(body) ? answers : answers[0]));
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const node: FakeNode = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    chain,
    calls: {},
    hook: () => undefined,
    door: undefined,
    delayMs: 0,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return node;
}

const raw = (block: FakeBlock | undefined) =>
  block === undefined ? null : { number: hex(block.number), hash: block.hash, timestamp: hex(block.timestamp) };

export function honest(chain: FakeChain, { method, params }: Call): { result: unknown } {
  const tags: { [tag: string]: number } = { latest: chain.latest, safe: chain.safe, finalized: chain.final };
  if (method === "eth_chainId") return { result: hex(CHAIN) };
  if (method === "eth_blockNumber") return { result: hex(chain.latest) };
  if (method === "eth_getBlockByNumber") {
    const number = tags[params[0]] ?? Number(params[0]);
    return { result: number > chain.latest ? null : raw(chain.blocks.get(number)) };
  }
  if (method === "eth_getBlockByHash")
    return { result: raw([...chain.blocks.values()].find(({ hash }) => hash === params[0])) };
  if (method === "eth_getLogs") return { result: logsOf(chain, params[0]) };
  return { result: null };
}

// biome-ignore lint/suspicious/noExplicitAny: a fake
export function logsOf(chain: FakeChain, filter: any) {
  const [kinds, wallets] = filter.topics as [string | string[] | null, string | string[] | null];
  const isIn = (list: string | string[] | null | undefined, topic: string | undefined) =>
    list == null || [list].flat().includes(topic ?? "");
  const blocks = [...chain.blocks.values()].filter((block) =>
    filter.blockHash !== undefined
      ? block.hash === filter.blockHash
      : block.number <= chain.latest &&
        block.number >= Number(filter.fromBlock) &&
        block.number <= Number(filter.toBlock),
  );
  return blocks
    .sort((a, b) => a.number - b.number)
    .flatMap((block) =>
      block.logs
        .filter(({ topics }) => isIn(kinds, topics[0]) && isIn(wallets, topics[1]))
        .map(({ topics, data, tx, logIndex }) => ({
          address: USDC,
          topics,
          data,
          blockNumber: hex(block.number),
          blockHash: block.hash,
          transactionHash: tx,
          logIndex: hex(logIndex),
          blockTimestamp: hex(block.timestamp),
        })),
    );
}

export interface World {
  readonly table: Memory;
  readonly ports: WatchPorts;
  readonly memory: WatchMemory;
  readonly heard: Event[];
  /** Moves the client's clock. */
  pass(ms: number): void;
}
export function worldOf(
  nodes: readonly FakeNode[],
  wallets: readonly string[],
  more: Partial<WatchPorts> = {},
  table = emptyTable(),
): World {
  let skew = 0;
  const heard: Event[] = [];
  const ports: WatchPorts = {
    client: createChainClient({
      chainId: CHAIN,
      rpcUrls: nodes.map(({ url }) => url),
      timeoutMs: 5_000,
      clock: () => Date.now() + skew,
    }),
    store: memoryStore(table),
    asset: USDC,
    wallets: () => wallets.map((address) => ({ address })),
    emit: async (events) => {
      for (const { event } of events) heard.push(event);
    },
    now: () => new Date().toISOString(),
    holder: "review",
    headsMs: 0,
    ...more,
  };
  return {
    table,
    ports,
    memory: emptyMemory(),
    heard,
    pass: (ms) => {
      skew += ms;
    },
  };
}
