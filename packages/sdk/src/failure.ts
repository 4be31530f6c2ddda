/** Names the reason of a failed payment out of what x402, AgentCore and facilitators say in words. */
import type { EventOf } from "@bursar/events/contract";

export type FailureReason = EventOf<"agent.payment_failed">["reason"];

// AgentCore tells its refusals apart by message text alone: "budget" or "insufficient", "expired", "session not found".
const WORDS: readonly (readonly [RegExp, FailureReason])[] = [
  [/budget|spending limit|spend limit|spendcontrols|maxamountperpayment|exceeds? .*limit/i, "budget_exceeded"],
  [/session.{0,40}(?:expired|not found)|expired.{0,40}session/i, "session_expired"],
  [/insufficient[_ -]?(?:funds|balance)|insufficient|exceeds balance/i, "insufficient_funds"],
];

/** The reason that the words give, or `otherwise`. */
export function failureReason(words: string, otherwise: FailureReason): FailureReason {
  return WORDS.find(([pattern]) => pattern.test(words))?.[1] ?? otherwise;
}
