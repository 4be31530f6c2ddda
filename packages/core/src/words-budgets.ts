/** Words for budgets and what they stop: thresholds, revocations, freezes, and what may still settle after them. */
import { displayUsd } from "@bursar/events/money";
import { amountText, type Facts, figureText, firstMatch, thresholdOf, titleName } from "./alert-facts.ts";
import { timeText } from "./alert-text.ts";
import { doThis, freeze, raise, seePayments, seeSessions, unfreeze } from "./alert-todos.ts";
import type { RuleWords } from "./alert-words.ts";
import type { OwnRule } from "./rule-names.ts";

type BudgetRule = Extract<
  OwnRule,
  | "budget_threshold"
  | "session_revoked"
  | "would_revoke"
  | "revocation_failed"
  | "revocations_held_back"
  | "agent_frozen"
  | "exposure"
  | "alerts_undelivered"
>;

/** " at 102 % of gambler-day"; nothing where a human did it. */
const at = ({ figure }: Facts): string =>
  figure === null ? "" : ` at ${figure.share === "all" ? "the limit" : figure.share} of ${titleName(figure.policy)}`;

const because = ({ figure }: Facts): string =>
  figure === null
    ? "The reason stands below."
    : `Budget ${figure.policy} stands at ${displayUsd(figure.amount)} of ${displayUsd(figure.limit)}.`;

/** Whose budget: "agent gambler", "organisation acme". */
const whose = (f: Facts): string => f.budget?.scope ?? (f.agentId === null ? "one of its scopes" : f.agent);

const goOn = (f: Facts) =>
  raise(f, "If it may go on, raise the budget (change amount and time as you like); it then opens a new session.");

/** Of Bursar's own sample: the amount before any other word, the time behind all. */
const EXPOSED = /^(\$\d{1,78}\.\d{2,6}) signed in session /;
const EXPOSED_UNTIL = / may still settle, until (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)$/;

function exposed(f: Facts): string {
  return amountText(f) ?? firstMatch(f, EXPOSED) ?? "some USDC";
}

function untilText(f: Facts): string {
  const until = firstMatch(f, EXPOSED_UNTIL);
  return until === null ? "until its authorizations expire" : `until ${timeText(until)}`;
}

export const BUDGET_WORDS: { readonly [Rule in BudgetRule]: RuleWords } = {
  budget_threshold: {
    title: (f) => {
      const policy = f.figure?.policy ?? f.budget?.policy ?? null;
      const share = f.figure === null || f.figure.share === "all" ? thresholdOf(f) : f.figure.share;
      const name = f.agentId === null && f.budget?.scope != null ? titleName(f.budget.scope) : f.name;
      return `${name}: ${share === null ? "threshold" : `at ${share}`} of ${policy === null ? "a budget" : titleName(policy)}`;
    },
    what: (f) => {
      const budget = f.figure?.policy ?? f.budget?.policy ?? null;
      const share = thresholdOf(f);
      return `The budget${budget === null ? "" : ` ${budget}`} of ${whose(f)} has crossed ${share === null ? "a threshold" : `its threshold of ${share}`}. Its figure is what is spent in the window and what is signed and can still be spent.`;
    },
    much: figureText,
    did: () => ["Told you, and nothing else: where the budget also stops somebody, that is an alert of its own."],
    todo: (f) => [
      doThis("See all budgets.", f.run("budgets")),
      seePayments(f, f.agentId === null ? "See what was bought." : undefined),
      ...raise(f, "If that is planned, raise the limit for a time (change amount and time as you like)."),
    ],
  },
  session_revoked: {
    title: (f) => `${f.name}: session revoked${at(f)}`,
    what: (f) =>
      `Bursar revoked (deleted) a payment session of ${f.agent}: nothing more can be signed in it, and to pay again the agent needs another. ${because(f)}`,
    much: figureText,
    did: (f) => [
      "Deleted the session in AgentCore.",
      ...(f.figure === null
        ? []
        : ["Deletes every session that is opened while the budget stands at this threshold or above it."]),
    ],
    todo: (f) => [
      seePayments(f),
      seeSessions(f, "See what it signed before and can still settle.", "revoked"),
      ...goOn(f),
      ...freeze(f, "If it runs wild, stop it until you lift that."),
    ],
  },
  would_revoke: {
    title: (f) => `${f.name}: would be stopped${at(f)}`,
    what: (f) =>
      `${f.figure === null ? "A budget" : `Budget ${f.figure.policy}`} only observes (its mode is observe): had it been in force, Bursar would have ${f.subject.kind === "agent" ? `frozen ${f.agent}` : `revoked a session of ${f.agent}`}.`,
    much: figureText,
    did: () => ["Nothing, because the budget is to observe only: the agent goes on paying."],
    todo: (f) => [
      seePayments(f),
      ...(f.figure === null
        ? []
        : [doThis("If it should be stopped, put the budget in force.", enforceLine(f, f.figure.policy))]),
    ],
  },
  revocation_failed: {
    title: (f) => `${f.name}: cannot be revoked${at(f)}`,
    what: (f) =>
      `${f.figure === null ? `A payment session of ${f.agent} was to be revoked` : `Budget ${f.figure.policy} asks to revoke the sessions of ${whose(f)}`}, and that does not work: the agent can go on paying.`,
    much: figureText,
    did: () => ["Tries again, at growing intervals, wherever a session is known that is still open."],
    todo: (f) => [
      doThis("See what AgentCore answered.", f.run("actions", null, { outcome: "failed" })),
      doThis("Check that Bursar may list and delete sessions.", f.run("doctor")),
      ...freeze(
        f,
        "Freeze the agent, and apply the IAM policy that this prints: it closes the door without AgentCore.",
      ),
    ],
  },
  revocations_held_back: {
    title: (f) => `${f.name}: revocations wait for you`,
    what: () =>
      "Budgets ask for more revocations in a minute than limits.revocationsPerMinute allows to be done without a human. Either many agents overspend, or a budget is set wrong; the sessions concerned stay open and go on paying.",
    did: () => ["Revoked as many as it may, and holds back the others until you order them."],
    todo: (f) => [
      doThis("See which are held back, and why.", f.run("actions", null, { outcome: "skipped" })),
      doThis("See what revoking all of them would delete.", f.run("revoke", null, { scope: "org=*", "dry-run": null })),
      doThis("Revoke all of them.", f.run("revoke", null, { scope: "org=*", reason: "WHY" })),
      doThis("If a budget is set wrong, correct it.", f.run("budgets")),
    ],
  },
  agent_frozen: {
    title: (f) => `${f.name}: frozen${at(f)}`,
    what: (f) =>
      `Bursar froze ${f.agent}: the agent cannot pay until a human lets it go, whatever its budgets say later. ${because(f)}`,
    much: figureText,
    did: () => ["Deletes the sessions that the agent has open, and every one that it opens."],
    todo: (f) => [
      seePayments(f),
      seeSessions(f, "See what it signed before and can still settle."),
      ...unfreeze(f, "If it may pay again, let it go."),
    ],
  },
  exposure: {
    title: (f) => `${f.name}: ${exposed(f)} can still settle after revocation`,
    what: (f) =>
      `Before its session was revoked, ${f.agent} signed payments that are not settled yet: ${exposed(f)} can still be taken from its wallet ${untilText(f)}.`,
    much: (f) => `${exposed(f)}, signed and not settled`,
    did: () => [
      "Counts it as held and watches the chain: nobody can recall what is signed. This alert is over when all of it has settled or expired.",
    ],
    todo: (f) => [
      seeSessions(f, "Watch it run down.", "revoked"),
      doThis("If it must not settle, take the USDC out of the agent's wallet before it does."),
    ],
  },
  alerts_undelivered: {
    title: (f) => `${f.name}: alerts reach nobody`,
    what: (f) =>
      `${f.budget?.policy == null ? "Alerts of this installation" : `Alerts of budget ${f.budget.policy}`} reach nobody: no channel takes them, or the channel fails. What happens there, nobody will hear.`,
    did: () => ["Keeps every message that was not delivered and tries again; none is dropped."],
    todo: (f) => [
      doThis("Send a test through every channel and see what arrives.", f.run("alerts test")),
      doThis(
        "Name a channel in the config: alerts.email or alerts.slack. An e-mail address must confirm the mail that AWS sends it.",
      ),
      doThis("Read what was not delivered.", f.run("alerts")),
    ],
  },
};

const enforceLine = ({ run }: Facts, policy: string): string => run("budgets set", policy, { mode: "enforce" });
