/** What a human can do next, each with the command that does it. */
import type { AlertTodo } from "@bursar/events/alert-notice";
import { formatUsd } from "@bursar/events/money";
import type { Facts } from "./alert-facts.ts";

/** Why a human did it stands in the record: the commands that ask for it have it ready to be written. */
const REASON = { reason: "WHY" } as const;

export const doThis = (text: string, command?: string): AlertTodo =>
  command === undefined ? { text } : { text, command };

/** The payment that the alert has as its first sample, as three stories. */
export function seePayment({ payment, alert, run }: Facts, text?: string): AlertTodo[] {
  const which = alert.count === 1 ? "it" : "the first of them";
  const look = text ?? `Look at ${which}: what agent, API and chain say.`;
  return payment === null ? [] : [doThis(look, run("payment", payment.short))];
}

export function seeBreaks({ agentId, run }: Facts): AlertTodo {
  const options = { ...(agentId === null ? {} : { agent: agentId }), verdict: "break" };
  return doThis("List the payments whose stories differ.", run("payments", null, options));
}

export function seePayments({ agentId, run }: Facts, text = "See what the agent bought."): AlertTodo {
  return doThis(text, run("payments", null, agentId === null ? {} : { agent: agentId }));
}

export function seeSessions({ agentId, run }: Facts, text: string, status?: string): AlertTodo {
  const options = { ...(agentId === null ? {} : { agent: agentId }), ...(status === undefined ? {} : { status }) };
  return doThis(text, run("sessions", null, options));
}

/** Twice the limit for two hours: a line to be changed, not to be thought up. */
export function raise({ figure, budget, run }: Facts, text: string): AlertTodo[] {
  const policy = figure?.policy ?? budget?.policy ?? null;
  if (policy === null) return [];
  const to = figure === null || figure.limit === 0n ? "USD" : formatUsd(figure.limit * 2n).replace(/0{1,4}$/, "");
  return [doThis(text, run("budgets raise", policy, { to, until: "+2h", ...REASON }))];
}

export function freeze({ agentId, run }: Facts, text: string): AlertTodo[] {
  return agentId === null ? [] : [doThis(text, run("freeze", agentId, REASON))];
}

export function unfreeze({ agentId, run }: Facts, text: string): AlertTodo[] {
  return agentId === null ? [] : [doThis(text, run("unfreeze", agentId, REASON))];
}

export function revoke({ sessionId, agentId, run }: Facts, text: string): AlertTodo[] {
  if (sessionId !== null) return [doThis(text, run("revoke", sessionId, REASON))];
  return agentId === null ? [] : [doThis(text, run("revoke", null, { scope: `agent=${agentId}`, ...REASON }))];
}
