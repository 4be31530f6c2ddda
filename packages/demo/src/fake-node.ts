/**
 * A node of a chain that a test makes up block by block, for what no local Arbitrum does when asked: seventy blocks that
 * go at once, heads that contradict each other, log indexes with holes. It answers JSON-RPC honestly for its `chain`
 * until a hook says otherwise.
 */
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { toEventSelector } from "viem";
import { type Answer, type Call, fits, type LogFilter, UNKNOWN_BLOCK } from "./rpc-views.ts";
import { USDC, USDC_DOMAIN } from "./usdc.ts";

/** A log of USDC, wherever it stands. */
export interface FakeLog {
  readonly topics: readonly string[];
  readonly data: string;
  readonly txHash: string;
  readonly logIndex: number;
}

export interface FakeBlock {
  readonly number: number;
  readonly hash: string;
  /** Seconds. */
  readonly timestamp: number;
  readonly logs: readonly FakeLog[];
}

/** Blocks by number, and which of them the tags name. */
export interface FakeChain {
  readonly blocks: Map<number, FakeBlock>;
  latest: number;
  safe: number;
  final: number;
}

export interface FakeNode {
  readonly url: string;
  chain: FakeChain;
  /** Calls so far, by method. */
  readonly calls: { [method: string]: number };
  /** Answers a call otherwise; undefined leaves it to the chain. */
  hook: (call: Call) => Answer | undefined;
  /** Answers a whole request otherwise, a text as a web page; undefined leaves it to `hook`. */
  door: (calls: readonly Call[]) => { readonly status?: number; readonly body: unknown } | undefined;
  close(): Promise<void>;
}

const TRANSFER = toEventSelector("Transfer(address,address,uint256)");
const AUTHORIZATION_USED = toEventSelector("AuthorizationUsed(address,bytes32)");
const AUTHORIZATION_CANCELED = toEventSelector("AuthorizationCanceled(address,bytes32)");
const PAYEE = `0x${"b".repeat(40)}`;
/** The time of block 0; four blocks are a second. */
const GENESIS = 1_700_000_000;

export const hex = (value: number): string => `0x${value.toString(16)}`;
const word = (value: string): string => `0x${value.replace("0x", "").padStart(64, "0")}`;
/** The `n`th wallet, nonce and transaction. */
export const walletOf = (n: number): string => `0x${n.toString(16).padStart(40, "0")}`;
export const nonceOf = (n: number): string => word(hex(n + 0x1000));
export const txHashOf = (n: number): string => word(hex(n + 0x2000));
/** The hash of a block; of one number there may be several, each of a branch with a letter of its own. */
export const hashOf = (number: number, branch = "a"): string =>
  `0x${branch.charCodeAt(0).toString(16).padStart(4, "0")}${number.toString(16).padStart(60, "0")}`;

/** The `n`th payment by `payer`, as USDC logs it. */
export function payment(payer: string, n: number, logIndex = 0): readonly FakeLog[] {
  const txHash = txHashOf(n);
  return [
    { topics: [AUTHORIZATION_USED, word(payer), nonceOf(n)], data: "0x", txHash, logIndex },
    { topics: [TRANSFER, word(payer), word(PAYEE)], data: word(hex(5)), txHash, logIndex: logIndex + 1 },
  ];
}

/** `payer` cancels the `n`th payment. */
export function cancelling(payer: string, n: number): readonly FakeLog[] {
  const topics = [AUTHORIZATION_CANCELED, word(payer), nonceOf(n)];
  return [{ topics, data: "0x", txHash: txHashOf(n), logIndex: 0 }];
}

/** A chain of empty blocks up to `latest`. */
export function chainOf(latest: number, safe: number, final: number, from = 0): FakeChain {
  const chain: FakeChain = { blocks: new Map(), latest, safe, final };
  build(chain, from, latest);
  return chain;
}

/** Puts empty blocks of a branch where others stand, or none yet; the last one is the newest from now on. */
export function build(chain: FakeChain, from: number, latest: number, branch = "a"): void {
  for (let number = from; number <= latest; number++) {
    const timestamp = GENESIS + Math.floor(number / 4);
    chain.blocks.set(number, { number, hash: hashOf(number, branch), timestamp, logs: [] });
  }
  chain.latest = latest;
}

/** Builds empty blocks on the newest one, and moves the tags. */
export function grow(
  chain: FakeChain,
  heads: { readonly latest: number; readonly safe?: number; readonly final?: number },
  branch = "a",
): void {
  build(chain, chain.latest + 1, heads.latest, branch);
  Object.assign(chain, heads);
}

/** What a block logs. @throws where there is no such block */
export function write({ blocks }: FakeChain, number: number, logs: readonly FakeLog[]): void {
  const block = blocks.get(number);
  if (block === undefined) throw new Error(`the chain has no block ${number}`);
  blocks.set(number, { ...block, logs });
}

/** Starts a node on a free port of 127.0.0.1; `path` goes into its URL. */
export async function startFakeNode(chain: FakeChain, path = ""): Promise<FakeNode> {
  const server = createServer(async (request, response) => {
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part as Buffer);
    const asked = JSON.parse(Buffer.concat(parts).toString()) as Call | Call[];
    const { status = 200, body } = answerTo(node, asked);
    const [type, text] = typeof body === "string" ? ["text/html", body] : ["application/json", JSON.stringify(body)];
    response.writeHead(status, { "content-type": type }).end(text);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const node: FakeNode = {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`,
    chain,
    calls: {},
    hook: () => undefined,
    door: () => undefined,
    async close() {
      if (!server.listening) return;
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
  return node;
}

function answerTo(node: FakeNode, asked: Call | readonly Call[]): { readonly status?: number; readonly body: unknown } {
  const calls = [asked].flat() as readonly Call[];
  for (const { method } of calls) node.calls[method] = (node.calls[method] ?? 0) + 1;
  const answers = calls.map((call) => ({
    jsonrpc: "2.0",
    id: call.id,
    ...(node.hook(call) ?? honest(node.chain, call)),
  }));
  return node.door(calls) ?? { body: Array.isArray(asked) ? answers : answers[0] };
}

/** What an honest node of this chain answers; null to what it knows nothing of. */
export function honest(chain: FakeChain, { method, params }: Pick<Call, "method" | "params">): Answer {
  const [first] = params;
  switch (method) {
    case "eth_chainId":
      return { result: hex(USDC_DOMAIN.chainId) };
    case "eth_blockNumber":
      return { result: hex(chain.latest) };
    case "eth_getBlockByNumber": {
      const tags: { readonly [tag: string]: number } = {
        latest: chain.latest,
        safe: chain.safe,
        finalized: chain.final,
      };
      const number = tags[first as string] ?? Number(first);
      return { result: number > chain.latest ? null : rawBlock(chain.blocks.get(number)) };
    }
    case "eth_getBlockByHash":
      return { result: rawBlock([...chain.blocks.values()].find(({ hash }) => hash === first)) };
    case "eth_getLogs":
      return logsOf(chain, first as LogFilter);
    default:
      return { result: null };
  }
}

/** The logs that a filter asks for, of one block or of a range, in their order. */
function logsOf({ blocks, latest }: FakeChain, filter: LogFilter): Answer {
  const { blockHash, fromBlock, toBlock } = filter;
  const last = Math.min(latest, Number(toBlock));
  const wanted = [...blocks.values()].filter(({ number, hash }) =>
    blockHash === undefined ? number >= Number(fromBlock) && number <= last : hash === blockHash,
  );
  if (blockHash !== undefined && wanted.length === 0) return UNKNOWN_BLOCK;
  const logs = wanted
    .sort((a, b) => a.number - b.number)
    .flatMap((block) => block.logs.map((log) => rawLog(block, log)))
    .filter((log) => fits(log, filter));
  return { result: logs };
}

function rawBlock(block: FakeBlock | undefined) {
  if (block === undefined) return null;
  return { number: hex(block.number), hash: block.hash, timestamp: hex(block.timestamp) };
}

function rawLog({ number, hash, timestamp }: FakeBlock, { topics, data, txHash, logIndex }: FakeLog) {
  const place = { blockNumber: hex(number), blockHash: hash, blockTimestamp: hex(timestamp) };
  return { address: USDC, topics, data, ...place, transactionHash: txHash, logIndex: hex(logIndex) };
}
