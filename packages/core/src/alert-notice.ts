/** An alert's move as `alert.v1`: everything that is to be told of it, from which mail, Slack and programs are served. */
import { type AlertNotice, type AlertNoticeSample, NOTICE_SAMPLES_MAX } from "@bursar/events/alert-notice";
import { clean } from "@bursar/events/text";
import { amountText, type Facts, factsOf, type NoticeContext, timesText } from "./alert-facts.ts";
import { linksOf, transactionUrl } from "./alert-links.ts";
import type { AlertChange, AlertMove, KeptAlert } from "./alert-shape.ts";
import { paymentOf } from "./alert-subject.ts";
import { countText, dataText, timeText } from "./alert-text.ts";
import { doThis } from "./alert-todos.ts";
import { wordsOf } from "./alert-words.ts";
import { lastsText } from "./wallet-causes.ts";

export type { NoticeContext } from "./alert-facts.ts";

const ID_MAX = 1024;

/** The message of one change of an alert's state. Pure: the same move and context give the same message. */
export function noticeOf({ alert, change }: AlertMove, context: NoticeContext): AlertNotice {
  const facts = factsOf(alert, context);
  const words = wordsOf(alert.rule);
  const isOver = change === "resolved";
  return {
    version: 1,
    id: clean(alert.id, ID_MAX),
    rule: alert.rule,
    subject: clean(alert.subject, ID_MAX),
    agentId: facts.agentId,
    severity: alert.severity,
    status: alert.status,
    change,
    count: alert.count,
    step: alert.step,
    reopened: alert.reopened,
    at: context.now,
    openedAt: alert.openedAt,
    updatedAt: alert.updatedAt,
    since: alert.openedAt,
    until: alert.until,
    org: facts.org,
    stage: facts.stage,
    title: `${PREFIX[change](alert)}${words.title(facts)}`,
    what: `${changeText(alert, change, context.now)}${words.what(facts)}`,
    who: whoText(facts),
    amount: facts.amount?.toString() ?? null,
    much: words.much?.(facts) ?? amountText(facts),
    did: isOver ? ["Closed the alert."] : [...(words.did?.(facts) ?? [])],
    todo: isOver ? [doThis("Nothing.")] : [...words.todo(facts)],
    links: linksOf(facts, context.chainId),
    samples: alert.samples.slice(0, NOTICE_SAMPLES_MAX).map(sampleOf),
    ended: isOver ? endText(alert) : null,
    note: alert.acknowledged?.note == null ? null : dataText(alert.acknowledged.note),
  };
}

const PREFIX: { readonly [Change in AlertChange]: (alert: KeptAlert) => string } = {
  opened: () => "",
  escalated: ({ count }) => `${countText(count)} times: `,
  acknowledged: () => "",
  resolved: () => "",
  reopened: () => "again: ",
};

function changeText(alert: KeptAlert, change: AlertChange, now: string): string {
  const lasted = durationText(alert.openedAt, change === "resolved" ? alert.updatedAt : now);
  switch (change) {
    case "opened":
      return "";
    case "escalated":
      return `This goes on: ${timesText(alert.count)} in ${lasted}. `;
    case "acknowledged":
      return `Somebody has acknowledged this${alert.acknowledged === null ? "" : ` at ${timeText(alert.acknowledged.at)}`}: you hear no more of it until it changes. It is this: `;
    case "resolved":
      return `This is over, after ${lasted}. It was this: `;
    case "reopened":
      return `This was over and has come back${alert.reopened > 1 ? ` (${timesText(alert.reopened)} so far)` : ""}. `;
  }
}

/** What ended it; a text that only says again what it was about says nothing of its end. */
function endText({ text, samples, until, updatedAt }: KeptAlert): string | null {
  if (text !== "" && !samples.some((sample) => sample.text === text)) return dataText(text);
  return until !== null && until <= updatedAt ? `its time was over at ${timeText(until)}` : null;
}

/** How long from one time to another: "4 min", "2 h 4 min". */
export function durationText(from: string, to: string): string {
  const seconds = Math.floor((Date.parse(to) - Date.parse(from)) / 1000);
  return seconds >= 1 ? lastsText(seconds) : "less than a second";
}

function whoText({ subject, agentId, apiId, wallet, sessionId, budget, payment, org }: Facts): string {
  const ofAgent = agentId === null ? "" : ` of agent ${agentId}`;
  switch (subject.kind) {
    case "agent":
      return agentId === null ? "an unknown agent" : `agent ${agentId}`;
    case "api":
      return apiId === null ? "an unknown API" : `API ${apiId}`;
    case "wallet":
      return wallet === null ? "an unknown wallet" : `wallet ${wallet}${ofAgent}`;
    case "session":
      return sessionId === null ? `a session${ofAgent}` : `session ${sessionId}${ofAgent}`;
    case "budget": {
      const policy = budget?.policy == null ? "a budget" : `budget ${budget.policy}`;
      return budget?.scope == null ? policy : `${policy} of ${budget.scope}`;
    }
    case "payment":
      return payment === null ? `a payment${ofAgent}` : `payment ${payment.short}${ofAgent}`;
    case "source":
      if (apiId !== null) return `API ${apiId}`;
      return agentId === null ? "a source that Bursar does not know" : `agent ${agentId}`;
    case "token":
      return "everyone who pays with USDC on this chain";
    default:
      return `organisation ${org}`;
  }
}

/** What wallets' samples end with; the message has the link itself. */
const EXPLORER = / See https:\/\/(?:sepolia\.)?arbiscan\.io\/address\/0x[0-9a-f]{40}$/;

function sampleOf({ at, text, paymentId }: KeptAlert["samples"][number]): AlertNoticeSample {
  const payment = paymentId === undefined ? null : paymentOf(paymentId);
  const url = payment === null ? null : transactionUrl(payment);
  return {
    at,
    text: dataText(text.replace(EXPLORER, "")),
    ...(payment === null || payment.id === null ? {} : { paymentId: payment.id }),
    ...(url === null ? {} : { url }),
  };
}
