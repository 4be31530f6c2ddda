/**
 * `judge`: figures in, actions out. Pure: what a budget's thresholds ask for at one moment, given what is held and
 * spent, which sessions are open, and who is in the scope. `alert` is an edge, once per window; `revoke` and `freeze`
 * are levels: whoever is judged while the figure stands is stopped, a session opened later too.
 */
import type { Policy } from "@bursar/events/config-schema";
import { displayUsd } from "@bursar/events/money";
import type { Action } from "@bursar/events/shapes";
import type { Cause } from "./alerts.ts";
import { isCrossed } from "./budgets.ts";
import { policyId, type ScopeRef } from "./effects.ts";

export interface OpenSession {
  readonly managerArn: string;
  readonly sessionId: string;
  /** Who named it; two make it contested. */
  readonly agentIds: readonly string[];
}

export interface Judged {
  readonly policy: Policy;
  readonly scope: ScopeRef;
  /** The window's start; null for `total`. */
  readonly start: string | null;
  /** Spent in the window, and held. */
  readonly figure: bigint;
  /** Open sessions of the scope. */
  readonly sessions: readonly OpenSession[];
  /** Agents of the scope: who is frozen when it freezes. */
  readonly agentIds: readonly string[];
}

export interface Judgement {
  readonly actions: readonly Action[];
  readonly causes: readonly Cause[];
}

/** What stands to be done at `at`. Nothing is remembered here: keys make a repeat harmless. */
export function judge({ policy, scope, start, figure, sessions, agentIds }: Judged, at: string): Judgement {
  const actions: Action[] = [];
  const causes: Cause[] = [];
  const name = `${scope.kind}:${policyId(scope)}`;
  const reason = `${policy.id}: ${name} is at ${percent(figure, policy.limit)} of ${displayUsd(policy.limit)} (${displayUsd(figure)})`;
  for (const threshold of policy.thresholds) {
    if (!isCrossed(threshold.at, figure, policy.limit)) continue;
    const subject = `budget:${policy.id}/${name}`;
    causes.push({
      rule: "budget_threshold",
      subject,
      severity: "warning",
      sample: reason,
      period: `${start ?? "-"}/${threshold.at}`,
      at,
    });
    if (threshold.do === "alert") continue;
    for (const session of sessions) actions.push(revocation(session, reason, at));
    if (threshold.do === "freeze") for (const agentId of agentIds) actions.push(freezing(agentId, reason, at));
  }
  if (policy.mode === "observe")
    return { actions: [], causes: [...causes, ...actions.map((action) => wouldDo(action, start, at))] };
  return { actions, causes: [...causes, ...actions.map((action) => didAlert(action, at))] };
}

/** The deletion of one session. */
export function revocation({ managerArn, sessionId }: OpenSession, reason: string, at: string): Action {
  return {
    key: `revoke_session/${managerArn}/${sessionId}`,
    kind: "revoke_session",
    target: sessionId,
    managerArn,
    reason,
    at,
    outcome: "planned",
  };
}

/** What an action's alert says. */
export function didAlert({ kind, target, reason }: Action, at: string): Cause {
  const [rule, subject] =
    kind === "freeze_agent" ? ["agent_frozen", `agent:${target}`] : ["session_revoked", `session:${target}`];
  return { rule, subject, severity: "critical", sample: reason, period: "-", at };
}

function freezing(agentId: string, reason: string, at: string): Action {
  return { key: `freeze_agent/${agentId}`, kind: "freeze_agent", target: agentId, reason, at, outcome: "planned" };
}

/** In `observe` everything is computed and told, and nothing is done. */
function wouldDo({ kind, target, reason }: Action, start: string | null, at: string): Cause {
  const subject = kind === "freeze_agent" ? `agent:${target}` : `session:${target}`;
  return { rule: "would_revoke", subject, severity: "warning", sample: reason, period: start ?? "-", at };
}

function percent(figure: bigint, limit: bigint): string {
  return limit === 0n ? "all" : `${(figure * 100n) / limit} %`;
}
