/** `govern` in a replay: remembers figures and sessions as the lines come, and plans what the thresholds ask for. */
import type { Config, Policy } from "@bursar/events/config-schema";
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import type { Action } from "@bursar/events/shapes";
import type { Cause } from "./alerts.ts";
import { covers, parseCounter } from "./budgets.ts";
import { heldCounter, spentCounter } from "./counters.ts";
import type { Directory } from "./directory.ts";
import { type ScopeRef, scopeName, sessionScope, sessionsOf } from "./effects.ts";
import { crossingCause, crossings, demands, doneCause, type OpenSession, revocation, wouldCause } from "./judge.ts";
import { agentsOf, isStoppedWith } from "./members.ts";
import { joined, type Order } from "./outbox.ts";
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
  /** By counter and session: who signed in it what the counter counts. */
  const signers = new Map<string, Map<string, ReadonlySet<string>>>();
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
      const key = sessionScope({ managerArn, sessionId }).id;
      const known = sessions.get(key);
      sessions.set(key, { managerArn, sessionId, agentIds: known?.agentIds ?? new Set(), revoked: true });
      return;
    }
    const { session } = event as { session?: { managerArn: string; sessionId: string } };
    if (session === undefined || source.kind !== "agent") return;
    const key = sessionScope(session).id;
    const known = sessions.get(key) ?? { ...session, agentIds: new Set<string>(), revoked: false };
    if (known.agentIds.has(source.id)) return;
    known.agentIds.add(source.id);
    sessions.set(key, known);
    newcomers.add(source.id);
  };

  const book = ({ before, after, findings }: Changed): void => {
    const signed = findings === null ? [] : sessionsOf(findings);
    for (const counter of new Set([...Object.keys(before.applied), ...Object.keys(after.applied)])) {
      const { scope } = parseCounter(counter);
      scopes.set(scopeName(scope), scope);
      moved.add(scopeName(scope));
      figures.set(
        counter,
        (figures.get(counter) ?? 0n) + (after.applied[counter] ?? 0n) - (before.applied[counter] ?? 0n),
      );
      if (after.applied[counter] === undefined) continue;
      const known = signers.get(counter) ?? new Map<string, ReadonlySet<string>>();
      for (const session of signed) {
        const { id } = sessionScope(session);
        if (scope.kind !== "session" || scope.id === id)
          known.set(id, new Set([...(known.get(id) ?? []), ...session.agentIds]));
      }
      signers.set(counter, known);
    }
  };

  const open = (agentIds: ReadonlySet<string>, keys: Iterable<string>): OpenSession[] => {
    const found: OpenSession[] = [];
    for (const key of keys) {
      const session = sessions.get(key);
      if (session === undefined || session.revoked) continue;
      const { managerArn, sessionId } = session;
      const one = { managerArn, sessionId, agentIds: [...session.agentIds].sort() };
      if (isStoppedWith(one, agentIds)) found.push(one);
    }
    return found;
  };

  /** Who signed what is spent in the window, or still held, by session. */
  const signersIn = (held: string, spent: string): Map<string, Set<string>> => {
    const found = new Map<string, Set<string>>();
    const holds = (id: string): boolean => (figures.get(heldCounter(`session:${id}`)) ?? 0n) > 0n;
    for (const [id, by] of signers.get(spent) ?? []) found.set(id, new Set(by));
    for (const [id, by] of signers.get(held) ?? [])
      if (holds(id)) found.set(id, new Set([...(found.get(id) ?? []), ...by]));
    return found;
  };

  const judgeScope = (policy: Policy, scope: ScopeRef, latest: string): void => {
    const { start, end } = windowOf(policy.window, latest);
    const held = heldCounter(scopeName(scope));
    const spent = spentCounter(scopeName(scope), policy.window, start);
    const amount = (figures.get(held) ?? 0n) + (figures.get(spent) ?? 0n);
    const figure = { policy, scope, start, end, amount };
    const crossed = crossings(figure);
    for (const crossing of crossed) remember(crossingCause(crossing, latest));
    if (crossed.every(({ does }) => does === "alert")) return;
    const seen = [...sessions.values()].flatMap(({ agentIds }) => [...agentIds]);
    const agents = agentsOf(scope, directory, seen);
    const signed = agents === null || scope.kind === "label" ? signersIn(held, spent) : new Map<string, Set<string>>();
    const ofSigners = [...signed].flatMap(([key, by]) => open(by, [key]));
    const stopped = [...(agents === null ? [] : open(agents, sessions.keys())), ...ofSigners];
    const agentIds = [...new Set([...(agents ?? []), ...[...signed.values()].flatMap((by) => [...by])])].sort();
    for (const one of crossed.flatMap((crossing) => demands(crossing, stopped, agentIds))) {
      if (policy.mode === "observe") remember(wouldCause(one, figure, latest));
      else {
        plan(one, latest);
        remember(doneCause(one, latest));
      }
    }
  };

  const plan = ({ human: _, confirmed: __, agentIds: ___, ...order }: Order, at: string): void => {
    const known = actions.get(order.key);
    if (known === undefined) actions.set(order.key, { ...order, at, outcome: "planned" });
    else actions.set(order.key, { ...known, reason: joined(known.reason, order.reason) });
    if (order.kind === "freeze_agent" && !frozen.has(order.target)) frozen.set(order.target, order.reason);
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
        const order = revocation(session, reason);
        if (actions.has(order.key)) continue;
        plan(order, latest);
        remember(doneCause(order, latest));
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
