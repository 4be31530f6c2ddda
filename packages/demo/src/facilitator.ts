/** An x402 facilitator for the local chain: unmodified @x402/core and @x402/evm, served in x402's own HTTP protocol. */
import { x402Facilitator } from "@x402/core/facilitator";
import type { PaymentPayload, PaymentRequirements } from "@x402/core/types";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import express, { type Express } from "express";
import { createWalletClient, http, publicActions } from "viem";
import { arbitrum } from "viem/chains";
import type { Devnet } from "./devnet.ts";
import { NETWORK } from "./network.ts";

/** Longest wait for a settlement's receipt; the local chain makes one in a quarter of a second. */
const CONFIRMATION_SECONDS = 10;

/** Verifies and settles on the devnet; its relayer pays the gas and hands out nonces to many settlements at once. */
export function createFacilitator(devnet: Devnet): x402Facilitator {
  const account = devnet.accounts.relayer;
  const wallet = createWalletClient({ account, chain: arbitrum, transport: http(devnet.rpcUrl), pollingInterval: 25 });
  // x402 asks for less than viem's types promise, and spells it otherwise.
  const client = { ...wallet.extend(publicActions), address: account.address } as unknown as EvmClient;
  const signer = toFacilitatorEvmSigner(client, { confirmationTimeoutMs: CONFIRMATION_SECONDS * 1000 });
  return registerExactEvmScheme(new x402Facilitator(), { signer, networks: NETWORK });
}

type EvmClient = Parameters<typeof toFacilitatorEvmSigner>[0];

/** `POST /verify`, `POST /settle`, `GET /supported`, as an unmodified `HTTPFacilitatorClient` calls them. */
export function facilitatorApp(facilitator: x402Facilitator): Express {
  const app = express();
  app.disable("x-powered-by");
  app.use(express.json());
  app.get("/supported", (_request, response) => void response.json(facilitator.getSupported()));
  app.post("/verify", async (request, response) => {
    const { paymentPayload, paymentRequirements } = request.body as Call;
    response.json(await facilitator.verify(paymentPayload, paymentRequirements));
  });
  app.post("/settle", async (request, response) => {
    const { paymentPayload, paymentRequirements } = request.body as Call;
    response.json(await facilitator.settle(paymentPayload, paymentRequirements));
  });
  return app;
}

interface Call {
  readonly paymentPayload: PaymentPayload;
  readonly paymentRequirements: PaymentRequirements;
}
