/** Who is in a scope: its agents, or the sessions that signed a payment of it. */
import type { Directory } from "./directory.ts";
import { policyId, type ScopeRef } from "./effects.ts";
import type { OpenSession } from "./judge.ts";

/** The agents that a scope is made of; null where it is made of sessions. `everyone` are the agents ever heard of. */
export function agentsOf(
  scope: ScopeRef,
  directory: Directory,
  everyone: Iterable<string>,
): ReadonlySet<string> | null {
  switch (scope.kind) {
    case "agent":
      return new Set([scope.id]);
    case "org":
      return new Set([...directory.labels.keys(), ...everyone]);
    case "label":
      return new Set([...directory.labels].filter(([, labels]) => hasLabel(labels, policyId(scope))).map(([id]) => id));
    default:
      return null;
  }
}

/** The scopes that are made of an agent: where a new session of it stands. */
export function scopesOf(agentId: string, { org, labels }: Directory): ScopeRef[] {
  const pairs = Object.entries(labels.get(agentId) ?? {}).map(([name, value]) => `${name}=${value}`);
  return [
    { kind: "agent", id: agentId },
    { kind: "org", id: org },
    ...pairs.map((id): ScopeRef => ({ kind: "label", id })),
  ];
}

/** Whether a session is stopped with a scope of these agents: named by two, only where both are in. */
export function isStoppedWith({ agentIds }: OpenSession, agents: ReadonlySet<string>): boolean {
  return agentIds.length > 0 && agentIds.every((id) => agents.has(id));
}

function hasLabel(labels: Readonly<Record<string, string>>, pair: string): boolean {
  return Object.entries(labels).some(([name, value]) => `${name}=${value}` === pair);
}
