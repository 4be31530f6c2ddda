/** What a session gives cause to tell: it has no cap, it ends soon, its figures drift, its user is two agents'. */
import { displayUsd } from "@bursar/events/money";
import type { Cause } from "./alerts.ts";
import { isOpen, type KeptSession } from "./session-registry.ts";
import type { User } from "./users.ts";

/** How long before its end a session is spoken of: longer than two listings are apart. */
const EXPIRING_MS = 7 * 60_000;
/** Events of the moment are on their way: a gap is told when it stays the same. */
const DRIFT_MS = 60_000;

export function expiring(kept: KeptSession, now: string): Cause[] {
  if (kept.expiresAt === null || !isOpen(kept, now)) return [];
  if (Date.parse(kept.expiresAt) - Date.parse(now) > EXPIRING_MS) return [];
  const whose = kept.listed?.agentIds.join(", ") ?? "an agent";
  const sample = `session ${kept.sessionId} of ${whose} ends at ${kept.expiresAt}: payments in it fail from then on. Its application opens a new one with CreatePaymentSession`;
  return [about(kept, "session_expiring", sample, kept.expiresAt)];
}

export function uncapped(kept: KeptSession): Cause[] {
  if (kept.readAt === null || kept.limit !== null) return [];
  const sample = `session ${kept.sessionId} was opened without limits.maxSpendAmount: until Bursar hears of a payment nothing holds it back`;
  return [about(kept, "uncapped_session", sample, kept.expiresAt)];
}

export function drifted(kept: KeptSession, now: string): Cause[] {
  const { sessionId, drift } = kept;
  if (drift === null || Date.parse(now) - Date.parse(drift.since) < DRIFT_MS) return [];
  const gap = BigInt(drift.amount);
  const amount = `${displayUsd(gap < 0n ? -gap : gap)} ${gap < 0n ? "less" : "more"}`;
  const sample = `AgentCore has counted ${amount} than our books in session ${sessionId}: ${drift.cause}`;
  return [about(kept, "drift", sample, null)];
}

export function shared({ userId, agentIds }: User): Cause[] {
  if (agentIds.length < 2) return [];
  const sample = `${agentIds.join(" and ")} share the userId "${userId}": AgentCore cannot tell their sessions apart, and what stops one needs a budget that both are in`;
  return [{ rule: "shared_user_id", subject: `agent:${agentIds[0]}`, severity: "warning", sample }];
}

/** A user whose sessions cannot be listed: what no event names cannot be stopped. */
export function unlisted({ agentIds }: User, why: { refused: string; isPassing: boolean } | null = null): Cause {
  return {
    rule: "sessions_unlisted",
    subject: `agent:${agentIds[0]}`,
    severity: why?.isPassing === true ? "warning" : "critical",
    sample: `the sessions of ${agentIds.join(", ")} cannot be listed, so that only those that events name can be revoked: ${why?.refused ?? ""}`,
    period: "-",
  };
}

function about({ sessionId }: KeptSession, rule: string, sample: string, until: string | null): Cause {
  return { rule, subject: `session:${sessionId}`, severity: "warning", sample, period: "-", until };
}
