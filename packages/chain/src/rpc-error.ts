/** What went wrong on the way to a node, in words that hold no key: the URL's host, never the URL. */

/**
 * - `limit`: the node wants less at once: a smaller range may do.
 * - `rate`: the node wants to be asked less often; a much smaller range would only mean more calls.
 * - `unavailable`: no answer, or none that can be used; try again.
 * - `config`: it never will, until a human changes something.
 */
export type RpcFault = "limit" | "rate" | "unavailable" | "config";

/** How providers say that a range held too much or callers asked too often; they share neither code nor words. */
const LIMIT = /too many|too large|too big|too wide|limit|exceed|more than \d+|block range|time(?:out|d out)/i;
const RATE = /too many requests|rate.?limit|request rate|requests? (?:count|limit)|per second|quota|capacity|throttl/i;

/** How nodes say that they do not have a block that was asked for: they lag, or it is gone. */
const MISSING =
  /beyond (?:the )?current head|out ?of ?range ?error|unknown block|header not found|block.*(?:not found|missing|unavailable)/i;

/** EIP-1474's code for limits of both kinds, and the codes that some send for callers that ask too often. */
const LIMIT_CODE = -32005;
const RATE_CODES = new Set([429, -32007, -32016]);

const LIMIT_STATUS = new Set([408, 413]);

/** Any error of a request as an RpcError about `host`; `method` is the call it answered, where that is known. */
export function rpcErrorOf(host: string, error: unknown, method?: string): RpcError {
  // What came through viem's actions is wrapped.
  for (let cause = error; cause instanceof Error; cause = cause.cause) if (cause instanceof RpcError) return cause;
  const { code, status, data, headers, details, message, shortMessage, name } = error as {
    data?: unknown;
    headers?: Headers;
  } & {
    [Field in "code" | "status"]?: number;
  } & { [Field in "details" | "message" | "shortMessage" | "name"]?: string };
  const words = clean(details || shortMessage || message || String(error));
  const answered = code !== undefined || status !== undefined;
  const isTold = status === 503 && headers?.get("retry-after") != null;
  const isMissing = answered && MISSING.test(words);
  const rate = status === 429 || isTold || RATE_CODES.has(code ?? 0) || (answered && RATE.test(words));
  const limit =
    name === "TimeoutError" ||
    name === "ResponseBodyTooLargeError" ||
    code === LIMIT_CODE ||
    LIMIT_STATUS.has(status ?? 0) ||
    (answered && !isMissing && LIMIT.test(words));
  const where = method === undefined ? "" : `${method}: `;
  const http = status === undefined ? "" : `HTTP ${status}: `;
  const cause = name === "TimeoutError" ? "no answer in time" : words;
  const revert = typeof data === "string" && data.startsWith("0x") ? data : undefined;
  return new RpcError(rate ? "rate" : limit ? "limit" : "unavailable", host, `${where}${http}${cause}`, {
    data: revert,
    isTimeout: name === "TimeoutError",
    isMissing,
    retryAfterMs: rate ? retryAfterMs(headers?.get("retry-after") ?? null) : undefined,
  });
}

/** HTTP's Retry-After: seconds, or a date, which needs a clock and is left. Undefined where the node does not say. */
function retryAfterMs(header: string | null): number | undefined {
  return header !== null && /^\d{1,6}$/.test(header.trim()) ? Number(header) * 1000 : undefined;
}

/** A node's words without any URL, on one line, cut: some providers repeat the key they were called with. */
function clean(text: string): string {
  const line = text.replace(/[a-z]+:\/\/\S+/gi, "<url>").replace(/\s+/g, " ");
  return line.length > 200 ? `${line.slice(0, 200)}...` : line;
}

/** A node did not do what it was asked. `message` names its host and what it said. No cause: viem's holds the URL. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly fault: RpcFault;
  readonly host: string;
  /** What a contract answered when it reverted. */
  readonly data: string | undefined;
  /** `limit` because no answer came in time. */
  readonly isTimeout: boolean;
  /** `unavailable` because the node does not have the block that was asked for. */
  readonly isMissing: boolean;
  /** How long the node wants to be left alone, where it says so. */
  readonly retryAfterMs: number | undefined;

  constructor(fault: RpcFault, host: string, what: string, more: RpcDetails = {}) {
    super(host === "-" ? what : `RPC ${host}: ${what}`);
    this.fault = fault;
    this.host = host;
    this.data = more.data;
    this.isTimeout = more.isTimeout ?? false;
    this.isMissing = more.isMissing ?? false;
    this.retryAfterMs = more.retryAfterMs;
  }
}

export interface RpcDetails {
  readonly data?: string | undefined;
  readonly isTimeout?: boolean | undefined;
  readonly isMissing?: boolean | undefined;
  readonly retryAfterMs?: number | undefined;
}
