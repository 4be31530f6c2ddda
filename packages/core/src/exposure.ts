/**
 * Exposure: deleting a session recalls nothing that was signed in it. What is signed, unsettled and unexpired after a
 * revocation can still settle: it is what the session's scope holds, counted down by the chain's word alone.
 */
import { displayUsd } from "@bursar/events/money";
import type { Alert } from "@bursar/events/shapes";
import { alertId, raiseAlerts, resolveAlert } from "./alert-book.ts";
import type { Cause } from "./alerts.ts";
import type { Findings } from "./assess.ts";
import { validBeforeOf } from "./claims.ts";
import { heldCounter, readCounters } from "./counters.ts";
import { type ScopeRef, scopeName, sessionOf, sessionScope, sessionsOf } from "./effects.ts";
import type { Store } from "./ports.ts";
import { changeSession, type KeptSession, keptSessions } from "./session-registry.ts";

/** Opens, moves and closes the alerts about what revoked sessions may still cost, among the scopes that moved. */
export async function exposures(
  store: Store,
  scopes: Iterable<ScopeRef>,
  findings: readonly Findings[],
  now: string,
): Promise<Alert[]> {
  const moved = [...scopes].filter(({ kind }) => kind === "session").map(sessionOf);
  const revoked = (await keptSessions(store, moved)).filter(({ revokedAt }) => revokedAt !== null);
  if (revoked.length === 0) return [];
  const until = latestOf(findings);
  const held = await readCounters(
    store,
    revoked.map((session) => heldCounter(scopeName(sessionScope(session)))),
  );
  const expose = async (session: KeptSession, amount: bigint): Promise<readonly Alert[]> => {
    const latest = amount === 0n ? null : (until.get(sessionScope(session).id) ?? null);
    const kept = await changeSession(store, session, now, (known) => ({
      ...known,
      exposedUntil: amount === 0n ? null : later(known.exposedUntil, latest),
    }));
    const cause = causeOf(kept.sessionId, amount, kept.exposedUntil);
    if (amount > 0n) return raiseAlerts(store, [cause], now);
    const said = "the chain has closed all that was signed in it";
    const closed = await resolveAlert(store, alertId(cause, now), said, now);
    return closed === null ? [] : [closed];
  };
  const alerts: Alert[] = [];
  for (let i = 0; i < revoked.length; i += AT_ONCE) {
    const some = revoked.slice(i, i + AT_ONCE).map((session, j) => expose(session, held[i + j] ?? 0n));
    alerts.push(...(await Promise.all(some)).flat());
  }
  return alerts;
}

/** Sessions that are looked at at once. */
const AT_ONCE = 16;

/** By session: the latest time until which something open that was signed in it may settle. */
function latestOf(findings: readonly Findings[]): Map<string, string> {
  const until = new Map<string, string>();
  for (const found of findings) {
    if (found.state !== "signed" && found.state !== "submitted") continue;
    const validBefore = validBeforeOf(found.evidence);
    if (validBefore === null) continue;
    for (const session of sessionsOf(found)) {
      const { id } = sessionScope(session);
      until.set(id, later(until.get(id) ?? null, validBefore) as string);
    }
  }
  return until;
}

function causeOf(sessionId: string, amount: bigint, until: string | null): Cause {
  const end = until === null || BigInt(until) > LAST_S ? "" : `, until ${new Date(Number(until) * 1000).toISOString()}`;
  return {
    rule: "exposure",
    subject: `session:${sessionId}`,
    severity: "warning",
    sample: `${displayUsd(amount)} signed in session ${sessionId} before it was revoked may still settle${end}`,
    period: "-",
  };
}

/** The last second that a Date can hold. */
const LAST_S = 8_640_000_000_000n;

function later(a: string | null, b: string | null): string | null {
  if (a === null || b === null) return a ?? b;
  return BigInt(a) >= BigInt(b) ? a : b;
}
