/**
 * One batch through `correlate` and `govern`: what every shell runs for the queue's entries and the chain's facts. When
 * it resolves, facts, books and everything that was resolved on are durable, and the batch may be acknowledged.
 */
import type { Told } from "@bursar/events/envelope";
import { raiseAlerts } from "./alert-book.ts";
import { type Touched, touch } from "./alert-marks.ts";
import type { Cause } from "./alerts.ts";
import { find } from "./assess.ts";
import { type Correlated, correlate } from "./correlate.ts";
import { type Governed, govern, type Moved } from "./govern.ts";
import { type GovernBase, worldAt } from "./govern-world.ts";
import { lastOf } from "./hours.ts";
import { heldBalances } from "./known-balances.ts";
import { isNamed } from "./payment.ts";
import type { Change, Store } from "./ports.ts";
import { load } from "./record.ts";
import { isRow } from "./rows.ts";
import { saidCauses } from "./said.ts";
import { type NamedSession, namedSessions, noteJudged, noteRevoked, noteSessions } from "./session-registry.ts";
import { freezeOf } from "./stops.ts";
import type { Changed } from "./write.ts";

export interface Ingested extends Correlated, Governed {
  /** Sessions that this process had not heard of: AgentCore can say more of them. */
  readonly sessions: readonly NamedSession[];
}

/** Takes a batch in and judges what it moved. Throws for a passing fault of the store: the same may be told again. */
export async function ingest(store: Store, base: GovernBase, told: readonly Told[], now: string): Promise<Ingested> {
  const { fresh, alive } = await noteSessions(store, base.notes, namedSessions(told), now);
  await noteRevoked(store, told, now);
  const world = await worldAt(store, base, now);
  const correlated = await correlate(store, world, told, now);
  const frozen = namedSessions(told).filter(({ agentId }) => freezeOf(world.stops, agentId) !== null);
  const moved = {
    counters: correlated.counters,
    sessions: [...fresh, ...alive, ...frozen],
    findings: ofRevoked(correlated.changed),
    touched: correlated.touched,
  };
  const [governed, said] = await Promise.all([
    govern(store, world, moved, now),
    heldBalances(store, base.notes, told, world.directory, now).then((held) =>
      raiseAlerts(store, [...saidCauses(told, world, now, held), ...alive.map((one) => aliveCause(one, now))], now),
    ),
  ]);
  noteJudged(base.notes, fresh);
  return { ...correlated, ...governed, alerts: [...governed.alerts, ...said], sessions: fresh };
}

/** Somebody signs in a session that AgentCore had not under the user that was believed: the stop did not stop. */
function aliveCause({ agentId, sessionId }: NamedSession, now: string): Cause {
  return {
    rule: "revocation_failed",
    subject: `session:${sessionId}`,
    severity: "critical",
    sample: `${agentId} signs in session ${sessionId}, which AgentCore had not under the userId that ${agentId} gives it: set agents.${agentId}.userId in the config`,
    period: "-",
    until: lastOf(now),
  };
}

/**
 * Payments in the feed that were booked under earlier budgets than those in force: by a writer that had read them before
 * they changed, and committed behind whoever folded all payments again.
 */
export function staleIn(changes: readonly Change[], edition: number): string[] {
  const stale = new Set<string>();
  for (const { key, after } of changes) {
    const id = key.pk.slice("PAY#".length);
    if (!key.pk.startsWith("PAY#") || isRow(id)) continue;
    const { payment, edition: booked } = load(id, after);
    if (isNamed(payment) && booked < edition) stale.add(id);
    else stale.delete(id);
  }
  return [...stale];
}

/** What the change feed says moved: the second hearing of what may not have been judged the first time. */
export function movedBy(changes: readonly Change[], { directory }: Pick<GovernBase, "directory">): Moved {
  const counters = new Set<string>();
  const findings = [];
  const touched: Touched = new Map();
  for (const { key, before, after } of changes) {
    if (!key.pk.startsWith("PAY#")) continue;
    const id = key.pk.slice("PAY#".length);
    const loaded = load(id, after);
    touch(touched, { ...loaded, id });
    if (isRow(id)) continue;
    const { payment, applied } = loaded;
    for (const counter in applied) counters.add(counter);
    if (before !== null) for (const counter in load(id, before).applied) counters.add(counter);
    if (payment.context["session.revoked|govern"] !== undefined) findings.push(find(payment, directory));
  }
  return { counters, sessions: [], findings, touched };
}

function ofRevoked(changed: readonly Changed[]): Moved["findings"] {
  return changed.flatMap(({ findings }) =>
    findings !== null && findings.evidence.revocations.length > 0 ? [findings] : [],
  );
}
