/**
 * A JSON-RPC node that misbehaves on demand, in front of one that does not, and counts what it is asked. What it does
 * wrong is what providers' nodes were seen to do; `misbehave` takes several faults at once, and `honest` ends all.
 */
import { once } from "node:events";
import { createServer, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import {
  type Answer,
  type Ask,
  type Call,
  forkedView,
  type LogFilter,
  laggingView,
  type RawLog,
  staleView,
  type View,
} from "./rpc-views.ts";

export interface Misbehaviour {
  /** Answers no request as it should: never, by HTTP 502, a page, nothing, `null`, or an empty batch. */
  readonly door?: "silent" | "bad_gateway" | "html" | "no_body" | "null" | "no_answers";
  /** Refuses every request for being one too many. */
  readonly rate?: Rate;
  /** Answers these methods by an error, and all others. */
  readonly failing?: readonly string[];
  /** Answers these methods so, whatever the node would say. */
  readonly claims?: { readonly [method: string]: unknown };
  /** Stands at this block, or this far behind the newest, for all methods. */
  readonly stale?: { readonly at: number } | { readonly behind: number };
  /** Knows its newest block by tag only: lacks every block above, and finds no logs there, without an error. */
  readonly lacksAbove?: number;
  /** Another view of the chain, such as one that `forked` made. */
  readonly view?: View;
  /** Leaves out the second half of every batch. */
  readonly halves?: boolean;
  /** What it does to logs: each twice, the last first, others' between them. */
  readonly logs?: readonly ("double" | "reverse" | "strangers")[];
  /** Refuses eth_getLogs over more blocks, in a provider's words. */
  readonly blocksMax?: number;
  /** Refuses eth_getLogs that would give more logs, in a provider's words. */
  readonly logsMax?: number;
  /** Asked for each request: false lets it be answered honestly, as another backend would. */
  readonly when?: () => boolean;
}

/** By HTTP 429 or by a JSON-RPC error; with a time, it refuses until that is over, and then it answers. */
export interface Rate {
  readonly as: "http" | "rpc";
  readonly retryAfterSeconds?: number;
}

export interface Tally {
  readonly requests: number;
  /** Calls by method; a batch of three is three. */
  readonly calls: { readonly [method: string]: number };
  readonly bytesIn: number;
  readonly bytesOut: number;
  /** eth_getLogs refused for what they asked at once. */
  readonly refused: number;
  /** Requests that came though Retry-After had not passed. */
  readonly early: number;
}

export interface RpcProxy {
  readonly url: string;
  readonly tally: Tally;
  /** `tally.refused`. */
  readonly refused: number;
  honest(): void;
  /** Does this from now on, and nothing of what it did before. */
  misbehave(faults: Misbehaviour): void;
  /** A view that keeps the last `depth` blocks as they are now, to be given to `misbehave`. */
  forked(depth: number, asset: string, ahead?: number): Promise<View>;
  /** Nobody listens at its port any more, until it comes back. */
  leave(): Promise<void>;
  comeBack(): Promise<void>;
  /** Starts counting at 0 again. */
  count(): void;
  /** Shorthands of `misbehave` that add to what it does. */
  lag(last: number): void;
  limitRange(blocks: number): void;
  refuseAll(): void;
  claim(method: string, result: unknown): void;
  close(): Promise<void>;
}

export async function startRpcProxy(target: string): Promise<RpcProxy> {
  let faults: Misbehaviour = {};
  let refusedUntil: number | null = null;
  let tally = emptyTally();
  const silent = new Set<ServerResponse>();

  const post = async (body: unknown): Promise<unknown> => {
    const headers = { "content-type": "application/json" };
    return (await fetch(target, { method: "POST", headers, body: JSON.stringify(body) })).json();
  };
  const ask: Ask = async (method, params) => {
    const { result, error } = (await post({ jsonrpc: "2.0", id: 1, method, params })) as {
      result?: unknown;
      error?: { code: number; message: string };
    };
    return error === undefined ? { result } : { error };
  };

  const viewOf = ({ view, stale, lacksAbove }: Misbehaviour): View => {
    if (view !== undefined) return view;
    if (stale !== undefined)
      return staleView(async (asked) => {
        const there = await asked("eth_blockNumber", []);
        const now = "result" in there ? Number(there.result) : 0;
        return Math.max(0, "at" in stale ? Math.min(now, stale.at) : now - stale.behind);
      });
    return lacksAbove === undefined ? ({ method, params }, asked) => asked(method, params) : laggingView(lacksAbove);
  };

  const answer = async (call: Call, doing: Misbehaviour): Promise<Answer> => {
    const { failing, claims, blocksMax, logsMax, logs } = doing;
    if (failing?.includes(call.method)) return { error: { code: -32603, message: "internal error" } };
    if (claims !== undefined && call.method in claims) return { result: claims[call.method] };
    if (call.method !== "eth_getLogs") return viewOf(doing)(call, ask);
    const filter = call.params[0] as LogFilter;
    const { fromBlock, toBlock } = filter;
    if (blocksMax !== undefined && Number(toBlock) - Number(fromBlock) + 1 > blocksMax) {
      tally.refused += 1;
      return { error: { code: -32602, message: `eth_getLogs is limited to a ${blocksMax} block range` } };
    }
    const found = await viewOf(doing)(call, ask);
    if ("error" in found) return found;
    const list = found.result as RawLog[];
    if (logsMax !== undefined && list.length > logsMax) {
      tally.refused += 1;
      return { error: { code: -32005, message: `query returned more than ${logsMax} results` } };
    }
    return { result: logs === undefined ? list : disturbed(list, filter, logs) };
  };

  const respond = async (text: string, response: ServerResponse): Promise<unknown> => {
    const body = JSON.parse(text) as Call | Call[];
    const calls = [body].flat();
    tally.requests += 1;
    tally.bytesIn += text.length;
    for (const { method } of calls) tally.calls[method] = (tally.calls[method] ?? 0) + 1;
    const doing = (faults.when?.() ?? true) ? faults : {};
    const send = (status: number, content: string, headers: { readonly [name: string]: string } = {}) => {
      tally.bytesOut += content.length;
      return response.writeHead(status, { "content-type": "application/json", ...headers }).end(content);
    };
    switch (doing.door) {
      case "silent":
        return silent.add(response);
      case "bad_gateway":
        return send(502, "bad gateway");
      case "html":
        return send(200, "<!doctype html><title>Sign in</title>", { "content-type": "text/html" });
      case "no_body":
        return send(200, "");
      case "null":
        return send(200, "null");
      case "no_answers":
        return send(200, "[]");
    }
    if (doing.rate !== undefined && refuses(doing.rate)) {
      const { as, retryAfterSeconds } = doing.rate;
      const headers = retryAfterSeconds === undefined ? {} : { "retry-after": String(retryAfterSeconds) };
      if (as === "http") return send(429, '{"message":"slow down"}', headers);
      const error = { code: -32007, message: "too many requests: 25/second request limit reached" };
      const refusals = calls.map(({ id }) => ({ jsonrpc: "2.0", id, error }));
      return send(200, JSON.stringify(Array.isArray(body) ? refusals : refusals[0]), headers);
    }
    if (Object.keys(doing).length === 0) return send(200, JSON.stringify(await post(body)));
    const answers: unknown[] = [];
    const part = doing.halves === true ? calls.slice(0, Math.floor(calls.length / 2)) : calls;
    for (const call of part) answers.push({ jsonrpc: "2.0", id: call.id, ...(await answer(call, doing)) });
    return send(200, JSON.stringify(Array.isArray(body) ? answers : (answers[0] ?? null)));
  };

  /** True while it refuses; a refusal with a time begins with the first request and ends with that time. */
  const refuses = ({ retryAfterSeconds }: Rate): boolean => {
    if (retryAfterSeconds === undefined) return true;
    const now = performance.now();
    if (refusedUntil === null) {
      // A little less than was said: our clock and the caller's timer do not tick together.
      refusedUntil = now + retryAfterSeconds * 950;
      return true;
    }
    if (now >= refusedUntil) return false;
    tally.early += 1;
    return true;
  };

  const listen = async (port: number): Promise<Server> => {
    const server = createServer(async (request, response) => {
      const parts: Buffer[] = [];
      for await (const part of request) parts.push(part as Buffer);
      await respond(Buffer.concat(parts).toString(), response).catch(() => response.destroy());
    }).listen(port, "127.0.0.1");
    await once(server, "listening");
    return server;
  };
  let server: Server | null = await listen(0);
  const { port } = server.address() as AddressInfo;

  const change = (to: Misbehaviour): void => {
    faults = to;
    refusedUntil = null;
    for (const response of silent) response.destroy();
    silent.clear();
  };
  const leave = async (): Promise<void> => {
    if (server === null) return;
    const leaving = server;
    server = null;
    leaving.closeAllConnections();
    leaving.close();
    await once(leaving, "close");
  };

  return {
    url: `http://127.0.0.1:${port}`,
    get tally() {
      return tally;
    },
    get refused() {
      return tally.refused;
    },
    honest() {
      change({});
      tally = emptyTally();
    },
    misbehave: change,
    forked: (depth, asset, ahead) => forkedView(ask, depth, asset, ahead),
    leave,
    async comeBack() {
      server ??= await listen(port);
    },
    count() {
      tally = emptyTally();
    },
    lag: (last) => change({ ...faults, lacksAbove: last }),
    limitRange: (blocks) => change({ ...faults, blocksMax: blocks }),
    refuseAll: () => change({ ...faults, door: "bad_gateway" }),
    claim: (method, result) => change({ ...faults, claims: { ...faults.claims, [method]: result } }),
    close: leave,
  };
}

function emptyTally() {
  return { requests: 0, calls: {} as { [method: string]: number }, bytesIn: 0, bytesOut: 0, refused: 0, early: 0 };
}

/** What a stranger's log is about: a wallet and a token that nobody here knows. */
const STRANGER = "9".repeat(40);

/** Logs as a node that minds no filter gives them. */
function disturbed(
  logs: readonly RawLog[],
  { topics = [] }: LogFilter,
  how: readonly ("double" | "reverse" | "strangers")[],
): readonly RawLog[] {
  const strangers = how.includes("strangers") ? logs.flatMap((log) => strangersOf(log, topics.length > 1)) : [];
  const all = [...logs, ...strangers];
  const doubled = how.includes("double") ? all.flatMap((log) => [log, log]) : all;
  return how.includes("reverse") ? doubled.toReversed() : doubled;
}

/** Beside a log, in its transaction: the same of another token, and, where wallets were asked for, of another wallet. */
function strangersOf(log: RawLog, ofWallets: boolean): RawLog[] {
  const [topic = "", , ...rest] = log.topics;
  const at = (index: number) => `0x${(Number(log.logIndex) + index).toString(16)}`;
  const token = { ...log, address: `0x${STRANGER}`, logIndex: at(1000) };
  const wallet = { ...log, topics: [topic, `0x${STRANGER.padStart(64, "0")}`, ...rest], logIndex: at(2000) };
  return ofWallets ? [token, wallet] : [token];
}
