/** The paid API's side: five steps of a payment out of an unmodified x402 resource server and its Express middleware. */
import type { x402HTTPResourceServer, x402ResourceServer } from "@x402/core/server";
import type { Emitter } from "./emitter.ts";

export interface ServerOptions {
  /** Who verifies and settles: a name, or a URL of which the origin is kept. Default: the facilitator client's own. */
  readonly facilitator?: string;
  /** Believe the `bursar-request` header. Default true. */
  readonly requestHeader?: boolean;
}

/**
 * `paymentMiddleware` (or `paymentMiddlewareFromHTTPServer`) of @x402/express, instrumented: same arguments, same result.
 *
 *     app.use(instrumentExpress(emitter, paymentMiddleware)(routes, server));
 */
export declare function instrumentExpress<Rest extends readonly unknown[], Handler>(
  emitter: Emitter,
  middleware: (...rest: Rest) => Handler,
  options?: ServerOptions,
): (...rest: Rest) => Handler;

/**
 * A resource server with our hooks on it, for those who do not use Express. Returns the server it was given.
 * Without `instrumentExpress` nobody sees the answer leave, so content counts as returned when it was settled.
 */
export declare function instrumentServer<Server extends x402ResourceServer | x402HTTPResourceServer>(
  emitter: Emitter,
  server: Server,
  options?: ServerOptions,
): Server;
