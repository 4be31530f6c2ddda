/** The agent's side: six steps of a payment out of an unmodified x402 client and the fetch that it wraps. */
import type { Emitter } from "./emitter.ts";

/** An AgentCore payment session. */
export interface SessionRef {
  readonly managerArn: string;
  readonly sessionId: string;
  readonly userId: string;
}

export interface ClientOptions {
  /** At most 8 short pairs, on every request; or made per request. */
  readonly labels?: Readonly<Record<string, string>> | ((request: Request) => Readonly<Record<string, string>> | undefined);
  /** The AgentCore session that pays; or found per request. */
  readonly session?: SessionRef | ((request: Request) => SessionRef | undefined);
  /** AgentCore's processPaymentId of a signed payload, where there is one. */
  readonly processPaymentId?: (payload: unknown) => string | undefined;
  /** Tell the API `<agentId>/<requestId>` in the `bursar-request` header. Default false. */
  readonly requestHeader?: boolean;
  /** Makes request ids. Default: random UUIDs. */
  readonly requestId?: () => string;
}

type Fetch = typeof globalThis.fetch;
type PaidFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/**
 * `wrapFetchWithPayment` of @x402/fetch, instrumented: same arguments, same result.
 *
 *     const pay = instrumentFetch(emitter, wrapFetchWithPayment)(fetch, client);
 */
export declare function instrumentFetch<Client>(
  emitter: Emitter,
  wrap: (fetch: Fetch, client: Client) => PaidFetch,
  options?: ClientOptions,
): (fetch: Fetch, client: Client) => PaidFetch;
