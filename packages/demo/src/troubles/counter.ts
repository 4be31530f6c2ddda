/** A paid API behind a facilitator that verifies as x402 does, and settles, or does not, as somebody says. */
import type { Emitter } from "@bursar/sdk";
import type { Hash } from "viem";
import type { SignedAuthorization } from "../authorization.ts";
import { REPORTS } from "../catalogue.ts";
import type { Devnet } from "../devnet.ts";
import { createFacilitator, facilitatorApp, signedOf } from "../facilitator.ts";
import { NETWORK } from "../network.ts";
import { paidApi } from "../paid-api.ts";
import { openSite } from "../site.ts";

/** What the facilitator answers. */
export type Answer =
  /** It says that it settled, by a transaction, or by none that it names. */
  | { readonly success: true; readonly txHash: Hash | null }
  /** It says no, of a transaction that it sent, or of none. */
  | { readonly success: false; readonly txHash: Hash | null; readonly reason: string };

export interface CounterOptions {
  readonly devnet: Devnet;
  readonly payTo: string;
  readonly emitter: Emitter;
  /** Seconds that a buyer's authorization may be settled in; x402 refuses what ends in less than 6. */
  readonly authorizationSeconds?: number | undefined;
  readonly settle: (signed: SignedAuthorization) => Promise<Answer>;
}

export interface Counter {
  /** A report for $0.01. */
  readonly url: string;
  /** What buyers have signed for here, in their order. Throws what `settle` threw. */
  signed(): readonly SignedAuthorization[];
  close(): Promise<void>;
}

/** Opens one on free ports. API and buyers are unmodified x402: the facilitator alone is not. */
export async function openCounter(options: CounterOptions): Promise<Counter> {
  const { devnet, payTo, emitter, authorizationSeconds, settle } = options;
  const honest = createFacilitator(devnet);
  const signed: SignedAuthorization[] = [];
  let failure: Error | null = null;
  const [booth, shop] = await Promise.all([openSite(), openSite()]);
  booth.serve(
    facilitatorApp({
      verify: (payload, requirements) => honest.verify(payload, requirements),
      getSupported: () => honest.getSupported(),
      async settle(payload) {
        const given = signedOf(payload);
        const answer = await settle(given).catch((error: Error): Answer => {
          failure = error;
          return { success: false, txHash: null, reason: "facilitator_failed" };
        });
        signed.push(given);
        const common = { transaction: answer.txHash ?? "", network: NETWORK, payer: given.authorization.from } as const;
        return answer.success
          ? { ...common, success: true }
          : { ...common, success: false, errorReason: answer.reason };
      },
    }),
  );
  shop.serve(paidApi({ products: REPORTS, payTo, facilitatorUrl: booth.url, emitter, authorizationSeconds }));
  return {
    url: `${shop.url}/reports/brief?quarter=2026-q3`,
    signed() {
      if (failure !== null) throw failure;
      return signed;
    },
    close: async () => void (await Promise.all([shop.close(), booth.close()])),
  };
}
