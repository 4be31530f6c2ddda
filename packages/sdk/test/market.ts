/** A paid API, its facilitator and a paying agent out of unmodified x402 parts, on a local Arbitrum with genuine USDC. */
import type { AddressInfo } from "node:net";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { x402Facilitator } from "@x402/core/facilitator";
import type { FacilitatorClient } from "@x402/core/server";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { ExactEvmScheme as ClientScheme } from "@x402/evm/exact/client";
import { registerExactEvmScheme as registerFacilitator } from "@x402/evm/exact/facilitator";
import { ExactEvmScheme as ServerScheme } from "@x402/evm/exact/server";
import { paymentMiddleware, x402ResourceServer } from "@x402/express";
import { wrapFetchWithPayment, x402Client } from "@x402/fetch";
import express from "express";
import { createWalletClient, http, publicActions } from "viem";
import { arbitrum } from "viem/chains";
import { type ClientOptions, type Emitter, instrumentExpress, instrumentFetch } from "../src/index.ts";

export const NETWORK = "eip155:42161";
export const PRICE = "10000";

export interface Market {
  readonly devnet: Devnet;
  readonly facilitator: x402Facilitator;
  readonly signer: ReturnType<typeof toFacilitatorEvmSigner>;
  readonly stop: () => Promise<void>;
}

export async function startMarket(): Promise<Market> {
  const devnet = await startDevnet({ blockTimeSeconds: 0.1 });
  const account = devnet.accounts.relayer;
  const wallet = createWalletClient({
    account,
    chain: arbitrum,
    transport: http(devnet.rpcUrl),
    pollingInterval: 20,
  }).extend(publicActions);
  const signer = toFacilitatorEvmSigner({ ...wallet, address: account.address } as never);
  const facilitator = registerFacilitator(new x402Facilitator(), { signer, networks: NETWORK });
  return { devnet, facilitator, signer, stop: () => devnet.stop() };
}

/** The facilitator as a resource server wants it, in this process; x402's own way for tests and single binaries. */
export function clientOf(facilitator: x402Facilitator, change: Partial<FacilitatorClient> = {}): FacilitatorClient {
  return {
    verify: (payload, requirements) => facilitator.verify(payload, requirements),
    settle: (payload, requirements) => facilitator.settle(payload, requirements),
    getSupported: () => Promise.resolve(facilitator.getSupported() as never),
    ...change,
  };
}

export interface Shop {
  readonly url: string;
  /** Headers of the requests that arrived, newest last. */
  readonly seen: Record<string, unknown>[];
  close(): Promise<void>;
}

export interface ShopOptions {
  readonly emitter?: Emitter;
  readonly facilitator: FacilitatorClient;
  readonly payTo: string;
  readonly extensions?: Record<string, unknown>;
}

/** `GET /reports/:id` costs one cent; `POST /orders` too; `/broken/:id` costs it and fails; `/free` is free. */
export async function openShop({ emitter, facilitator, payTo, extensions }: ShopOptions): Promise<Shop> {
  const seen: Record<string, unknown>[] = [];
  const app = express();
  const server = new x402ResourceServer(facilitator).register(NETWORK, new ServerScheme());
  const route = {
    accepts: { scheme: "exact", network: NETWORK, payTo, price: "$0.01", maxTimeoutSeconds: 60 },
    ...(extensions === undefined ? {} : { extensions }),
  } as const;
  const routes = { "GET /reports/:id": route, "GET /broken/:id": route, "POST /orders": route };
  app.use((request, _response, next) => {
    seen.push({ ...request.headers });
    next();
  });
  const middleware = emitter === undefined ? paymentMiddleware : instrumentExpress(emitter, paymentMiddleware);
  app.use(middleware(routes, server));
  app.get("/reports/:id", (request, response) => void response.json({ report: request.params.id }));
  app.get("/broken/:id", (_request, response) => void response.status(500).json({ error: "no report today" }));
  app.post("/orders", express.json(), (request, response) => void response.json({ ordered: request.body }));
  app.get("/free", (_request, response) => void response.json({ free: true }));
  const listening = app.listen(0, "127.0.0.1");
  await new Promise((resolve) => listening.once("listening", resolve));
  return {
    url: `http://127.0.0.1:${(listening.address() as AddressInfo).port}`,
    seen,
    close: () =>
      new Promise((resolve) => {
        listening.close(() => resolve());
        listening.closeAllConnections();
      }),
  };
}

/** An agent's fetch, with the wallet of `devnet.account(index)`. */
export function agentFetch(devnet: Devnet, index: number, emitter?: Emitter, options: ClientOptions = {}) {
  const client = new x402Client().register(NETWORK, new ClientScheme(devnet.account(index)));
  const wrap = emitter === undefined ? wrapFetchWithPayment : instrumentFetch(emitter, wrapFetchWithPayment, options);
  return { pay: wrap(fetch, client), client };
}
