/**
 * `judge`: figures in, what is asked for out. Pure: which thresholds a figure has reached, and what they ask for, given
 * the open sessions and the agents of the scope. `alert` is an edge, once per window; `revoke` and `freeze` are levels:
 * whoever is judged while the figure stands is stopped, a session opened later too.
 */
import type { Policy } from "@bursar/events/config-schema";
import { displayUsd } from "@bursar/events/money";
import type { Cause } from "./alerts.ts";
import { isCrossed } from "./budgets.ts";
import { policyId, type ScopeRef, sessionScope } from "./effects.ts";
import type { Order } from "./outbox.ts";
import type { SessionKey } from "./ports.ts";
import type { FreezeCause } from "./stops.ts";

export interface Figure {
  readonly policy: Policy;
  readonly scope: ScopeRef;
  /** Of the window; both null for `total`. */
  readonly start: string | null;
  readonly end: string | null;
  /** Spent in the window, and held. */
  readonly amount: bigint;
}

/** A threshold that a figure has reached. */
export interface Crossing {
  readonly figure: Figure;
  readonly at: number;
  readonly does: Policy["thresholds"][number]["do"];
  /** In words: `research-day: agent:research is at 102 % of $5.00 ($5.10)`. */
  readonly reason: string;
}

/** An open session and whose it is. */
export interface OpenSession extends SessionKey {
  readonly agentIds: readonly string[];
  /** AgentCore lists it: it is no name that somebody made up. */
  readonly listed?: boolean;
}

/** Every threshold that the figure has reached, in the policy's order. */
export function crossings(figure: Figure): Crossing[] {
  const { policy, scope, amount } = figure;
  const reached = policy.thresholds.filter(({ at }) => isCrossed(at, amount, policy.limit));
  if (reached.length === 0) return [];
  const share = policy.limit === 0n ? "all" : `${(amount * 100n) / policy.limit} %`;
  const reason = `${policy.id}: ${nameOf(scope)} is at ${share} of ${displayUsd(policy.limit)} (${displayUsd(amount)})`;
  return reached.map(({ at, do: does }) => ({ figure, at, does, reason }));
}

/** The alert of a crossing: one for each threshold and window. */
export function crossingCause({ figure, at: share, reason }: Crossing, at: string): Cause {
  const { policy, scope, start, end } = figure;
  return {
    rule: "budget_threshold",
    subject: `budget:${policy.id}/${nameOf(scope)}`,
    severity: "warning",
    sample: reason,
    period: `${start ?? "-"}/${share}`,
    at,
    until: end,
  };
}

/** What a crossing asks for of the open sessions and the agents of its scope; nothing where it only alerts. */
export function demands(
  { does, reason }: Crossing,
  sessions: readonly OpenSession[],
  agentIds: readonly string[],
): Order[] {
  if (does === "alert") return [];
  const orders = sessions.map((session) => revocation(session, reason));
  return does === "freeze" ? [...orders, ...agentIds.map((agentId) => freezing(agentId, reason))] : orders;
}

/** The deletion of one session. */
export function revocation(session: OpenSession, reason: string, human = false): Order {
  const { managerArn, sessionId, agentIds, listed = false } = session;
  const key = revocationKey(session);
  return { key, kind: "revoke_session", target: sessionId, managerArn, agentIds, reason, human, confirmed: listed };
}

/** The key of a session's deletion: `revoke_session/<managerArn>/<sessionId>`; a slash in the session's id is escaped. */
export const revocationKey = (session: SessionKey): string => `revoke_session/${sessionScope(session).id}`;

export function freezing(agentId: string, reason: string, human = false): Order {
  return {
    key: `freeze_agent/${agentId}`,
    kind: "freeze_agent",
    target: agentId,
    agentIds: [agentId],
    reason,
    human,
    confirmed: true,
  };
}

/** What an action's alert says once it is done. */
export function doneCause(
  { kind, target, reason, agentIds }: Pick<Order, "kind" | "target" | "reason"> & { agentIds?: readonly string[] },
  at: string,
): Cause {
  const [rule, subject] =
    kind === "freeze_agent" ? ["agent_frozen", `agent:${target}`] : ["session_revoked", `session:${target}`];
  return { rule, subject, severity: "critical", sample: reason, period: "-", at, agentId: onlyOf(agentIds) };
}

/** In `observe` everything is computed and told, and nothing is done. */
export function wouldCause({ kind, target, reason, agentIds }: Order, { start, end }: Figure, at: string): Cause {
  const subject = kind === "freeze_agent" ? `agent:${target}` : `session:${target}`;
  return {
    rule: "would_revoke",
    subject,
    severity: "warning",
    sample: reason,
    period: start ?? "-",
    at,
    until: end,
    agentId: onlyOf(agentIds),
  };
}

/** Whose it is, where it is one agent's. */
const onlyOf = (agentIds: readonly string[] = []): string | null =>
  agentIds.length === 1 ? (agentIds[0] ?? null) : null;

/** A crossing as what may freeze an agent: a human lifts it for its window, its threshold and its limit. */
export function freezeCause({ figure: { policy, scope, start, end }, at }: Crossing): FreezeCause {
  return { policy: policy.id, scope: nameOf(scope), start, at, limit: policy.limit.toString(), until: end };
}

const nameOf = (scope: ScopeRef): string => `${scope.kind}:${policyId(scope)}`;
