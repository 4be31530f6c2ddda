/** One payment on one page: who paid whom and how far it is, three stories side by side, the amounts compared, what to do. */
import type { Budget, Payment } from "@bursar/events/shapes";
import type { StoryFact } from "../story.ts";
import type { ChainStanding } from "../watcher.ts";
import { amountsLine } from "./amounts.ts";
import { amount, clock, percent, stamp } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { stepText } from "./step-text.ts";
import { painter, signsOf } from "./style.ts";
import { cut, padEnd, safe, wrap } from "./text.ts";
import { breakMeaning, breakName, STATES, verdictColor, verdictText } from "./words.ts";

export interface PaymentFacts {
  readonly payment: Payment;
  readonly story: readonly StoryFact[];
  readonly budgets: readonly Budget[];
  /** Claimed hashes without a receipt, as the watcher found them last. */
  readonly waiting?: ChainStanding["waiting"];
}

const LABEL = 12;

export function paymentPage({ payment, story, budgets, waiting = {} }: PaymentFacts, screen: Screen): string[] {
  const paint = painter(screen);
  const signs = signsOf(screen);
  const { agentIds, apiId, state, verdict } = payment;
  const who = `${safe(agentIds.join(", ") || "nobody's wallet")} ${signs.arrow} ${safe(apiId ?? "an unknown API")}`;
  const head = `${paint("bold", amount(payment.amount))}  ${who}  ${safe(state)}, ${paint(verdictColor(verdict), safe(verdictText(payment)))}`;
  const label = (name: string, text: string) => `${paint("dim", padEnd(name, LABEL))}${text}`;
  const lines = [head, label("", STATES[state]?.means ?? ""), ""];
  lines.push(...storyLines(payment, story, screen), "");

  const amounts = amountsLine(story, signs);
  if (amounts !== null) lines.push(label("amounts", amounts.agree ? amounts.text : paint("red", amounts.text)));
  if (payment.bookedAt !== null) {
    const touched = budgets.filter((budget) => isBookedIn(payment, budget)).map(budgetShare);
    const rest = touched.length === 0 ? "" : ` ${signs.dot} budgets ${touched.slice(0, 4).join(", ")}`;
    lines.push(label("booked", `${stamp(payment.bookedAt)} UTC${rest}`));
  }
  if (payment.payer !== null)
    lines.push(label("wallet", safe(`${payment.payer} ${signs.arrow} ${payment.payee ?? "?"}`)));
  lines.push(label(payment.id.startsWith("eip3009:") ? "nonce" : "id", nameOf(payment)));
  for (const hash of payment.txHashes) lines.push(label("tx", `${safe(hash)}${waitingText(waiting[hash])}`));
  if (payment.requestId !== null) lines.push(label("request", safe(payment.requestId)));
  if (payment.purchaseId !== null) lines.push(label("purchase", safe(payment.purchaseId)));
  if (payment.sessionId !== null) lines.push(label("session", safe(payment.sessionId)));
  if (payment.explorerUrl !== null) lines.push(label("look it up", paint("cyan", safe(payment.explorerUrl))));
  for (const name of payment.breaks) {
    lines.push("", `${paint("red", `break: ${breakName(name)}`)}`);
    for (const line of wrap(breakMeaning(name), Math.min(screen.columns, 100) - 2)) lines.push(`  ${line}`);
  }
  return lines;
}

function waitingText(standing: ChainStanding["waiting"][string] | undefined): string {
  if (standing === undefined) return "";
  return standing === "pending" ? "  waits in the mempool" : "  no node knows it";
}

function nameOf({ id }: Payment): string {
  const parts = id.split(":");
  return safe(parts[0] === "eip3009" ? (parts[4] ?? id) : id);
}

/** Time, agent, API, chain. What another than the payment's own agent or API said carries its name. */
function storyLines(payment: Payment, story: readonly StoryFact[], screen: Screen): string[] {
  const paint = painter(screen);
  const signs = signsOf(screen);
  const column = Math.max(20, Math.floor((Math.min(screen.columns, 100) - LABEL) / 3));
  const day = dayOf(story[0]);
  const titles = ["agent", "API", "chain"];
  const lines = [
    paint("dim", `${padEnd(day, LABEL)}${titles.map((title) => padEnd(title, column)).join("")}`.trimEnd()),
  ];
  let last = day;
  for (const fact of story) {
    if (dayOf(fact) !== last) {
      last = dayOf(fact);
      lines.push(paint("dim", last));
    }
    const { index, foreign } = placeOf(payment, fact);
    const text = cut(safe(`${foreign}${stepText(fact, signs)}`), index === 2 ? column : column - 2, signs.ellipsis);
    const cell = `${" ".repeat(column * index)}${text}`;
    lines.push(`${padEnd(timeOf(fact), LABEL)}${foreign === "" ? cell : paint("yellow", cell)}`);
  }
  return lines;
}

/** A block's time has whole seconds, and does not pretend to more. */
function timeOf({ at, source }: StoryFact): string {
  return source === "bursar.chain" && at.endsWith(".000Z") ? clock(at).slice(0, 8) : clock(at);
}

const dayOf = (fact: StoryFact | undefined): string => safe(fact?.at.slice(0, 10) ?? "");

function placeOf(payment: Payment, { source }: StoryFact): { index: number; foreign: string } {
  const [, kind = "", ...rest] = source.split(".");
  const id = rest.join(".");
  if (kind === "agent") return { index: 0, foreign: payment.agentIds.includes(id) ? "" : `${id}: ` };
  if (kind === "api") return { index: 1, foreign: payment.apiId === id ? "" : `${id}: ` };
  return { index: kind === "govern" ? 0 : 2, foreign: "" };
}

function isBookedIn({ agentIds, apiId, payer, payee, sessionId, bookedAt }: Payment, budget: Budget): boolean {
  const colon = budget.scope.indexOf(":");
  const [kind, id] = [budget.scope.slice(0, colon), budget.scope.slice(colon + 1)];
  const own: { readonly [kind: string]: boolean } = {
    org: agentIds.length > 0,
    agent: agentIds.includes(id),
    api: apiId === id,
    wallet: payer === id,
    payee: payee === id,
    session: sessionId === id,
  };
  const at = bookedAt ?? "";
  return (
    own[kind] === true && (budget.start === null || budget.start <= at) && (budget.end === null || at < budget.end)
  );
}

function budgetShare({ policy, spent, held, limit }: Budget): string {
  return `${safe(policy)} (${percent(BigInt(spent) + BigInt(held), BigInt(limit))})`;
}
