/** Honest purchases of which somebody tells another story. */
import type { EmitInput } from "@bursar/sdk";
import { keyFrom } from "./payment-ids.ts";
import type { TroubleKind } from "./trouble.ts";

/** What is told of a signature instead. */
function signedLie(lie: (event: Signed) => Partial<Signed>): (event: EmitInput) => EmitInput {
  return (event) => (event.type === "agent.authorization_signed" ? { ...event, ...lie(event) } : event);
}

type Signed = Extract<EmitInput, { type: "agent.authorization_signed" }>;

const BRIEF_PATH = "/reports/brief?quarter=2026-q3";
/** An address and a token that have nothing to do with it. */
const ELSEWHERE = `0x${"e1".repeat(20)}`;
const OTHER_TOKEN = `0x${"70".repeat(20)}`;

export const wrongAmount: TroubleKind = {
  name: "wrong_amount",
  words: "the writer signs $0.01 and reports $0.001",
  leads: { breaks: ["amount_mismatch"], heals: false },
  produce: async ({ buy, urls }) =>
    (await buy("writer", `${urls.reports}${BRIEF_PATH}`, { change: signedLie(() => ({ amount: "1000" })) })).payments,
};

export const wrongPayee: TroubleKind = {
  name: "wrong_payee",
  words: "the writer reports that it accepted to pay another address than it pays",
  leads: { breaks: ["payee_mismatch"], heals: false },
  produce: async ({ buy, urls }) =>
    (await buy("writer", `${urls.reports}${BRIEF_PATH}`, { change: acceptedLie({ payTo: ELSEWHERE }) })).payments,
};

export const wrongAsset: TroubleKind = {
  name: "wrong_asset",
  words: "the writer reports that it accepted another token than it pays in",
  leads: { breaks: ["asset_mismatch"], heals: false },
  produce: async ({ buy, urls }) =>
    (await buy("writer", `${urls.reports}${BRIEF_PATH}`, { change: acceptedLie({ asset: OTHER_TOKEN }) })).payments,
};

function acceptedLie(lie: Partial<NonNullable<Signed["accepted"]>>): (event: EmitInput) => EmitInput {
  return signedLie(({ accepted }) => (accepted === undefined ? {} : { accepted: { ...accepted, ...lie } }));
}

export const foreignWallet: TroubleKind = {
  name: "foreign_wallet",
  words: "the intern reports a payment of research's wallet as its own",
  leads: { breaks: ["foreign_wallet"], heals: false },
  async produce({ buy, urls, emitter }) {
    const { payments } = await buy("research", `${urls.reports}${BRIEF_PATH}`);
    emitter({ agent: "intern" }).emit({ type: "agent.payment_sent", payment: keyFrom(payments[0]) });
    return payments;
  },
};

export const foreignApi: TroubleKind = {
  name: "foreign_api",
  words: "the quotes API reports a payment that was made to the reports API",
  leads: { breaks: ["foreign_api"], heals: false },
  async produce({ buy, urls, emitter }) {
    const { payments } = await buy("research", `${urls.reports}${BRIEF_PATH}`);
    emitter({ api: "quotes" }).emit({ type: "api.content_returned", payment: keyFrom(payments[0]), status: 200 });
    return payments;
  },
};

export const paidTwice: TroubleKind = {
  name: "paid_twice",
  words: "research takes an answer for lost and buys the same once more",
  leads: { breaks: ["duplicate_purchase"], heals: false },
  async produce({ buy, urls }) {
    const requestId = crypto.randomUUID();
    const url = `${urls.reports}${BRIEF_PATH}`;
    await buy("research", url, { requestId });
    return (await buy("research", url, { requestId })).payments;
  },
};
