/** x402's `exact` scheme with AgentCore as the signer: what an unmodified x402 client registers instead of a wallet. */
import { findDefaultAsset } from "@x402/evm";
import type { SchemeNetworkClient } from "@x402/fetch";
import type { PaymentOffer, Proof } from "./payer.ts";

/** Signs what the client has chosen to accept; `sign` throws where AgentCore refuses, and the client then pays nothing. */
export function exactScheme(sign: (offer: PaymentOffer) => Promise<Proof>): SchemeNetworkClient {
  return {
    scheme: "exact",
    findDefaultAsset, // else the client's spend controls know no asset
    async createPaymentPayload(x402Version, requirements) {
      const { signature, authorization } = await sign(requirements);
      return { x402Version, payload: { signature, authorization } };
    },
  };
}
