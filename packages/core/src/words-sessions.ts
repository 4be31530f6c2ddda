/** Words for payment sessions: caps, ends, figures that drift, users whose sessions cannot be told apart or listed. */
import { amountText, type Facts, firstMatch } from "./alert-facts.ts";
import { capital, timeText } from "./alert-text.ts";
import { doThis, freeze, revoke, seePayment, seePayments, seeSessions } from "./alert-todos.ts";
import type { RuleWords } from "./alert-words.ts";
import type { OwnRule } from "./rule-names.ts";

type SessionRule = Extract<
  OwnRule,
  | "drift"
  | "uncapped_session"
  | "session_expiring"
  | "session_expired"
  | "shared_user_id"
  | "sessions_unlisted"
  | "large_payment"
  | "long_authorization"
>;

/** Of Bursar's own sample: its first words, before any stranger's. */
const DRIFT = /^AgentCore has counted (\$\d{1,78}\.\d{2,6} (?:more|less)) than our books /;
const LARGE = /^(\$\d{1,78}\.\d{2,6}) signed in one payment /;

const NEW_SESSION = "Let its application open a new session (CreatePaymentSession in AgentCore).";

function driftText(f: Facts): string {
  return firstMatch(f, DRIFT) ?? `${amountText(f) ?? "something"} more or less`;
}

export const SESSION_WORDS: { readonly [Rule in SessionRule]: RuleWords } = {
  drift: {
    title: (f) => `${f.name}: AgentCore has counted ${driftText(f)} than Bursar`,
    what: (f) =>
      `In a session of ${f.agent} AgentCore has counted ${driftText(f)} than Bursar's books (this is called drift): events are missing, or somebody signs without reporting. The likely cause stands below.`,
    much: (f) => `${driftText(f)} than Bursar has booked`,
    todo: (f) => [
      seeSessions(f, "Compare the two, session by session."),
      doThis("Prove that Bursar's own sums are right.", f.run("recount")),
      seePayments(f, "See what the agent reported."),
    ],
  },
  uncapped_session: {
    title: (f) => `${f.name}: session without a spending cap`,
    what: (f) =>
      `${capital(f.agent)} has a payment session that AgentCore lets spend without a limit: until Bursar hears of a payment, nothing holds it back.`,
    todo: (f) => [
      seeSessions(f, "See what it may spend.", "open"),
      doThis("Let its application give limits.maxSpendAmount to CreatePaymentSession."),
      ...revoke(f, "If it is not to pay until then, delete the session."),
    ],
  },
  session_expiring: {
    title: (f) => {
      const { until } = f.alert;
      return `${f.name}: session ends ${until === null ? "soon" : `at ${until.slice(11, 16)} UTC`}`;
    },
    what: (f) => {
      const { until } = f.alert;
      return `A payment session of ${f.agent} ends ${until === null ? "soon" : `at ${timeText(until)}`}: payments in it fail from then on.`;
    },
    todo: (f) => [doThis(NEW_SESSION), seeSessions(f, "See whether it has another one.", "open")],
  },
  session_expired: {
    title: (f) => `${f.name}: payments fail, its session is over`,
    what: (f) =>
      `${f.counted("payment")} of ${f.agent} failed because its payment session is over: it can buy nothing.`,
    todo: (f) => [doThis(NEW_SESSION), seeSessions(f, "See which sessions it has.")],
  },
  shared_user_id: {
    title: (f) => `${f.name}: shares its userId with another agent`,
    what: (f) =>
      `${capital(f.agent)} and at least one other agent have the same userId in AgentCore, so their sessions cannot be told apart: a budget of one of them cannot stop it without the other.`,
    did: () => ["Revokes a session of theirs only for a budget that all of them are in."],
    todo: (f) => [
      doThis("Give each agent a userId of its own: agents.<agent>.userId in the config, and where it opens sessions."),
      seeSessions(f, "See whose sessions those are."),
    ],
  },
  sessions_unlisted: {
    title: (f) => `${f.name}: its sessions cannot be listed`,
    what: (f) =>
      `AgentCore does not tell Bursar which sessions ${f.agent} has: a session that no event names would go on paying when a budget stops the agent.`,
    did: () => ["Asks again, and revokes what events name if it must."],
    todo: (f) => [
      doThis("Check that Bursar may list sessions, and what AgentCore answers.", f.run("doctor")),
      doThis("Check paymentManagerArn and userId of the agent in the config."),
    ],
  },
  large_payment: {
    title: (f) => `${f.name}: signed ${firstMatch(f, LARGE) ?? amountText(f) ?? "much"} in one payment`,
    what: (f) =>
      `${capital(f.agent)} signed ${f.counted("payment")} above the limit for a single one (limits.maxPaymentUsd in the config): a mistake, a trick of the API, or a limit that is too low.`,
    much: (f) => firstMatch(f, LARGE) ?? amountText(f),
    did: (f) => [`Counts ${f.alert.count === 1 ? "it" : "them"} as held. This limit only tells; budgets stop.`],
    todo: (f) => [
      ...seePayment(f),
      seePayments(f),
      ...freeze(f, "If that was not to be, stop it; what is signed can still settle."),
    ],
  },
  long_authorization: {
    title: (f) => `${f.name}: signs payments that stay open for long`,
    what: (f) =>
      `${capital(f.agent)} signed ${f.counted("authorization")} that can be settled for much longer than the offer asked for: whatever stops the agent meanwhile does not recall ${f.alert.count === 1 ? "it" : "them"}.`,
    did: (f) => [
      `Counts ${f.alert.count === 1 ? "it" : "them"} as held until the chain has settled or outlived ${f.alert.count === 1 ? "it" : "them"}.`,
    ],
    todo: (f) => [
      ...seePayment(f),
      seePayments(f),
      doThis("Let the agent take validBefore from the offer's maxTimeoutSeconds, as x402 clients do."),
    ],
  },
};
