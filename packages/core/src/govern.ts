/**
 * The step `govern`: state in, actions out. What moved is judged from current figures: at once after the commit, and
 * again from the change feed. Everything that it resolves on stands in the outbox before anything is done, so a crash
 * between judging and doing loses nothing, and judging twice does nothing twice.
 */
import type { Policy } from "@bursar/events/config-schema";
import type { Alert } from "@bursar/events/shapes";
import { raiseAlerts } from "./alert-book.ts";
import { judgeAlerts } from "./alert-judge.ts";
import type { Touched } from "./alert-marks.ts";
import type { Cause } from "./alerts.ts";
import type { Findings } from "./assess.ts";
import { covers, parseCounter } from "./budgets.ts";
import { policyId, type ScopeRef, scopeName } from "./effects.ts";
import { exposures } from "./exposure.ts";
import { readFigures } from "./figures.ts";
import { type Freezing, freeze } from "./freezing.ts";
import { type GovernWorld, isAsked } from "./govern-world.ts";
import {
  type Crossing,
  crossingCause,
  crossings,
  demands,
  doneCause,
  freezeCause,
  type OpenSession,
  revocation,
  wouldCause,
} from "./judge.ts";
import { knownCounters } from "./known-books.ts";
import { scopesOf } from "./members.ts";
import { HELD_BACK, type KeptAction, type Order, order } from "./outbox.ts";
import type { SessionKey, Store } from "./ports.ts";
import { type Members, membersOf } from "./scope-members.ts";
import { agentsOfSession, asOpen, isOpen, type KeptSession, keptSessions } from "./session-registry.ts";
import { changeStops, freezeOf, isLifted, readStops, type Stops, withFrozen, withWatched } from "./stops.ts";
import { windowOf } from "./windows.ts";

/** What moved, or may have moved before somebody died. */
export interface Moved {
  /** Names of counters. */
  readonly counters: Iterable<string>;
  /** Sessions that were named or listed anew: one of a frozen agent is deleted on sight. */
  readonly sessions: readonly SessionKey[];
  /** What was found about payments of revoked sessions among those that moved. */
  readonly findings: readonly Findings[];
  /** Alerts that payments stand in, or stood in. */
  readonly touched?: Touched;
}

export interface Governed {
  /** Ordered now: `enforce` may do them at once. */
  readonly due: readonly KeptAction[];
  readonly heldBack: readonly KeptAction[];
  /** Frozen now; done with the order. */
  readonly frozen: readonly KeptAction[];
  readonly alerts: readonly Alert[];
}

/** Judges what moved at `now`. Everything it resolves on is durable when it resolves. */
export async function govern(store: Store, world: GovernWorld, moved: Moved, now: string): Promise<Governed> {
  const scopes = new Map<string, ScopeRef>();
  for (const counter of moved.counters) {
    const { scope } = parseCounter(counter);
    scopes.set(scopeName(scope), scope);
  }
  const seen = (await keptSessions(store, moved.sessions)).filter((kept) => isOpen(kept, now));
  for (const session of seen)
    for (const agentId of agentsOfSession(session))
      for (const scope of scopesOf(agentId, world.directory)) scopes.set(scopeName(scope), scope);
  const judged = await judgeScopes(store, world, [...scopes.values()], seen, now);
  const asked = new Set(judged.orders.map(({ key }) => key));
  const orders = [...judged.orders, ...onSight(seen, world.stops).filter(({ key }) => !asked.has(key))];
  const [governed, exposed, told] = await Promise.all([
    resolve(store, world, { ...judged, orders }, now),
    exposures(store, scopes.values(), moved.findings, now),
    judgeAlerts(store, moved.touched ?? new Map(), now),
  ]);
  return { ...governed, alerts: [...governed.alerts, ...exposed, ...told.map(({ alert }) => alert)] };
}

/**
 * Judges everything that holds or has spent in a current window: at a start, when a window turned (a hold crosses at
 * midnight without a write), when a raise ended or a limit was lowered.
 */
export async function governAll(
  store: Store,
  world: GovernWorld,
  now: string,
  which: (policy: Policy) => boolean = () => true,
): Promise<Governed> {
  const scopes = new Map<string, ScopeRef>();
  for (const policy of world.force.policies) {
    if (policy.thresholds.length === 0 || !which(policy)) continue;
    for await (const scope of scopesWithFigures(store, world, policy, now)) scopes.set(scopeName(scope), scope);
  }
  return resolve(store, world, await judgeScopes(store, world, [...scopes.values()], [], now), now, true);
}

/** Scopes of a policy that hold something, or have spent in the current window. */
async function* scopesWithFigures(
  store: Store,
  { directory }: GovernWorld,
  policy: Policy,
  now: string,
): AsyncGenerator<ScopeRef> {
  const { start } = windowOf(policy.window, now);
  for (const which of ["held", { window: policy.window, start }] as const) {
    for await (const counter of knownCounters(store, policy.scope.kind, which)) {
      const { scope } = parseCounter(counter);
      if (covers(policy, scope, directory.org)) yield scope;
    }
  }
}

interface Judged {
  readonly orders: readonly Order[];
  readonly causes: readonly Cause[];
  /** Who is to be frozen, and why. */
  readonly freezes: ReadonlyMap<string, Freezing>;
  /** Agents that a level stands against, and until when at the latest. */
  readonly watched: ReadonlyMap<string, string>;
}

async function judgeScopes(
  store: Store,
  world: GovernWorld,
  scopes: readonly ScopeRef[],
  seen: readonly KeptSession[],
  now: string,
): Promise<Judged> {
  const figures = await readFigures(store, world, scopes, now);
  const orders: Order[] = [];
  const causes: Cause[] = [];
  const freezes = new Map<string, Freezing>();
  const watched = new Map<string, string>();
  for (const figure of figures) {
    const crossed = crossings(figure);
    causes.push(...crossed.map((crossing) => crossingCause(crossing, now)));
    const stopping = crossed.filter(({ does }) => does !== "alert");
    if (stopping.length === 0) continue;
    const members = await membersOf(store, world, figure, seen, now);
    for (const crossing of stopping) {
      const wanted = demands(crossing, ...withoutLifted(crossing, members, world.stops));
      if (figure.policy.mode === "observe") {
        causes.push(...wanted.map((one) => wouldCause(one, figure, now)));
        continue;
      }
      for (const one of wanted) {
        if (one.kind === "revoke_session") orders.push(one);
        else freezes.set(one.target, withCause(freezes.get(one.target), one, crossing, now));
      }
      causes.push(...unstoppable(crossing, members, world, now));
      const until = figure.end ?? tomorrow(now);
      for (const agentId of members.agentIds)
        if (isAsked(world.agents, agentId) && (watched.get(agentId) ?? "") < until) watched.set(agentId, until);
    }
  }
  return { orders, causes, freezes, watched };
}

/** Until when an agent is watched where the window has no end: the same for a whole day, so that it is written once. */
function tomorrow(now: string): string {
  return windowOf("day", windowOf("day", now).end ?? now).end ?? now;
}

function withCause(known: Freezing | undefined, order: Order, crossing: Crossing, now: string): Freezing {
  const causes = [...(known?.freeze.causes ?? []), freezeCause(crossing)];
  return { order: known?.order ?? order, freeze: { since: now, reason: (known?.order ?? order).reason, causes } };
}

/** A freeze that a human has lifted for its window neither freezes nor revokes that agent. */
function withoutLifted(
  crossing: Crossing,
  { sessions, agentIds }: Members,
  stops: Stops,
): [readonly OpenSession[], readonly string[]] {
  if (crossing.does !== "freeze") return [sessions, agentIds];
  const cause = freezeCause(crossing);
  const isFree = (agentId: string): boolean => isLifted(stops, agentId, cause);
  return [
    sessions.filter((one) => one.agentIds.length === 0 || !one.agentIds.every(isFree)),
    agentIds.filter((agentId) => !isFree(agentId)),
  ];
}

/** A stop that reaches nobody: no session of the scope is known, and none can be listed. */
function unstoppable({ figure, reason }: Crossing, members: Members, { agents }: GovernWorld, at: string): Cause[] {
  const { scope, policy, start, end } = figure;
  const { sessions, known, agentIds } = members;
  const unasked = agentIds.filter((agentId) => !isAsked(agents, agentId));
  if (sessions.length > 0 || known || (agentIds.length > 0 && unasked.length === 0)) return [];
  const who = unasked.slice(0, 3).join(", ") || "whoever pays";
  const remedy = unasked.length === 0 ? "" : `: set paymentManagerArn and userId of ${who} in the config`;
  return [
    {
      rule: "revocation_failed",
      subject: scope.kind === "agent" ? `agent:${scope.id}` : `budget:${policy.id}/${scope.kind}:${policyId(scope)}`,
      severity: "critical",
      sample: `${reason}, and nothing can be revoked: no session of ${who} is known, and none can be listed${remedy}`,
      period: start ?? "-",
      at,
      until: end,
    },
  ];
}

/** Whatever a frozen agent has open is deleted, whoever froze it. */
function onSight(sessions: readonly KeptSession[], stops: Stops): Order[] {
  return sessions.map(asOpen).flatMap((session) => {
    const frozen = session.agentIds.map((agentId) => ({ agentId, freeze: freezeOf(stops, agentId) }));
    const [first] = frozen;
    if (first?.freeze == null || frozen.some(({ freeze }) => freeze === null)) return [];
    return [revocation(session, `${first.agentId} is frozen: ${first.freeze.reason}`)];
  });
}

/**
 * Makes durable what was judged (with `all`, what stands is told of too): the outbox, who is frozen and watched, the alerts. All at once: whoever is to be stopped
 * waits for one write then, not for a row of them.
 */
async function resolve(store: Store, world: GovernWorld, judged: Judged, now: string, all = false): Promise<Governed> {
  const { revocationsPerMinute } = world.limits;
  // Frozen as it is and for what it is: nothing is news, whatever number of agents that are.
  const freezes = new Map(
    [...judged.freezes].filter(
      ([agentId, { freeze: wanted }]) => withFrozen(world.stops, agentId, wanted, now) !== world.stops,
    ),
  );
  const [frozen, { due, heldBack, known }, crossed] = await Promise.all([
    stop(store, { ...judged, freezes }, now),
    order(store, judged.orders, revocationsPerMinute, now),
    raiseAlerts(store, judged.causes, now),
  ]);
  // Told for what stands too: whoever resolved on it may have died before it was told.
  const standing = await readStops(store);
  const told = [...(all ? judged.freezes : freezes)].flatMap(([agentId, one]) =>
    freezeOf(standing, agentId) === null ? [] : [one],
  );
  const waits = [...heldBack, ...known].some(({ outcome, detail }) => outcome === "skipped" && detail === HELD_BACK);
  const causes = [
    ...told.map(({ order: one }) => doneCause(one, now)),
    ...(waits ? [blastCause(revocationsPerMinute, now)] : []),
  ];
  return { due, heldBack, frozen, alerts: [...crossed, ...(await raiseAlerts(store, causes, now))] };
}

/** Who is frozen and who is watched stand in one item: one after the other. */
async function stop(store: Store, { freezes, watched }: Judged, now: string): Promise<KeptAction[]> {
  const frozen = await freeze(store, freezes, now);
  if (watched.size > 0) await changeStops(store, (stops) => withWatched(stops, watched, now));
  return frozen;
}

function blastCause(perMinute: number, at: string): Cause {
  return {
    rule: "revocations_held_back",
    subject: "org:revocations",
    severity: "critical",
    sample: `sessions are held back that budgets ask to revoke: ${perMinute} in a minute is all that is done without a human. See bursar actions --outcome skipped, then bursar revoke --scope`,
    at,
    until: windowOf("day", at).end,
  };
}
