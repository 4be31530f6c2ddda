/** The order in which a payment's facts are told. */
import type { StoryFact } from "./story.ts";

/**
 * As it went: a block's time has whole seconds, so the chain's word of a second stands behind what led to it in that
 * second; within one moment the steps of a purchase keep their order.
 */
export function inOrder(facts: readonly StoryFact[]): StoryFact[] {
  const settling = ORDER.indexOf("chain.settled");
  const led = facts.filter(({ type }) => ORDER.slice(0, settling).includes(type)).map(({ at }) => at);
  const placed = facts.map((fact) => {
    const isBlockTime = fact.type.startsWith("chain.") && fact.at.endsWith(".000Z");
    const second = fact.at.slice(0, 19);
    const at = isBlockTime
      ? led.reduce((last, one) => (one.startsWith(second) && one > last ? one : last), fact.at)
      : fact.at;
    return { fact, at };
  });
  return placed
    .sort((a, b) => (a.at === b.at ? rank(a.fact.type) - rank(b.fact.type) : a.at < b.at ? -1 : 1))
    .map(({ fact }) => fact);
}

const ORDER = [
  "agent.request_sent",
  "api.payment_demanded",
  "agent.payment_required",
  "agent.authorization_requested",
  "agent.authorization_signed",
  "agent.payment_sent",
  "api.verification_started",
  "api.transaction_submitted",
  "chain.settled",
  "api.transaction_confirmed",
  "api.content_returned",
  "agent.response_received",
];

function rank(type: string): number {
  const at = ORDER.indexOf(type);
  return at === -1 ? ORDER.length : at;
}
