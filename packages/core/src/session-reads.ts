/** Sessions as people read them: AgentCore's word, our books, and what a revoked one may still cost. */
import type { Session } from "@bursar/events/shapes";
import { heldCounter, readCounters } from "./counters.ts";
import { scopeName, sessionScope } from "./effects.ts";
import { all } from "./pages.ts";
import type { Store } from "./ports.ts";
import { agentsOfSession, eachSession, type KeptSession } from "./session-registry.ts";

/** Every session, by manager and id. */
export async function readSessions(store: Store, now: string): Promise<Session[]> {
  const found = await shown(store, await all(eachSession(store)), now);
  return found.sort((a, b) => (`${a.managerArn}/${a.id}` < `${b.managerArn}/${b.id}` ? -1 : 1));
}

/** These sessions in their public shape. */
export async function shown(store: Store, sessions: readonly KeptSession[], now: string): Promise<Session[]> {
  const held = await readCounters(
    store,
    sessions.map((session) => heldCounter(scopeName(sessionScope(session)))),
  );
  return sessions.map((kept, i) => ({
    id: kept.sessionId,
    managerArn: kept.managerArn,
    agentId: agentsOfSession(kept)[0] ?? null,
    userId: kept.listed?.userId ?? kept.claimedUsers[0] ?? null,
    status: statusOf(kept, now),
    expiresAt: kept.expiresAt,
    revokedAt: kept.revokedAt,
    limit: kept.limit,
    available: kept.available,
    exposure: (held[i] ?? 0n).toString(),
    exposedUntil: timeOf(kept.exposedUntil),
    drift: kept.readAt === null || kept.limit === null ? null : (kept.drift?.amount ?? "0"),
    driftCause: kept.drift?.cause ?? null,
  }));
}

/** What nobody has asked AgentCore about is unknown; what it has no more, and Bursar did not delete, is over. */
function statusOf({ revokedAt, goneAt, expiresAt, listed }: KeptSession, now: string): Session["status"] {
  if (revokedAt !== null) return "revoked";
  if ((expiresAt !== null && expiresAt <= now) || goneAt !== null) return "expired";
  return listed === null ? "unknown" : "open";
}

/** Unix seconds as ISO-8601; null for what no calendar holds. */
function timeOf(seconds: string | null): string | null {
  if (seconds === null || BigInt(seconds) > 8_640_000_000_000n) return null;
  const at = new Date(Number(seconds) * 1000).toISOString();
  return at.length === 24 ? at : null;
}
