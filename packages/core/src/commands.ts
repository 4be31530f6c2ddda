/** What humans order: sessions revoked, agents frozen and let go. No blast radius holds a human back. */
import type { Alert } from "@bursar/events/shapes";
import { raiseAlerts, resolveAlert } from "./alert-book.ts";
import { type ScopeRef, sessionScope } from "./effects.ts";
import { readFigures } from "./figures.ts";
import { freeze } from "./freezing.ts";
import type { GovernWorld } from "./govern-world.ts";
import { crossings, doneCause, freezeCause, freezing, revocation } from "./judge.ts";
import { agentsOf, isStoppedWith, scopesOf } from "./members.ts";
import { notedAgents } from "./notes.ts";
import { type KeptAction, order, settle } from "./outbox.ts";
import type { SessionKey, Store } from "./ports.ts";
import { membersOf } from "./scope-members.ts";
import {
  asOpen,
  EVERYONE,
  eachSession,
  isOpen,
  type KeptSession,
  keptSessions,
  openSessions,
} from "./session-registry.ts";
import { changeStops, type FreezeCause, freezeOf, withoutFrozen } from "./stops.ts";
import { windowOf } from "./windows.ts";

/** The open sessions of a scope, as a budget of it would stop them in the window that is now. */
export async function sessionsInScope(
  store: Store,
  world: GovernWorld,
  scope: ScopeRef,
  now: string,
): Promise<readonly KeptSession[]> {
  const everyone = scope.kind === "org" ? await notedAgents(store) : [];
  const agents = agentsOf(scope, world.directory, everyone);
  const found = new Map<string, SessionKey>();
  const isOrg = scope.kind === "org";
  for (const kept of agents === null ? [] : await openSessions(store, isOrg ? EVERYONE : agents, now))
    if (isOrg || (agents !== null && isStoppedWith(asOpen(kept), agents))) found.set(sessionScope(kept).id, kept);
  for (const policy of world.force.policies) {
    if (policy.scope.kind !== scope.kind || scope.kind === "agent" || scope.kind === "org") continue;
    const { start, end } = windowOf(policy.window, now);
    const { sessions } = await membersOf(store, world, { scope, policy, start, end }, [], now);
    for (const session of sessions) found.set(sessionScope(session).id, session);
  }
  return (await keptSessions(store, [...found.values()])).filter((kept) => isOpen(kept, now));
}

/** Whether sessions of such a scope can be found: of payees and the like only where a budget is about them. */
export function canFindSessions({ force }: GovernWorld, { kind }: ScopeRef): boolean {
  return ["agent", "org", "label"].includes(kind) || force.policies.some((policy) => policy.scope.kind === kind);
}

/** The sessions that an id means: whole, or the beginning of one. Two or more: ambiguous. */
export async function sessionsByName(store: Store, name: string, managerArn: string | null): Promise<KeptSession[]> {
  const exact: KeptSession[] = [];
  const found: KeptSession[] = [];
  for await (const kept of eachSession(store)) {
    if (managerArn !== null && kept.managerArn !== managerArn) continue;
    if (kept.sessionId === name) exact.push(kept);
    else if (kept.sessionId.startsWith(name) && found.length < CANDIDATES_MAX) found.push(kept);
  }
  if (exact.length > 0) return exact;
  return found;
}

const CANDIDATES_MAX = 10;

/** Orders the deletion of sessions; answers what is due now, and what was ordered or done before. */
export async function revokeByHuman(
  store: Store,
  world: GovernWorld,
  sessions: readonly KeptSession[],
  reason: string,
  now: string,
): Promise<{ due: readonly KeptAction[]; known: readonly KeptAction[] }> {
  const orders = sessions.map((kept) => revocation(asOpen(kept), said(reason), true));
  const { due, known } = await order(store, orders, world.limits.revocationsPerMinute, now);
  return { due, known };
}

export interface FrozenByHuman {
  /** Null where the agent was frozen already. */
  readonly frozen: KeptAction | null;
  readonly due: readonly KeptAction[];
  readonly alerts: readonly Alert[];
}

/** Freezes an agent and orders its open sessions deleted, those of an agent that is frozen already too. */
export async function freezeByHuman(
  store: Store,
  world: GovernWorld,
  agentId: string,
  reason: string,
  now: string,
): Promise<FrozenByHuman> {
  const wanted = { since: now, reason: said(reason), causes: [] };
  const one = freezing(agentId, said(reason), true);
  const [frozen = null] = await freeze(store, new Map([[agentId, { order: one, freeze: wanted }]]), now);
  const open = await openSessions(store, [agentId], now);
  const own = open.filter((kept) => isStoppedWith(asOpen(kept), new Set([agentId])));
  const { due } = await revokeByHuman(store, world, own, `${agentId} is frozen: ${said(reason)}`, now);
  return { frozen, due, alerts: await raiseAlerts(store, [doneCause(one, now)], now) };
}

export interface Unfrozen {
  /** Budgets that would still revoke its sessions: their figures stand. */
  readonly standing: readonly string[];
  readonly alerts: readonly Alert[];
}

/** Lets an agent go; what froze it does so no more in its window. Null where it is not frozen. */
export async function unfreezeByHuman(
  store: Store,
  world: GovernWorld,
  agentId: string,
  reason: string,
  now: string,
): Promise<Unfrozen | null> {
  const figures = await readFigures(store, world, scopesOf(agentId, world.directory), now);
  const reached = figures.filter(({ policy }) => policy.mode === "enforce").flatMap((figure) => crossings(figure));
  const causes: FreezeCause[] = reached.filter(({ does }) => does === "freeze").map(freezeCause);
  let wasFrozen = false;
  await changeStops(store, (stops) => {
    wasFrozen = freezeOf(stops, agentId) !== null;
    return withoutFrozen(stops, agentId, causes, now);
  });
  if (!wasFrozen) return null;
  const detail = `let go at ${now}: ${said(reason)}`;
  await settle(store, `freeze_agent/${agentId}`, (kept) => ({ ...kept, detail }));
  const over = await resolveAlert(store, `agent_frozen/agent:${agentId}/-`, detail, now);
  const standing = [...new Set(reached.filter(({ does }) => does === "revoke").map((crossing) => crossing.reason))];
  return { standing, alerts: over === null ? [] : [over] };
}

/** A human's words as one reason among others. */
function said(reason: string): string {
  return reason.replaceAll(";", ",");
}
