/** Somebody says nothing, or takes money for what he has not got. */
import { LOST_QUARTER } from "../catalogue.ts";
import { settledIn } from "./payment-ids.ts";
import type { TroubleKind } from "./trouble.ts";

export const lostReport: TroubleKind = {
  name: "lost_report",
  words: "research pays upfront for a report whose data the archive has lost",
  leads: { breaks: ["paid_not_delivered"], heals: false },
  produce: async ({ buy, urls }) =>
    (await buy("research", `${urls.reports}/reports/deep?quarter=${LOST_QUARTER}`)).payments,
};

export const silentAgent: TroubleKind = {
  name: "silent_agent",
  words: "the intern buys from a worker that was started without the SDK",
  leads: { breaks: ["unreported_by_agent"], heals: false },
  async produce({ buySilently, urls, devnet }) {
    const { txHash } = await buySilently("intern", `${urls.reports}/reports/brief?quarter=2026-q1`);
    return settledIn(devnet, txHash);
  },
};

export const silentApi: TroubleKind = {
  name: "silent_api",
  words: "the trader buys from a replica that was deployed without the SDK",
  leads: { breaks: ["unreported_by_api"], heals: false },
  produce: async ({ buy, urls }) => (await buy("trader", `${urls.silentQuotes}/quotes/latest?symbol=arb`)).payments,
};
