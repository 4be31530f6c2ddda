/**
 * The way to a chain: several RPC URLs, each with a health, asked in order of it. `requestTogether` sends one JSON-RPC
 * batch to one node, so that its answers speak for the same view of the chain. viem's actions go the same way.
 */
import { type Client, createClient, custom, type Hex } from "viem";
import { getHttpRpcClient, type HttpRpcClient } from "viem/utils";
import { isQuantity } from "./block.ts";
import { answered, complained, HEALTHY, type Health, isResting, penaltyAt, refused, scoreAt } from "./health.ts";
import { RpcError, type RpcFault, rpcErrorOf } from "./rpc-error.ts";

/** One RPC URL. Only `host` is ever shown: paths and queries hold keys. */
export interface Endpoint {
  readonly host: string;
  readonly rpc: HttpRpcClient;
  /** Parts of the URL that may be keys: they are taken out of whatever the node says. */
  readonly secrets: readonly string[];
  /** Until when it is believed to be a node of this chain: another's blocks would look like a reorg of everything. */
  oursUntil: number;
  health: Health;
}

export interface ChainClient {
  readonly chainId: number;
  /** For viem's actions: `getBalance(client.viem)`, `multicall(client.viem, ...)`. */
  readonly viem: Client;
  readonly endpoints: readonly Endpoint[];
  /** The endpoint that answered last, by its place. */
  last: number;
  /** What has been sent so far: HTTP requests, and the JSON-RPC calls in them. */
  readonly sent: { requests: number; calls: number };
  /** What goes into one batch, and into one eth_getLogs; less where a node says that it is too much. */
  readonly limits: { calls: number; wallets: number };
  /** Milliseconds; only differences count. */
  readonly clock: () => number;
}

export interface ChainClientOptions {
  readonly chainId: number;
  /** http(s) URLs, the best first; at least one. */
  readonly rpcUrls: readonly string[];
  /** Longest wait for one answer, default 10,000 ms. */
  readonly timeoutMs?: number | undefined;
  readonly clock?: (() => number) | undefined;
}

export interface Call {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** A node as people see it. */
export interface NodeHealth {
  readonly host: string;
  /** 1: nothing stands against it, 0: as bad as can be. */
  readonly score: number;
  /** Milliseconds until it is asked again; 0 where it may be asked now. */
  readonly restMs: number;
}

/** geth takes 1,000 values a topic, other providers fewer; batches are commonly capped at 100 calls, or far lower. */
const LIMITS = { calls: 52, wallets: 250 };
/** The least that one batch holds: two blocks and one eth_getLogs. */
const CALLS_MIN = 3;

/** Answers above this are refused: a node that sends more was asked for too much. */
const ANSWER_BYTES_MAX = 32 * 1024 * 1024;
/** A local node may be replaced by another chain's on the same port. */
const OURS_MS = 60_000;

/** @throws {RpcError} where no URL is given or one is none */
export function createChainClient(options: ChainClientOptions): ChainClient {
  const { chainId, rpcUrls, timeoutMs = 10_000, clock = Date.now } = options;
  if (rpcUrls.length === 0)
    throw new RpcError("config", "-", `chain ${chainId} has no RPC URL: name one in chains[0].rpcUrls`);
  const limits = { timeout: timeoutMs, maxResponseBodySize: ANSWER_BYTES_MAX };
  const endpoints = rpcUrls.map((url, index): Endpoint => {
    if (!URL.canParse(url) || !/^https?:$/.test(new URL(url).protocol))
      throw new RpcError("config", "-", `rpcUrls[${index}] is no http(s) URL`);
    const rpc = getHttpRpcClient(url, limits);
    return { host: new URL(url).host, rpc, secrets: secretsOf(new URL(url)), oursUntil: 0, health: HEALTHY };
  });
  const one = async ({ method, params }: { method: string; params?: unknown }) => {
    const [result] = await requestTogether(client, [{ method, params: (params ?? []) as readonly unknown[] }]);
    return result;
  };
  const viem = createClient({ transport: custom({ request: one }, { retryCount: 0 }), cacheTime: 0 });
  const sent = { requests: 0, calls: 0 };
  const client: ChainClient = { chainId, viem, endpoints, last: 0, sent, limits: { ...LIMITS }, clock };
  return client;
}

/**
 * Sends `calls` as one JSON-RPC batch to one node and gives their results in order. A node that cannot be reached, or
 * limits its callers, is passed over for the next.
 * @throws {RpcError} when no node answered every call; a revert of an eth_call is the answer, whichever node gives it
 */
export async function requestTogether(client: ChainClient, calls: readonly Call[]): Promise<readonly unknown[]> {
  const results = await requestEach(client, calls);
  const revert = results.find((result) => result instanceof RpcError);
  if (revert !== undefined) throw revert;
  return results;
}

/** As `requestTogether`; a call that reverted has its RpcError, with the contract's `data`, in the place of its result. */
async function requestEach(client: ChainClient, calls: readonly Call[]): Promise<readonly unknown[]> {
  let worst: RpcError | undefined;
  for (const endpoint of inOrder(client)) {
    try {
      return await askOne(client, endpoint, calls);
    } catch (error) {
      worst = graver(worst, rpcErrorOf(endpoint.host, error));
    }
  }
  throw worst ?? restingError(client);
}

/** As `requestEach`, for calls that need not be answered by one node: in as many batches as the nodes allow. */
export async function requestSplit(client: ChainClient, calls: readonly Call[]): Promise<readonly unknown[]> {
  const results: unknown[] = [];
  while (results.length < calls.length) {
    const part = calls.slice(results.length, results.length + client.limits.calls);
    try {
      results.push(...(await requestEach(client, part)));
    } catch (error) {
      if (!(error instanceof RpcError) || error.fault !== "limit" || !chooseFewer(client, error, true)) throw error;
    }
  }
  return results;
}

/**
 * Takes fewer calls a batch, or fewer wallets a call, where that is what the node refused, or may be (`isLast`: nothing
 * else can be made smaller). False where no less is possible.
 */
export function chooseFewer({ limits }: ChainClient, { message }: RpcError, isLast: boolean): boolean {
  const before = limits.calls + limits.wallets;
  const isBatch = /batch/i.test(message);
  const isTopics = /topic|address|argument/i.test(message);
  if (isBatch || (isLast && !isTopics)) limits.calls = Math.max(CALLS_MIN, limits.calls >> 1);
  if (isTopics || (isLast && !isBatch)) limits.wallets = Math.max(1, limits.wallets >> 1);
  return limits.calls + limits.wallets < before;
}

/**
 * Sends `calls` to one endpoint and takes note of how it did.
 * @throws {RpcError}
 */
export async function askOne(
  client: ChainClient,
  endpoint: Endpoint,
  calls: readonly Call[],
): Promise<readonly unknown[]> {
  try {
    const results = await requestOurs(client, endpoint, calls);
    endpoint.health = answered(endpoint.health);
    client.last = client.endpoints.indexOf(endpoint);
    return results;
  } catch (error) {
    const fault = withoutSecrets(rpcErrorOf(endpoint.host, error), endpoint);
    const now = client.clock();
    if (fault.fault === "rate") endpoint.health = refused(endpoint.health, now, fault.retryAfterMs);
    else if (fault.fault !== "limit" || fault.isTimeout) {
      endpoint.health = complained(endpoint.health, now);
      endpoint.oursUntil = 0; // what answers there next may be another node
    }
    throw fault;
  }
}

/** Whatever stands in a URL beside its host, in pieces. */
function secretsOf({ username, password, pathname, searchParams }: URL): string[] {
  const parts = [username, password, ...pathname.split("/"), ...searchParams.values()];
  const decoded = parts.map((part) => {
    try {
      return decodeURIComponent(part);
    } catch {
      return part;
    }
  });
  return [...new Set([...parts, ...decoded])].filter((part) => part.length >= SECRET_MIN);
}

/** Shorter parts, such as "v2" or "rpc", are words. */
const SECRET_MIN = 6;

function withoutSecrets(fault: RpcError, { host, secrets }: Endpoint): RpcError {
  if (!secrets.some((secret) => fault.message.includes(secret))) return fault;
  const words = secrets.reduce((text, secret) => text.replaceAll(secret, "<key>"), fault.message);
  const said = words.startsWith(`RPC ${host}: `) ? words.slice(`RPC ${host}: `.length) : words;
  return new RpcError(fault.fault, host, said, fault);
}

/** The endpoints to ask, the most trusted first; one that rests is not asked. */
export function inOrder(client: ChainClient): readonly Endpoint[] {
  const now = client.clock();
  return client.endpoints
    .filter(({ health }) => !isResting(health, now))
    .map((endpoint, place) => ({ endpoint, place, penalty: penaltyAt(endpoint.health, now) }))
    .sort((a, b) => a.penalty - b.penalty || a.place - b.place)
    .map(({ endpoint }) => endpoint);
}

/** The node lags, or shows what others do not: another is asked first for a while. */
export function complainOf({ clock }: ChainClient, endpoint: Endpoint): void {
  endpoint.health = complained(endpoint.health, clock());
}

/** As `complainOf` the node that answered last. */
export function complainOfLast(client: ChainClient): void {
  const endpoint = client.endpoints[client.last];
  if (endpoint !== undefined) complainOf(client, endpoint);
}

/** The host that answered last. */
export function hostOf(client: ChainClient): string {
  return client.endpoints[client.last]?.host ?? "-";
}

/** Every node as people see it, in the order of the config. */
export function healthOf({ endpoints, clock }: ChainClient): readonly NodeHealth[] {
  const now = clock();
  return endpoints.map(({ host, health }) => ({
    host,
    score: scoreAt(health, now),
    restMs: Math.max(0, health.restUntil - now),
  }));
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

/** As requestOne; an endpoint that has not said so lately is asked for its chain too, in the same batch. */
async function requestOurs(client: ChainClient, endpoint: Endpoint, calls: readonly Call[]) {
  if (endpoint.oursUntil > client.clock()) return requestOne(client, endpoint, calls);
  const [chainId, ...results] = await requestOne(client, endpoint, [{ method: "eth_chainId", params: [] }, ...calls]);
  const said = isQuantity(chainId) ? String(Number(chainId)) : "that has no number";
  if (said !== String(client.chainId))
    throw new RpcError("config", endpoint.host, `answers for chain ${said}, not ${client.chainId}: correct rpcUrls`);
  endpoint.oursUntil = client.clock() + OURS_MS;
  return results;
}

async function requestOne(
  { sent }: ChainClient,
  { host, rpc }: Endpoint,
  calls: readonly Call[],
): Promise<readonly unknown[]> {
  sent.requests += 1;
  sent.calls += calls.length;
  const body = calls.map(({ method, params }, id) => ({ id, method, params }));
  let response: Response | undefined;
  const onResponse = (one: Response): void => {
    response = one;
  };
  const answers = (await rpc.request({ body, onResponse }).catch((error: Error & { status?: number }) => {
    // What calls itself JSON and is none hides that the status was not well.
    if (error.status !== undefined || response === undefined || response.ok) throw error;
    throw rpcErrorOf(host, { status: response.status, headers: response.headers, message: "no JSON" });
  })) as unknown as readonly Answer[];
  const results: unknown[] = new Array(calls.length);
  const seen = new Set<number>();
  for (const { id, result, error } of answers) {
    if (error !== undefined && error !== null) {
      const fault = rpcErrorOf(host, { headers: response?.headers, ...error }, calls[id]?.method);
      if (fault.data === undefined) throw fault;
      results[id] = fault;
    } else results[id] = result;
    seen.add(id);
  }
  if (seen.size !== calls.length)
    throw new RpcError("unavailable", host, `answered ${seen.size} of ${calls.length} calls of a batch`);
  return results;
}

/** Every node asked for a pause. */
function restingError(client: ChainClient): RpcError {
  const [first] = [...client.endpoints].sort((a, b) => a.health.restUntil - b.health.restUntil);
  const wait = Math.max(0, (first?.health.restUntil ?? 0) - client.clock());
  return new RpcError("rate", first?.host ?? "-", `asked for a pause; the next try is in ${Math.ceil(wait / 1000)} s`, {
    retryAfterMs: wait,
  });
}

/** The first word on a range counts: another node that is merely down must not hide that it was too large. */
export function graver(before: RpcError | undefined, fault: RpcError): RpcError {
  return before === undefined || WEIGHTS[fault.fault] > WEIGHTS[before.fault] ? fault : before;
}

const WEIGHTS: { readonly [fault in RpcFault]: number } = { limit: 3, rate: 2, config: 1, unavailable: 0 };
