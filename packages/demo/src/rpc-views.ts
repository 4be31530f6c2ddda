/**
 * How a node that is not where the chain is answers: one that stands behind, one behind a balancer that knows its
 * newest block by number only, one that keeps a fork which the chain has left. Each answers as nodes do: by null, `[]`
 * or an error, never by a hint that it is behind.
 */
import { createHash } from "node:crypto";

export interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

export type Answer = { readonly result: unknown } | { readonly error: { code: number; message: string } };

/** The honest node, asked for one call. */
export type Ask = (method: string, params: readonly unknown[]) => Promise<Answer>;

export type View = (call: Call, ask: Ask) => Promise<Answer>;

/** Safe and final blocks of the local chain stand one and two below the newest. */
const BEHIND: { readonly [tag: string]: number } = { latest: 0, pending: 0, safe: 1, finalized: 2 };

/** A node whose newest block is at most `top`, for every method; `top` is asked with each call. */
export function staleView(top: (ask: Ask) => Promise<number>): View {
  return async (call, ask) => {
    const { method, params } = call;
    const last = await top(ask);
    if (method === "eth_blockNumber") return { result: hex(last) };
    if (method === "eth_getBlockByNumber") {
      const number = numberOf(params[0], last);
      return number > last ? { result: null } : ask(method, [hex(number), params[1]]);
    }
    if (method === "eth_getLogs") {
      const filter = params[0] as LogFilter;
      if (filter.blockHash !== undefined) {
        const block = await ask("eth_getBlockByHash", [filter.blockHash, false]);
        return placeOf(block) <= last ? ask(method, params) : UNKNOWN_BLOCK;
      }
      const [from, to] = [numberOf(filter.fromBlock, last), Math.min(last, numberOf(filter.toBlock, last))];
      if (from > to) return { result: [] };
      return ask(method, [{ ...filter, fromBlock: hex(from), toBlock: hex(to) }]);
    }
    if (method === "eth_call") {
      const number = numberOf(params[1] ?? "latest", last);
      return number > last ? NO_HEADER : ask(method, [params[0], hex(number)]);
    }
    if (BY_HASH.has(method)) {
      const answer = await ask(method, params);
      return placeOf(answer) <= last ? answer : { result: null };
    }
    return ask(method, params);
  };
}

/** A backend of a balancer: it names the newest block by tag, lacks every block above `last`, and finds no logs there. */
export function laggingView(last: number): View {
  return async ({ method, params }, ask) => {
    const [first] = params;
    if (method === "eth_getBlockByNumber" && isNumber(first) && Number(first) > last) return { result: null };
    if (method === "eth_getLogs" && Number((first as LogFilter).toBlock ?? 0) > last) return { result: [] };
    return ask(method, params);
  };
}

/**
 * A node that keeps the last `depth` blocks as they are now, whatever the chain does, and builds empty blocks on them
 * so that it stays as high as the chain, and `ahead` higher. `asset` is the token whose logs it remembers.
 */
export async function forkedView(ask: Ask, depth: number, asset: string, ahead = 0): Promise<View> {
  const result = async <T>(method: string, params: readonly unknown[]): Promise<T> => {
    const answer = await ask(method, params);
    if ("error" in answer) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result as T;
  };
  const head = Number(await result<string>("eth_blockNumber", []));
  const base = Math.max(0, head - depth);
  const blocks = new Map<number, RawBlock>();
  const logs: RawLog[] = [];
  for (let number = base + 1; number <= head; number++) {
    const block = await result<RawBlock>("eth_getBlockByNumber", [hex(number), false]);
    blocks.set(number, block);
    logs.push(...(await result<RawLog[]>("eth_getLogs", [{ address: asset, blockHash: block.hash }])));
  }
  const receipts = new Map<string, unknown>();
  for (const { transactionHash } of logs)
    if (!receipts.has(transactionHash))
      receipts.set(transactionHash, await result("eth_getTransactionReceipt", [transactionHash]));

  const top = async (asked: Ask): Promise<number> => {
    const there = await asked("eth_blockNumber", []);
    const now = "result" in there ? Number(there.result) : head;
    for (let number = head + 1; number <= now + ahead; number++) {
      if (blocks.has(number)) continue;
      const parent = blocks.get(number - 1) as RawBlock;
      const hash = `0x${createHash("sha256").update(`${parent.hash}${number}`).digest("hex")}`;
      blocks.set(number, { ...parent, number: hex(number), parentHash: parent.hash, hash, transactions: [] });
    }
    return Math.max(...blocks.keys());
  };

  return async ({ method, params }, asked) => {
    const last = await top(asked);
    if (method === "eth_blockNumber") return { result: hex(last) };
    if (method === "eth_getBlockByNumber") {
      const number = numberOf(params[0], last);
      return number > base ? { result: blocks.get(number) ?? null } : asked(method, [hex(number), params[1]]);
    }
    if (method === "eth_getBlockByHash") {
      const own = [...blocks.values()].find(({ hash }) => hash === params[0]);
      if (own !== undefined) return { result: own };
    }
    if (method === "eth_getLogs") {
      const filter = params[0] as LogFilter;
      if (filter.blockHash !== undefined) {
        if ([...blocks.values()].some(({ hash }) => hash === filter.blockHash))
          return { result: logs.filter((log) => log.blockHash === filter.blockHash && fits(log, filter)) };
        const block = await asked("eth_getBlockByHash", [filter.blockHash, false]);
        return placeOf(block) <= base ? asked(method, params) : UNKNOWN_BLOCK;
      }
      const [from, to] = [numberOf(filter.fromBlock, last), numberOf(filter.toBlock, last)];
      const below = from > base ? [] : await asked(method, [{ ...filter, toBlock: hex(Math.min(to, base)) }]);
      if ("error" in below) return below;
      const shared = "result" in below ? (below.result as RawLog[]) : [];
      const own = logs.filter(
        (log) => Number(log.blockNumber) >= from && Number(log.blockNumber) <= to && fits(log, filter),
      );
      return { result: [...shared, ...own] };
    }
    if (method === "eth_getTransactionReceipt" && receipts.has(params[0] as string))
      return { result: receipts.get(params[0] as string) };
    if (method === "eth_call") {
      const number = numberOf(params[1] ?? "latest", last);
      return number > last ? NO_HEADER : asked(method, [params[0], hex(Math.min(base, number))]);
    }
    if (BY_HASH.has(method)) {
      const answer = await asked(method, params);
      return placeOf(answer) <= base ? answer : { result: null };
    }
    return asked(method, params);
  };
}

export interface RawLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly logIndex: string;
}

export interface LogFilter {
  readonly address?: string;
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly blockHash?: string;
  readonly topics?: readonly (string | readonly string[] | null)[];
}

interface RawBlock {
  readonly number: string;
  readonly hash: string;
  readonly parentHash: string;
  readonly transactions: readonly unknown[];
}

const BY_HASH: ReadonlySet<string> = new Set([
  "eth_getBlockByHash",
  "eth_getTransactionReceipt",
  "eth_getTransactionByHash",
]);

/** As geth and anvil say that they do not have a block. */
export const UNKNOWN_BLOCK: Answer = { error: { code: -32000, message: "unknown block" } };
const NO_HEADER: Answer = { error: { code: -32000, message: "header not found" } };

/** The block of a block, transaction or receipt; what is nowhere stands above everything, what waits below. */
function placeOf(answer: Answer): number {
  if ("error" in answer || answer.result === null) return Number.POSITIVE_INFINITY;
  const { number, blockNumber } = answer.result as { number?: string; blockNumber?: string | null };
  return Number(number ?? blockNumber ?? 0);
}

function numberOf(block: unknown, last: number): number {
  if (block === undefined) return last;
  if (typeof block === "object" && block !== null) return Number((block as { blockNumber?: string }).blockNumber);
  return isNumber(block) ? Number(block) : Math.max(0, last - (BEHIND[block as string] ?? 0));
}

function isNumber(block: unknown): boolean {
  return typeof block === "string" && block.startsWith("0x");
}

/** Whether a filter asks for this log, its blocks aside. */
export function fits(log: RawLog, { address, topics = [] }: LogFilter): boolean {
  if (address !== undefined && address.toLowerCase() !== log.address.toLowerCase()) return false;
  return topics.every((wanted, index) => {
    if (wanted === null) return true;
    return [wanted].flat().some((topic) => topic.toLowerCase() === log.topics[index]?.toLowerCase());
  });
}

const hex = (number: number): string => `0x${number.toString(16)}`;
