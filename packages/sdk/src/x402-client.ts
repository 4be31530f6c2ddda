/** The agent's side: six steps of a payment out of an unmodified x402 client and the fetch that it wraps. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Emitter } from "./emitter.ts";
import { beginPurchase, type ClientOptions, type Purchase } from "./purchase.ts";
import { hook, quietly } from "./quietly.ts";
import { REQUEST_HEADER } from "./request-header.ts";
import { decodeHeader, fields } from "./x402-wire.ts";

export type { ClientOptions, SessionRef } from "./purchase.ts";

type Fetch = typeof globalThis.fetch;
type PaidFetch = (input: string | URL | Request, init?: RequestInit) => Promise<Response>;

/** Ties the hooks of a client, which serves many requests at once, to the request that they run in. */
const purchases = new AsyncLocalStorage<Purchase | undefined>();
/** Clients that carry our hooks already. */
const hooked = new WeakSet<object>();

/**
 * `wrapFetchWithPayment` of @x402/fetch, instrumented: same arguments, same result, same errors.
 *
 *     const pay = instrumentFetch(emitter, wrapFetchWithPayment)(fetch, client);
 *
 * Works with an `x402Client` or `x402HTTPClient`; with anything else (`wrapFetchWithPaymentFromConfig`) what was signed
 * is read from the request's header, so a signature that is never sent goes unseen.
 */
export function instrumentFetch<Client>(
  emitter: Emitter,
  wrap: (fetch: Fetch, client: Client) => PaidFetch,
  options: ClientOptions = {},
): (fetch: Fetch, client: Client) => PaidFetch {
  return (fetch, client) => {
    quietly(() => addHooks(client));
    const pay = wrap(observed(fetch), client);
    return async (input, init) => {
      const purchase = quietly(() => beginPurchase(emitter, options));
      try {
        return await purchases.run(purchase, () => pay(input, init));
      } catch (error) {
        quietly(() => purchase?.failed(error));
        throw error;
      }
    };
  };
}

/** The fetch below x402: it sees each request leave and each answer come. */
function observed(fetch: Fetch): Fetch {
  return async (input, init) => {
    const purchase = purchases.getStore();
    if (purchase === undefined) return fetch(input, init);
    const request = quietly(() => outgoing(purchase, input, init)) ?? { input, init };
    const { headers } = request;
    const proof = headers?.get("payment-signature") ?? headers?.get("x-payment") ?? null;
    quietly(() => (proof === null ? undefined : purchase.sending(decodeHeader(proof))));
    const response = await fetch(request.input, request.init);
    quietly(() => purchase.answered(response.status, answerHeaders(response)));
    return response;
  };
}

interface Outgoing {
  readonly input: Parameters<Fetch>[0];
  readonly init: RequestInit | undefined;
  readonly headers?: Headers;
}

/** Tells the purchase of the request, and adds the opt-in header. */
function outgoing(purchase: Purchase, input: Parameters<Fetch>[0], init: RequestInit | undefined): Outgoing {
  const given = input instanceof Request ? input : null;
  // Another realm's Request is no instance of ours, and has no text of its own.
  const url = "url" in Object(input) ? (input as Request).url : String(input);
  const method = init?.method ?? given?.method ?? "GET";
  const headers = new Headers(init?.headers ?? given?.headers);
  purchase.requested(url, method, headers);
  if (purchase.header === null) return { input, init, headers };
  headers.set(REQUEST_HEADER, purchase.header);
  // A request of its own, so that the caller's keeps its headers; its body goes along unread.
  if (given === null) return { input, init: { ...init, headers }, headers };
  return { input: new Request(given, { ...init, headers }), init: undefined, headers };
}

function answerHeaders({ headers }: Response) {
  return {
    required: decodeHeader(headers.get("payment-required")),
    settlement: decodeHeader(headers.get("payment-response") ?? headers.get("x-payment-response")),
  };
}

/** Hooks on an x402 client. They wait for nothing and throw nothing: a throwing client hook kills the payment. */
function addHooks(given: unknown): void {
  const client = asHookable(given) ?? asHookable(fields(given)?.client);
  if (client === null || hooked.has(client)) return;
  hooked.add(client);
  client.onBeforePaymentCreation(
    hook(({ paymentRequired, selectedRequirements }) => {
      purchases.getStore()?.selected(paymentRequired, selectedRequirements);
    }),
  );
  client.onAfterPaymentCreation(
    hook(({ paymentPayload, selectedRequirements }) => {
      purchases.getStore()?.signed(paymentPayload, selectedRequirements);
    }),
  );
  client.onPaymentCreationFailure(
    hook(({ error }) => {
      purchases.getStore()?.signingFailed(error);
    }),
  );
}

/** As much of x402's client as we use. */
interface Hookable {
  onBeforePaymentCreation(hook: (context: CreationContext) => Promise<void>): unknown;
  onAfterPaymentCreation(hook: (context: CreationContext & { paymentPayload: unknown }) => Promise<void>): unknown;
  onPaymentCreationFailure(hook: (context: CreationContext & { error: unknown }) => Promise<void>): unknown;
}

interface CreationContext {
  readonly paymentRequired: unknown;
  readonly selectedRequirements: unknown;
}

function asHookable(value: unknown): Hookable | null {
  return typeof fields(value)?.onAfterPaymentCreation === "function" ? (value as Hookable) : null;
}
