/** The paid API's side: five steps of a payment out of an unmodified x402 resource server and its Express middleware. */
import { AsyncLocalStorage } from "node:async_hooks";
import type { Emitter } from "./emitter.ts";
import { beginExchange, type Exchange, facilitatorName, type ServerOptions } from "./exchange.ts";
import { settled, settleFailed, type Teller, verificationFailed, verificationStarted } from "./paid-steps.ts";
import { hook, quietly } from "./quietly.ts";
import { parseRequestHeader, REQUEST_HEADER } from "./request-header.ts";
import { fields, readPurchaseId, readSigned } from "./x402-wire.ts";

export type { ServerOptions } from "./exchange.ts";

/** As much of x402's `x402ResourceServer` as we use, so that our types need no x402 installed. */
export interface ResourceServer {
  onBeforeVerify(hook: (context: HookContext) => Promise<void>): unknown;
  onAfterVerify(hook: (context: HookContext & { result: { isValid: boolean } }) => Promise<void>): unknown;
  onVerifyFailure(hook: (context: HookContext & { error: Error }) => Promise<void>): unknown;
  onAfterSettle(hook: (context: HookContext & { result: { success: boolean } }) => Promise<void>): unknown;
  onSettleFailure(hook: (context: HookContext & { error: Error }) => Promise<void>): unknown;
}

interface HookContext {
  readonly paymentPayload: object;
  readonly requirements: object;
  readonly transportContext?: unknown;
}

/** The exchange that a hook runs in, where an Express middleware of ours stands before it. */
const exchanges = new AsyncLocalStorage<Exchange | undefined>();
const hooked = new WeakSet<object>();

/**
 * `paymentMiddleware` (or `paymentMiddlewareFromHTTPServer`) of @x402/express, instrumented: same arguments, same result.
 *
 *     app.use(instrumentExpress(emitter, paymentMiddleware)(routes, server));
 *
 * With `paymentMiddlewareFromConfig`, whose server nobody can reach, the steps are read from the answer's headers.
 */
export function instrumentExpress<Rest extends readonly unknown[], Handler>(
  emitter: Emitter,
  middleware: (...rest: Rest) => Handler,
  options: ServerOptions = {},
): (...rest: Rest) => Handler {
  return (...rest) => {
    const server = rest.map(resourceServerOf).find((found) => found !== null);
    if (server !== undefined) quietly(() => addHooks(emitter, server, options, false));
    const handler = middleware(...rest) as (...call: unknown[]) => unknown;
    const instrumented = (request: unknown, response: unknown, ...next: unknown[]) => {
      const exchange = quietly(() => beginExchange(emitter, options, request, response, server !== undefined));
      return exchanges.run(exchange, () => handler(request, response, ...next));
    };
    return instrumented as Handler;
  };
}

/**
 * A resource server with our hooks on it, for those who do not use Express; the server itself is returned.
 * Nobody sees the answer leave then: content counts as returned, with status 200, when its settlement succeeded, and an
 * unpaid request's 402 is not reported.
 */
export function instrumentServer<Server extends ResourceServer | { readonly server: ResourceServer }>(
  emitter: Emitter,
  server: Server,
  options: ServerOptions = {},
): Server {
  const target = resourceServerOf(server);
  if (target !== null) addHooks(emitter, target, options, true);
  return server;
}

function addHooks(emitter: Emitter, server: ResourceServer, options: ServerOptions, answersUnseen: boolean): void {
  if (hooked.has(server)) return;
  hooked.add(server);
  const facilitator = quietly(() => facilitatorName(options.facilitator ?? facilitatorUrl(server)));
  const paid = new WeakSet<object>();
  const tellerOf = (exchange: Exchange | undefined, transport: unknown): Teller => ({
    emitter,
    facilitator,
    request: exchange?.request ?? requestOf(transport, options),
  });

  server.onBeforeVerify(
    hook(({ paymentPayload, requirements, transportContext }) => {
      const exchange = exchanges.getStore();
      const signed = verificationStarted(tellerOf(exchange, transportContext), paymentPayload, requirements);
      exchange?.verifying(signed, paymentPayload);
    }),
  );
  server.onAfterVerify(
    hook(({ paymentPayload, requirements, result, transportContext }) => {
      if (result.isValid) return;
      const exchange = exchanges.getStore();
      exchange?.refused();
      verificationFailed(tellerOf(exchange, transportContext), paymentPayload, requirements, result);
    }),
  );
  server.onVerifyFailure(
    hook(({ paymentPayload, requirements, error, transportContext }) => {
      const exchange = exchanges.getStore();
      exchange?.refused();
      verificationFailed(tellerOf(exchange, transportContext), paymentPayload, requirements, error);
    }),
  );
  server.onAfterSettle(
    hook(({ paymentPayload, requirements, result, transportContext }) => {
      const exchange = exchanges.getStore();
      const teller = tellerOf(exchange, transportContext);
      if (!result.success) return settleFailed(teller, paymentPayload, requirements, result);
      paid.add(paymentPayload);
      const txHash = settled(teller, paymentPayload, requirements, result);
      exchange?.settled(txHash);
      if (exchange === undefined && answersUnseen) returnedUnseen(teller, paymentPayload, requirements, txHash);
    }),
  );
  server.onSettleFailure(
    hook(({ paymentPayload, requirements, error, transportContext }) => {
      // x402 also calls this when a later hook or extension fails: that takes no settlement back.
      if (paid.has(paymentPayload)) return;
      const exchange = exchanges.getStore();
      exchange?.refused();
      settleFailed(tellerOf(exchange, transportContext), paymentPayload, requirements, error);
    }),
  );
}

/** The last step, for servers whose answers we do not see: x402 sends the handler's good answer after settling. */
function returnedUnseen(teller: Teller, payload: unknown, requirements: unknown, txHash: string | undefined): void {
  const signed = readSigned(payload, requirements);
  if (signed === null) return;
  const hash = txHash === undefined ? {} : { txHash };
  const named = { ...teller.request, ...readPurchaseId(payload), payment: signed.payment, ...hash };
  teller.emitter.emit({ type: "api.content_returned", ...named, status: 200 });
}

function resourceServerOf(value: unknown): ResourceServer | null {
  const isServer = (candidate: unknown) => typeof fields(candidate)?.onBeforeVerify === "function";
  const inner = fields(value)?.server;
  if (isServer(value)) return value as ResourceServer;
  return isServer(inner) ? (inner as ResourceServer) : null;
}

/** The opt-in header, out of the context that x402's HTTP layer hands to hooks. */
function requestOf(transport: unknown, options: ServerOptions): Teller["request"] {
  if (options.requestHeader === false) return {};
  const { adapter } = fields(fields(transport)?.request) ?? {};
  const header = quietly(() => (adapter as { getHeader(name: string): unknown }).getHeader(REQUEST_HEADER));
  return parseRequestHeader(header);
}

function facilitatorUrl(server: ResourceServer): string | undefined {
  const clients = fields(server)?.facilitatorClients;
  const url = Array.isArray(clients) ? fields(clients[0])?.url : undefined;
  return typeof url === "string" ? url : undefined;
}
