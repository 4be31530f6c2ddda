/** An x402 facilitator for the local chain: unmodified @x402/core and @x402/evm, served in x402's own HTTP protocol. */
import { x402Facilitator } from "@x402/core/facilitator";
import type { PaymentPayload, PaymentRequirements, SettleResponse, VerifyResponse } from "@x402/core/types";
import { toFacilitatorEvmSigner } from "@x402/evm";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import express, { type Express } from "express";
import { type Address, createWalletClient, type Hex, http, publicActions } from "viem";
import type { SignedAuthorization } from "./authorization.ts";
import { DEV_CHAIN } from "./dev-client.ts";
import type { Devnet } from "./devnet.ts";
import { NETWORK } from "./network.ts";

/** Longest wait for a settlement's receipt; the local chain makes one in a quarter of a second. */
const CONFIRMATION_SECONDS = 10;

/** Settlements that are remembered: more than the blocks of a reorg hold. */
const REMEMBERED_MAX = 200;

/** What is served: as much of an x402 facilitator as the protocol calls. */
export interface Serving {
  verify(payload: PaymentPayload, requirements: PaymentRequirements): Promise<VerifyResponse>;
  settle(payload: PaymentPayload, requirements: PaymentRequirements): Promise<SettleResponse>;
  getSupported(): unknown;
}

/** Verifies and settles on the devnet; its relayer pays the gas and hands out nonces to many settlements at once. */
export function createFacilitator(devnet: Devnet): x402Facilitator {
  const account = devnet.accounts.relayer;
  const wallet = createWalletClient({ account, chain: DEV_CHAIN, transport: http(devnet.rpcUrl), pollingInterval: 25 });
  // x402 asks for less than viem's types promise, and spells it otherwise.
  const client = { ...wallet.extend(publicActions), address: account.address } as unknown as EvmClient;
  const signer = toFacilitatorEvmSigner(client, { confirmationTimeoutMs: CONFIRMATION_SECONDS * 1000 });
  return registerExactEvmScheme(new x402Facilitator(), { signer, networks: NETWORK });
}

type EvmClient = Parameters<typeof toFacilitatorEvmSigner>[0];

export interface Mindful extends Serving {
  /**
   * Waits until no settlement is under way, and begins none before `work` is done with what was settled last. Whatever
   * takes blocks back goes through here, for the settlements in them have to be made again.
   */
  pause(work: (settled: readonly SignedAuthorization[]) => Promise<void>): Promise<void>;
}

/** A facilitator that remembers what it settled last, and can be held. */
export function mindful(facilitator: Serving): Mindful {
  const settled: SignedAuthorization[] = [];
  const underWay = new Set<Promise<SettleResponse>>();
  let held: Promise<void> = Promise.resolve();
  return {
    verify: (payload, requirements) => facilitator.verify(payload, requirements),
    getSupported: () => facilitator.getSupported(),
    async settle(payload, requirements) {
      for (let gate: Promise<void> | undefined; gate !== held; ) {
        gate = held;
        await gate;
      }
      const settling = facilitator.settle(payload, requirements);
      underWay.add(settling);
      try {
        const answer = await settling;
        if (answer.success) settled.push(signedOf(payload));
        if (settled.length > REMEMBERED_MAX) settled.shift();
        return answer;
      } finally {
        underWay.delete(settling);
      }
    },
    async pause(work) {
      const working = held.then(async () => {
        await Promise.allSettled(underWay);
        await work(settled);
      });
      held = working.catch(() => {});
      await working;
    },
  };
}

/** The EIP-3009 authorization in a payment of x402's `exact` scheme. */
export function signedOf({ payload }: PaymentPayload): SignedAuthorization {
  const { authorization: a, signature } = payload as unknown as ExactPayload;
  return {
    authorization: {
      from: a.from,
      to: a.to,
      value: BigInt(a.value),
      validAfter: BigInt(a.validAfter),
      validBefore: BigInt(a.validBefore),
      nonce: a.nonce,
    },
    signature,
  };
}

interface ExactPayload {
  readonly signature: Hex;
  readonly authorization: {
    readonly from: Address;
    readonly to: Address;
    readonly value: string;
    readonly validAfter: string;
    readonly validBefore: string;
    readonly nonce: Hex;
  };
}

/** `POST /verify`, `POST /settle`, `GET /supported`, as an unmodified `HTTPFacilitatorClient` calls them. */
export function facilitatorApp(facilitator: Serving): Express {
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
