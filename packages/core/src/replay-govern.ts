/** `govern` in a replay: remembers figures and sessions as the lines come, and plans what the thresholds ask for. */
import type { Config, Policy } from "@bursar/events/config-schema";
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import type { Action } from "@bursar/events/shapes";
import type { Cause } from "./alerts.ts";
import { covers, parseCounter } from "./budgets.ts";
import type { Directory } from "./directory.ts";
import { policyId, type ScopeRef, sessionsOf } from "./effects.ts";
import { didAlert, judge, type OpenSession, revocation } from "./judge.ts";
import { windowOf } from "./windows.ts";
import type { Changed } from "./write.ts";

export interface ReplayGovernor {
  /** Whether any budget has a threshold. */
  readonly judges: boolean;
  /** Whether an event can move a figure or show a session: after a line with one the thresholds are judged. */
  readonly isMoved: (told: Told) => boolean;
  /** Takes in one line's events and what they changed, and judges at `latest`. */
  readonly take: (told: readonly Told[], changed: readonly Changed[], latest: string) => void;
  readonly actions: () => readonly Action[];
  readonly causes: () => readonly Cause[];
}

/** What producers say that moves held: everything else moves verdict and timeline. */
const MOVING: ReadonlySet<string> = new Set(["agent.authorization_signed", "api.verification_started"]);

export function governReplay({ budgets, org }: Config, directory: Directory): ReplayGovernor {
  const policies = budgets.filter(({ thresholds }) => thresholds.length > 0);
  const figures = new Map<string, bigint>();
  const scopes = new Map<string, ScopeRef>();
  const sessions = new Map<
    string,
    { managerArn: string; sessionId: string; agentIds: Set<string>; revoked: boolean }
  >();
  /** Sessions that signed what a counter holds. */
  const signers = new Map<string, Set<string>>();
  const frozen = new Map<string, string>();
  const judgedIn = new Map<string, string | null>();
  /** Since the last judging: scopes whose figure moved, and agents who showed a new session. */
  const moved = new Set<string>();
  const newcomers = new Set<string>();
  const actions = new Map<string, Action>();
  const causes = new Map<string, Cause>();

  const see = ({ source, event }: Told): void => {
    if (event.type === "session.revoked") {
      const { managerArn, sessionId } = (event as EventOf<"session.revoked">).session;
      const key = `${managerArn}/${sessionId}`;
      const known = sessions.get(key);
      sessions.set(key, { managerArn, sessionId, agentIds: known?.agentIds ?? new Set(), revoked: true });
      return;
    }
    const { session } = event as { session?: { managerArn: string; sessionId: string } };
    if (session === undefined || source.kind !== "agent") return;
    const key = `${session.managerArn}/${session.sessionId}`;
    const known = sessions.get(key) ?? { ...session, agentIds: new Set<string>(), revoked: false };
    if (known.agentIds.has(source.id)) return;
    known.agentIds.add(source.id);
    sessions.set(key, known);
    newcomers.add(source.id);
  };

  const book = ({ before, after, findings }: Changed): void => {
    const signed =
      findings === null ? [] : sessionsOf(findings).map(({ managerArn, sessionId }) => `${managerArn}/${sessionId}`);
    for (const counter of new Set([...Object.keys(before.applied), ...Object.keys(after.applied)])) {
      const { scope } = parseCounter(counter);
      scopes.set(`${scope.kind}:${scope.id}`, scope);
      moved.add(`${scope.kind}:${scope.id}`);
      figures.set(
        counter,
        (figures.get(counter) ?? 0n) + (after.applied[counter] ?? 0n) - (before.applied[counter] ?? 0n),
      );
      if (after.applied[counter] === undefined) continue;
      const known = signers.get(counter) ?? new Set();
      for (const session of signed) known.add(session);
      signers.set(counter, known);
    }
  };

  const open = (agentIds: ReadonlySet<string> | null, keys: Iterable<string>): OpenSession[] => {
    const found: OpenSession[] = [];
    for (const key of keys) {
      const session = sessions.get(key);
      if (session === undefined || session.revoked) continue;
      const named = [...session.agentIds].sort();
      // Named by two, it is stopped only for a scope that both are in.
      if (agentIds === null || (named.length > 0 && named.every((id) => agentIds.has(id)))) {
        found.push({ managerArn: session.managerArn, sessionId: session.sessionId, agentIds: named });
      }
    }
    return found;
  };

  const judgeScope = (policy: Policy, scope: ScopeRef, latest: string): void => {
    const { start } = windowOf(policy.window, latest);
    const name = `${scope.kind}:${scope.id}`;
    const held = `held|${name}`;
    const spent = `spent|${name}|${policy.window}|${start ?? ""}`;
    const figure = (figures.get(held) ?? 0n) + (figures.get(spent) ?? 0n);
    const agents = agentsOf(scope, directory, sessions.values());
    const signed = new Set([...(signers.get(held) ?? []), ...(signers.get(spent) ?? [])]);
    const of =
      agents !== null
        ? open(agents, sessions.keys())
        : scope.kind === "session"
          ? open(null, [scope.id])
          : open(null, signed);
    const agentIds =
      agents !== null ? [...agents].sort() : [...new Set(of.flatMap((session) => session.agentIds))].sort();
    const judgement = judge({ policy, scope, start, figure, sessions: of, agentIds }, latest);
    for (const action of judgement.actions) plan(action);
    for (const cause of judgement.causes) remember(cause);
  };

  const plan = (action: Action): void => {
    const known = actions.get(action.key);
    if (known === undefined) actions.set(action.key, action);
    else if (!known.reason.split("; ").some((reason) => reason.startsWith(action.reason.split(":")[0] ?? ""))) {
      actions.set(action.key, { ...known, reason: `${known.reason}; ${action.reason}` });
    }
    if (action.kind === "freeze_agent" && !frozen.has(action.target)) frozen.set(action.target, action.reason);
  };
  const remember = (cause: Cause): void => {
    const id = `${cause.rule}/${cause.subject}/${cause.period ?? ""}`;
    if (!causes.has(id)) causes.set(id, cause);
  };

  const take = (told: readonly Told[], changed: readonly Changed[], latest: string): void => {
    if (policies.length === 0) return;
    for (const one of told) see(one);
    for (const change of changed) book(change);
    for (const policy of policies) {
      const { start } = windowOf(policy.window, latest);
      const turned = judgedIn.get(policy.id) !== start;
      judgedIn.set(policy.id, start);
      for (const name of turned ? scopes.keys() : [...moved, ...widerThan(newcomers)]) {
        const scope = scopes.get(name);
        if (scope !== undefined && covers(policy, scope, org)) judgeScope(policy, scope, latest);
      }
    }
    // Nothing lifts a freeze but a human: whatever a frozen agent opens is deleted.
    for (const [agentId, reason] of frozen) {
      if (!newcomers.has(agentId)) continue;
      for (const session of open(new Set([agentId]), sessions.keys())) {
        const action = revocation(session, reason, latest);
        if (actions.has(action.key)) continue;
        plan(action);
        remember(didAlert(action, latest));
      }
    }
    moved.clear();
    newcomers.clear();
  };
  /** Scopes made of agents, in which a new session of one of these stands. */
  const widerThan = (agentIds: ReadonlySet<string>): string[] => {
    if (agentIds.size === 0) return [];
    const wide = [...scopes.keys()].filter((name) => name.startsWith("org:") || name.startsWith("label:"));
    return [...wide, ...[...agentIds].map((id) => `agent:${id}`)];
  };
  const namesApis = policies.some(({ scope }) => scope.kind === "api");
  const isMoved = ({ source, event }: Told): boolean => {
    if (policies.length === 0 || event.type === "chain.heads") return false;
    if (source.kind === "chain" || source.kind === "govern" || MOVING.has(event.type)) return true;
    const { session, labels } = event as { session?: object; labels?: object };
    return session !== undefined || labels !== undefined || (namesApis && source.kind === "api");
  };
  return {
    judges: policies.length > 0,
    isMoved,
    take,
    actions: () => [...actions.values()],
    causes: () => [...causes.values()],
  };
}

/** The agents that a scope is made of; null where it is made of sessions that signed. */
function agentsOf(
  scope: ScopeRef,
  directory: Directory,
  sessions: Iterable<{ agentIds: ReadonlySet<string> }>,
): Set<string> | null {
  const everyone = () =>
    new Set([...directory.labels.keys(), ...[...sessions].flatMap(({ agentIds }) => [...agentIds])]);
  switch (scope.kind) {
    case "agent":
      return new Set([scope.id]);
    case "org":
      return everyone();
    case "label":
      return new Set([...directory.labels].filter(([, labels]) => hasLabel(labels, policyId(scope))).map(([id]) => id));
    default:
      return null;
  }
}

function hasLabel(labels: Readonly<Record<string, string>>, pair: string): boolean {
  return Object.entries(labels).some(([name, value]) => `${name}=${value}` === pair);
}
