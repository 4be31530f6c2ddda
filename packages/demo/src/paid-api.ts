/** A paid API: Express with unmodified @x402/express, and one line of @bursar/sdk where it reports at all. */
import { type Emitter, instrumentExpress } from "@bursar/sdk";
import { HTTPFacilitatorClient } from "@x402/core/server";
import { ExactEvmScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import express, { type Express } from "express";
import { NETWORK } from "./network.ts";

export interface Product {
  readonly path: string;
  readonly priceUsd: string;
  readonly title: string;
  /** `upfront`: settled before it is made, so a failure comes after payment. Default: settled once it is made. */
  readonly flow?: "upfront";
  /** Makes the thing. What it throws becomes HTTP 500. */
  make(query: URLSearchParams): object;
}

export interface PaidApiOptions {
  readonly products: readonly Product[];
  readonly payTo: string;
  readonly facilitatorUrl: string;
  /** Null for a replica that was deployed without the instrument: it sells and says nothing. */
  readonly emitter: Emitter | null;
  /** Seconds that a buyer's authorization may be settled in, default 60. */
  readonly authorizationSeconds?: number | undefined;
}

const AUTHORIZATION_SECONDS = 60;
const FACILITATOR_TIMEOUT_MS = 15_000;

/** The API; `GET /` is free and lists what it sells. */
export function paidApi(options: PaidApiOptions): Express {
  const { products, payTo, facilitatorUrl, emitter, authorizationSeconds = AUTHORIZATION_SECONDS } = options;
  const facilitator = new HTTPFacilitatorClient({ url: facilitatorUrl, timeoutMs: FACILITATOR_TIMEOUT_MS });
  const server = new x402ResourceServer(facilitator).register(NETWORK, new ExactEvmScheme());
  const routes = Object.fromEntries(
    products.map((product) => [`GET ${product.path}`, routeOf(product, payTo, authorizationSeconds)]),
  );

  const app = express();
  app.disable("x-powered-by");
  app.use((emitter === null ? paymentMiddleware : instrumentExpress(emitter, paymentMiddleware))(routes, server));
  for (const { path, make } of products) {
    app.get(path, (request, response) => {
      try {
        response.json(make(new URL(request.originalUrl, "http://localhost").searchParams));
      } catch (error) {
        response.status(500).json({ error: (error as Error).message });
      }
    });
  }
  app.get("/", (_request, response) => {
    response.json(products.map(({ path, priceUsd, title }) => ({ path, priceUsd, title })));
  });
  return app;
}

function routeOf({ priceUsd, title, flow }: Product, payTo: string, maxTimeoutSeconds: number) {
  return {
    accepts: {
      scheme: "exact",
      network: NETWORK,
      payTo,
      price: `$${priceUsd}`,
      maxTimeoutSeconds,
      ...(flow === undefined ? {} : { extra: { paymentFlow: flow } }),
    },
    description: title,
    mimeType: "application/json",
  } as const;
}
