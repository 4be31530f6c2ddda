/** Words for breaks: where agent, API and chain tell different stories of a payment. */
import type { Break } from "@bursar/events/shapes";
import { type Facts, walletTitle } from "./alert-facts.ts";
import { capital } from "./alert-text.ts";
import { doThis, freeze, revoke, seeBreaks, seePayment, seePayments } from "./alert-todos.ts";
import type { RuleWords } from "./alert-words.ts";

/** "1 payment" of the alert's subject. */
const payments = ({ counted }: Facts): string => counted("payment");
const them = ({ alert }: Facts): string => (alert.count === 1 ? "it" : "them");
const either = ({ alert }: Facts, one: string, many: string): string => (alert.count === 1 ? one : many);
const api = ({ apiId }: Facts): string => (apiId === null ? "a paid API" : `API ${apiId}`);
const theAgent = (facts: Facts): string => capital(facts.agent);
const wallet = ({ wallet: address }: Facts): string => (address === null ? "a governed wallet" : `wallet ${address}`);

/** What stops somebody is a budget. */
const TOLD_ONLY = () => ["Nothing: a break alone stops nobody; budgets do."];

const look = (facts: Facts) => [...seePayment(facts), seeBreaks(facts)];

export const BREAK_WORDS: { readonly [Rule in Break]: RuleWords } = {
  unreported_by_agent: {
    title: (f) => `${f.name}: ${payments(f)} that the agent did not report`,
    what: (f) =>
      `A paid API reported ${payments(f)} of ${f.agent}, and the agent itself said nothing in time: its reporting is broken, or somebody else signs with its wallet.`,
    did: TOLD_ONLY,
    todo: (f) => [
      ...look(f),
      doThis("Check that the agent runs, and that it reports with @bursar/sdk."),
      ...freeze(f, "If it is not the agent that signs, stop it."),
    ],
  },
  unreported_by_api: {
    title: (f) => `${f.name}: ${payments(f)} that the API did not report`,
    what: (f) =>
      `${payments(f)} to ${api(f)} settled, and the API itself said nothing in time: its reporting is broken or it is down, and nobody but the agent says what was delivered.`,
    did: TOLD_ONLY,
    todo: (f) => [...look(f), doThis("Check that the API runs, and that it reports with @bursar/sdk.")],
  },
  shadow_spend: {
    title: (f) => `${f.name}: ${payments(f)} that nobody reported`,
    what: (f) =>
      `USDC left ${wallet(f)} in ${payments(f)} and neither an agent nor an API has said what for: somebody may be using its key.`,
    did: (f) => [`Counted ${them(f)} as spent by whoever owns the wallet.`],
    todo: (f) => [
      ...look(f),
      ...freeze(f, "If nobody of yours made it, stop the agent."),
      doThis("If nobody of yours made it, move what is left in the wallet to one with another key."),
    ],
  },
  not_on_chain: {
    title: (f) => `${f.name}: ${payments(f)} not found on the chain`,
    what: (f) =>
      `A transaction was named for ${payments(f)} of ${f.agent}, and the chain does not show it in time: no money has moved so far, and until the authorization expires it still can.`,
    did: (f) => [`Keeps the amount as held, and goes on looking for ${them(f)} on the chain.`],
    todo: (f) => [
      ...look(f),
      doThis("If it stays so, ask the API and its facilitator what became of the transaction."),
    ],
  },
  amount_mismatch: {
    title: (f) => `${f.name}: ${payments(f)} with amounts that differ`,
    what: (f) =>
      `What was offered, signed, verified and settled is not the same amount in ${payments(f)} of ${f.agent}: somebody was charged something else than was agreed.`,
    did: () => ["Booked what the chain settled, whatever was said."],
    todo: look,
  },
  payee_mismatch: {
    title: (f) => `${f.name}: ${payments(f)} with payees that differ`,
    what: (f) =>
      `Agent, API and chain name different payees for ${payments(f)} of ${f.agent}: the money may have gone to somebody who was not to get it.`,
    did: () => ["Booked what the chain settled, whatever was said."],
    todo: (f) => [...look(f), ...freeze(f, "If you do not know the payee, stop the agent.")],
  },
  asset_mismatch: {
    title: (f) => `${f.name}: ${payments(f)} in another token than asked for`,
    what: (f) =>
      `The token or the chain that was asked for is not the one that was signed for in ${payments(f)} of ${f.agent}: the API will hardly take it as paid.`,
    did: TOLD_ONLY,
    todo: look,
  },
  paid_not_delivered: {
    title: (f) => `${f.name}: ${payments(f)} without delivery`,
    what: (f) =>
      `${payments(f)} to ${api(f)} settled, and what was bought did not come: the agent got an error, or nobody reports that content was sent.`,
    did: TOLD_ONLY,
    todo: (f) => [...look(f), doThis("Ask the API for the content or the money: the transaction is the receipt.")],
  },
  delivered_not_paid: {
    title: (f) => `${f.name}: ${payments(f)} delivered and not paid`,
    what: (f) =>
      `Content was delivered for ${payments(f)} of ${f.agent} and ${either(f, "its authorization", "their authorizations")} expired or was cancelled unused: the API will not get its money.`,
    did: (f) => [`Released what was held for ${them(f)}: it can never settle.`],
    todo: (f) => [...look(f), doThis("If the API is yours, let it settle before it delivers.")],
  },
  duplicate_purchase: {
    title: (f) => `${f.name}: ${payments(f)} for what was paid already`,
    what: (f) =>
      `${payments(f)} of ${f.agent} settled for a request that an earlier payment had already paid for: the agent probably tried again when it should have waited.`,
    did: (f) => [`Counted ${them(f)} as spent: the money has left.`],
    todo: (f) => [
      ...look(f),
      doThis("Ask the API for the money back, and let the agent wait for an answer before it signs again."),
    ],
  },
  signed_after_revoke: {
    title: (f) => `${f.name}: ${payments(f)} signed after revocation`,
    what: (f) =>
      `${theAgent(f)} signed ${payments(f)} in a session more than 5 s after Bursar had deleted it: the stop did not stop the agent.`,
    did: (f) => [`Counts ${them(f)} against the budgets. It cannot stop whoever signs without AgentCore.`],
    todo: (f) => [
      ...freeze(f, "Stop the agent, and apply the IAM policy that this prints."),
      ...revoke(f, "Delete what it has open."),
      ...look(f),
      doThis("Check whether the agent signs with a key of its own; if so, take the USDC out of that wallet."),
    ],
  },
  settled_after_revoke: {
    title: (f) => `${f.name}: ${payments(f)} settled after revocation`,
    what: (f) =>
      `${payments(f)} that ${f.agent} had signed before its session was revoked settled after it: deleting a session does not recall what is signed.`,
    did: (f) => [`Counted ${them(f)} as spent.`],
    todo: (f) => [...look(f), seePayments(f, "See what else it has signed.")],
  },
  foreign_wallet: {
    title: (f) => `${walletTitle(f)}: ${payments(f)} reported by a non-owner`,
    what: (f) =>
      `${payments(f)} from ${wallet(f)} came from an agent that does not own that wallet: it reports for another agent, signs with a wallet that is not its own, or makes it up.`,
    did: () => ["Keeps and shows what was said, and believes none of it: no budget counts it."],
    todo: (f) => [
      ...look(f),
      doThis("If the wallet is the agent's, write it into the config: agents.<agent>.wallets."),
    ],
  },
  foreign_api: {
    title: (f) => `${f.name}: ${payments(f)} to somebody else's address`,
    what: (f) =>
      `${capital(api(f))} reported ${payments(f)} to an address that is not its own: it reports for another API, or was set up with a wrong payTo.`,
    did: () => ["Keeps and shows what was said, and believes none of it."],
    todo: (f) => [...look(f), doThis("If the address is the API's, write it into the config: apis.<api>.payTo.")],
  },
  reverted: {
    title: (f) => `${f.name}: ${payments(f)} failed on the chain`,
    what: (f) =>
      `The chain refused the transaction of ${payments(f)} of ${f.agent} (it reverted): no money has moved, and until the authorization expires it can be tried again.`,
    did: () => ["Keeps the amount as held until it settles or expires."],
    todo: (f) => [...look(f), doThis("Mostly the wallet held too little: see the balances.", f.run("wallets"))],
  },
  unwatched_chain: {
    title: (f) => `${f.name}: ${payments(f)} that Bursar cannot see settle`,
    what: (f) =>
      `${theAgent(f)} signed ${payments(f)} on a chain, or in a token, that the config does not watch: Bursar cannot see whether the money moves.`,
    did: (f) => [`Holds USDC signed there against the budgets of the agent until a human closes ${them(f)}.`],
    todo: (f) => [
      ...look(f),
      ...(f.payment === null
        ? []
        : [doThis("Close it once you know how it ended.", f.run("resolve", f.payment.short, { reason: "WHY" }))]),
      doThis("If the agent is not to pay there, do not let it accept such offers."),
    ],
  },
};
