/** What went wrong on the way to a node, in words that hold no key: the URL's host, never the URL. */

/**
 * - `limit`: the node wants less at once, or less often; a smaller range may do.
 * - `unavailable`: no answer, or none that can be used; try again.
 * - `config`: it never will, until a human changes something.
 */
export type RpcFault = "limit" | "unavailable" | "config";

/** How providers say that a range held too much or callers asked too often; they share neither code nor words. */
const LIMIT =
  /too many|too large|too big|too wide|limit|exceed|more than \d+|max(?:imum)? (?:block )?range|block range|timeout|timed out|rate|quota|capacity/i;

/** JSON-RPC codes for limits: EIP-1474's -32005, and the 429 that some send within the body. */
const LIMIT_CODES = new Set([-32005, 429, -32016, -32007]);

const LIMIT_STATUS = new Set([408, 413, 429]);

/** Any error of a request as an RpcError about `host`; `method` is the call it answered, where that is known. */
export function rpcErrorOf(host: string, error: unknown, method?: string): RpcError {
  if (error instanceof RpcError) return error;
  const { code, status, details, message, shortMessage, name } = error as {
    [Field in "code" | "status"]?: number;
  } & { [Field in "details" | "message" | "shortMessage" | "name"]?: string };
  const words = clean(details || shortMessage || message || String(error));
  const limited =
    name === "TimeoutError" ||
    name === "ResponseBodyTooLargeError" ||
    LIMIT_CODES.has(code ?? 0) ||
    LIMIT_STATUS.has(status ?? 0) ||
    ((code !== undefined || status !== undefined) && LIMIT.test(words));
  const where = method === undefined ? "" : `${method}: `;
  const http = status === undefined ? "" : `HTTP ${status}: `;
  const cause = name === "TimeoutError" ? "no answer in time" : words;
  return new RpcError(limited ? "limit" : "unavailable", host, `${where}${http}${cause}`);
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

  constructor(fault: RpcFault, host: string, what: string) {
    super(host === "-" ? what : `RPC ${host}: ${what}`);
    this.fault = fault;
    this.host = host;
  }
}
