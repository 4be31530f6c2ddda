/**
 * The way to a chain: a viem client over several RPC URLs. `requestTogether` sends one JSON-RPC batch to one node, so
 * that its answers speak for the same view of the chain; viem's own fallback may split a batch between nodes.
 */
import { type Client, createClient, fallback, type Hex, http } from "viem";
import { getHttpRpcClient, type HttpRpcClient } from "viem/utils";
import { isQuantity } from "./block.ts";
import { RpcError, type RpcFault, rpcErrorOf } from "./rpc-error.ts";

/** One RPC URL. Only `host` is ever shown: paths and queries hold keys. */
export interface Endpoint {
  readonly host: string;
  readonly rpc: HttpRpcClient;
  /** Whether it has said that it is a node of this chain: another's blocks would look like a reorg of everything. */
  isOurs: boolean;
}

export interface ChainClient {
  readonly chainId: number;
  /** For viem's actions: `getBalance(client.viem)`, `multicall(client.viem, ...)`. */
  readonly viem: Client;
  readonly endpoints: readonly Endpoint[];
  /** Which endpoint is asked first: the last that answered. */
  preferred: number;
}

export interface ChainClientOptions {
  readonly chainId: number;
  /** http(s) URLs, the best first; at least one. */
  readonly rpcUrls: readonly string[];
  /** Longest wait for one answer, default 10,000 ms. */
  readonly timeoutMs?: number | undefined;
}

export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** Answers above this are refused: a node that sends more was asked for too much. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;

/** @throws {RpcError} where no URL is given or one is none */
export function createChainClient(options: ChainClientOptions): ChainClient {
  const { chainId, rpcUrls, timeoutMs = 10_000 } = options;
  if (rpcUrls.length === 0)
    throw new RpcError("config", "-", `chain ${chainId} has no RPC URL: name one in chains[0].rpcUrls`);
  const limits = { timeout: timeoutMs, maxResponseBodySize: ANSWER_BYTES_MAX };
  const endpoints = rpcUrls.map((url, index) => {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new RpcError("config", "-", `rpcUrls[${index}] is no http(s) URL`);
    return { host: new URL(url).host, rpc: getHttpRpcClient(url, limits), isOurs: false };
  });
  const transport = fallback(
    rpcUrls.map((url) => http(url, { ...limits, batch: { batchSize: 50 }, retryCount: 0 })),
    { retryCount: 1 },
  );
  return { chainId, viem: createClient({ transport, cacheTime: 0 }), endpoints, preferred: 0 };
}

/**
 * Sends `calls` as one JSON-RPC batch to one node and gives their results in order. A node that cannot be reached, or
 * limits its callers, is passed over for the next; the one that answered is asked first from then on.
 * @throws {RpcError} of the last node asked, when none answered every call
 */
export async function requestTogether(client: ChainClient, calls: readonly Call[]): Promise<readonly unknown[]> {
  let last: RpcError | undefined;
  for (let turn = 0; turn < client.endpoints.length; turn++) {
    const index = (client.preferred + turn) % client.endpoints.length;
    const endpoint = client.endpoints[index] as Endpoint;
    try {
      const results = await requestOurs(client, endpoint, calls);
      client.preferred = index;
      return results;
    } catch (error) {
      const fault = rpcErrorOf(endpoint.host, error);
      // The first word on a range counts: another node that is merely down must not hide that it was too large.
      if (last === undefined || weight(fault.fault) >= weight(last.fault)) last = fault;
    }
  }
  throw last as RpcError;
}

/** Asks another node first from now on: the preferred one lags behind. */
export function preferNext(client: ChainClient): void {
  client.preferred = (client.preferred + 1) % client.endpoints.length;
}

/** The host that answered last. */
export function hostOf(client: ChainClient): string {
  return client.endpoints[client.preferred]?.host ?? "-";
}

/** @throws {RpcError} for a node of another chain */
export function checkChain(client: ChainClient, endpoint: Endpoint, chainId: unknown): void {
  endpoint.isOurs = isQuantity(chainId) && Number(chainId) === client.chainId;
  if (endpoint.isOurs) return;
  const said = isQuantity(chainId) ? String(Number(chainId)) : "that has no number";
  throw new RpcError("config", endpoint.host, `answers for chain ${said}, not ${client.chainId}: correct rpcUrls`);
}

/** A block number as JSON-RPC writes it. */
export function quantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}

interface Answer {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

/** As requestOne; an endpoint that has not been asked before is asked for its chain too, in the same batch. */
async function requestOurs(client: ChainClient, endpoint: Endpoint, calls: readonly Call[]) {
  if (endpoint.isOurs) return requestOne(endpoint, calls);
  const [chainId, ...results] = await requestOne(endpoint, [{ method: "eth_chainId", params: [] }, ...calls]);
  checkChain(client, endpoint, chainId);
  return results;
}

async function requestOne({ host, rpc }: Endpoint, calls: readonly Call[]): Promise<readonly unknown[]> {
  const body = calls.map(({ method, params }, id) => ({ id, method, params }));
  const answers = (await rpc.request({ body })) as unknown as readonly Answer[];
  const results: unknown[] = new Array(calls.length);
  const seen = new Set<number>();
  for (const { id, result, error } of answers) {
    if (error !== undefined && error !== null) throw rpcErrorOf(host, error, calls[id]?.method);
    results[id] = result;
    seen.add(id);
  }
  if (seen.size !== calls.length)
    throw new RpcError("unavailable", host, `answered ${seen.size} of ${calls.length} calls of a batch`);
  return results;
}

function weight(fault: RpcFault): number {
  return fault === "limit" ? 1 : 0;
}
