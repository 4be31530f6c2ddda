/**
 * The step `govern`: state in, actions out. What moved is judged from current figures: at once after the commit, and
 * again from the change feed. Everything that it resolves on stands in the outbox before anything is done, so a crash
 * between judging and doing loses nothing, and judging twice does nothing twice.
 */
import type { Config, Policy } from "@bursar/events/config-schema";
import type { Alert } from "@bursar/events/shapes";
import { raiseAlerts } from "./alert-book.ts";
import type { Cause } from "./alerts.ts";
import type { Findings } from "./assess.ts";
import { covers, parseCounter } from "./budgets.ts";
import { heldCounter, readCounters, spentCounter } from "./counters.ts";
import { type ScopeRef, scopeName, sessionOf } from "./effects.ts";
import { exposures } from "./exposure.ts";
import {
  type Crossing,
  crossingCause,
  crossings,
  demands,
  doneCause,
  type Figure,
  freezeCause,
  type OpenSession,
  revocation,
  wouldCause,
} from "./judge.ts";
import { isOfSigners, knownCounters, signersOf } from "./known-books.ts";
import { agentsOf, isStoppedWith, scopesOf } from "./members.ts";
import { emptyNotes, type Notes, notedAgents } from "./notes.ts";
import { actionKey, type KeptAction, type Order, order, putOf } from "./outbox.ts";
import { type InForce, inForce, POLICIES_KEY, policiesOf } from "./policies.ts";
import type { Json, SessionKey, Store } from "./ports.ts";
import { agentsOfSession, asOpen, isOpen, type KeptSession, keptSessions, recentSessions } from "./session-registry.ts";
import {
  changeStops,
  type Freeze,
  freezeOf,
  isLifted,
  STOPS_KEY,
  type Stops,
  stopsOf,
  withFrozen,
  withWatched,
} from "./stops.ts";
import { INSTRUMENTS_KEY, instrumentsOf, withInstruments } from "./wallet-owners.ts";
import { windowOf } from "./windows.ts";
import type { CorrelateWorld } from "./write.ts";

/** What a config says to governance, and how the budgets and stops stand: read anew for every batch. */
export interface GovernWorld extends CorrelateWorld {
  readonly notes: Notes;
  readonly agents: Config["agents"];
  readonly limits: Config["limits"];
  readonly force: InForce;
  readonly stops: Stops;
}

/** What is the same for every batch of a process. */
export type GovernBase = Omit<GovernWorld, "force" | "stops" | "counted">;

/** What moved, or may have moved before somebody died. */
export interface Moved {
  /** Names of counters. */
  readonly counters: Iterable<string>;
  /** Sessions that were named or listed anew: one of a frozen agent is deleted on sight. */
  readonly sessions: readonly SessionKey[];
  /** What was found about payments of revoked sessions among those that moved. */
  readonly findings: readonly Findings[];
}

export interface Governed {
  /** Ordered now: `enforce` may do them at once. */
  readonly due: readonly KeptAction[];
  readonly heldBack: readonly KeptAction[];
  /** Frozen now; done with the order. */
  readonly frozen: readonly KeptAction[];
  readonly alerts: readonly Alert[];
}

export const NOTHING: Governed = { due: [], heldBack: [], frozen: [], alerts: [] };

/** Longest that an agent is watched without another judgement, where the window has no end. */
const WATCH_MS = 86_400_000;

/** The world as it stands in the table. */
export async function worldAt(store: Store, base: GovernBase, now: string): Promise<GovernWorld> {
  const [policies, stops, instruments] = await store.get([POLICIES_KEY, STOPS_KEY, INSTRUMENTS_KEY]);
  const force = inForce(policiesOf(policies), now);
  const directory = withInstruments(base.directory, instrumentsOf(instruments));
  return { ...base, directory, force, counted: force.counted, stops: stopsOf(stops) };
}

/** What a base is made of. */
export function baseOf(world: CorrelateWorld, { agents, limits }: Config, notes: Notes = emptyNotes()): GovernBase {
  return { ...world, notes, agents, limits };
}

/** Judges what moved at `now`. Everything it resolves on is durable when it resolves. */
export async function govern(store: Store, world: GovernWorld, moved: Moved, now: string): Promise<Governed> {
  const scopes = new Map<string, ScopeRef>();
  for (const counter of moved.counters) {
    const { scope } = parseCounter(counter);
    scopes.set(scopeName(scope), scope);
  }
  const named = (await keptSessions(store, moved.sessions)).filter((kept) => isOpen(kept, now));
  for (const session of named)
    for (const agentId of agentsOfSession(session))
      for (const scope of scopesOf(agentId, world.directory)) scopes.set(scopeName(scope), scope);
  const judged = await judgeScopes(store, world, [...scopes.values()], now);
  const asked = new Set(judged.orders.map(({ key }) => key));
  const orders = [...judged.orders, ...onSight(named, world.stops).filter(({ key }) => !asked.has(key))];
  const [governed, exposed] = await Promise.all([
    resolve(store, world, { ...judged, orders }, now),
    exposures(store, scopes.values(), moved.findings, now),
  ]);
  return { ...governed, alerts: [...governed.alerts, ...exposed] };
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
  return resolve(store, world, await judgeScopes(store, world, [...scopes.values()], now), now);
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
  readonly freezes: ReadonlyMap<string, { readonly order: Order; readonly freeze: Freeze }>;
  /** Agents that a level stands against, and until when at the latest. */
  readonly watched: ReadonlyMap<string, string>;
}

async function judgeScopes(
  store: Store,
  world: GovernWorld,
  scopes: readonly ScopeRef[],
  now: string,
): Promise<Judged> {
  const figures = await readFigures(store, world, scopes, now);
  const orders: Order[] = [];
  const causes: Cause[] = [];
  const freezes = new Map<string, { order: Order; freeze: Freeze }>();
  const watched = new Map<string, string>();
  for (const figure of figures) {
    const crossed = crossings(figure);
    causes.push(...crossed.map((crossing) => crossingCause(crossing, now)));
    const stopping = crossed.filter(({ does }) => does !== "alert");
    if (stopping.length === 0) continue;
    const members = await membersOf(store, world, figure, now);
    for (const crossing of stopping) {
      const wanted = demands(crossing, ...withoutLifted(crossing, members, world.stops));
      if (figure.policy.mode === "observe") {
        causes.push(...wanted.map((one) => wouldCause(one, figure, now)));
        continue;
      }
      for (const one of wanted) {
        if (one.kind === "revoke_session") orders.push(one);
        else
          freezes.set(one.target, {
            order: one,
            freeze: { since: now, reason: one.reason, cause: freezeCause(figure) },
          });
      }
      causes.push(...unstoppable(crossing, members, world, now));
      const until = figure.end ?? new Date(Date.parse(now) + WATCH_MS).toISOString();
      for (const agentId of members.agentIds) if ((watched.get(agentId) ?? "") < until) watched.set(agentId, until);
    }
  }
  return { orders, causes, freezes, watched };
}

/** Figures of every budget with thresholds that is about one of the scopes, from consistent reads. */
export async function readFigures(
  store: Store,
  { force, directory }: GovernWorld,
  scopes: readonly ScopeRef[],
  now: string,
): Promise<Figure[]> {
  const wanted: Omit<Figure, "amount">[] = [];
  const counters: string[] = [];
  for (const policy of force.policies) {
    if (policy.thresholds.length === 0) continue;
    const { start, end } = windowOf(policy.window, now);
    for (const scope of scopes) {
      if (!covers(policy, scope, directory.org)) continue;
      wanted.push({ policy, scope, start, end });
      counters.push(heldCounter(scopeName(scope)), spentCounter(scopeName(scope), policy.window, start));
    }
  }
  if (wanted.length === 0) return [];
  const unique = [...new Set(counters)];
  const read = await readCounters(store, unique);
  const amounts = new Map(unique.map((counter, i) => [counter, read[i] ?? 0n]));
  return wanted.map((figure, i) => ({
    ...figure,
    amount: (amounts.get(counters[2 * i] as string) ?? 0n) + (amounts.get(counters[2 * i + 1] as string) ?? 0n),
  }));
}

interface Members {
  readonly sessions: readonly OpenSession[];
  /** Whether any session of its agents was ever heard of lately, over or not. */
  readonly known: boolean;
  readonly agentIds: readonly string[];
}

export async function membersOf(
  store: Store,
  { directory }: GovernWorld,
  { scope, policy, start }: Omit<Figure, "amount">,
  now: string,
): Promise<Members> {
  const everyone = scope.kind === "org" ? await notedAgents(store) : [];
  const agents = agentsOf(scope, directory, everyone);
  const recent = agents === null ? [] : await recentSessions(store, agents, now);
  const ofAgents = agents === null ? [] : opened(recent, now).filter((one) => isStoppedWith(one, agents));
  const name = scopeName(scope);
  const counters = [heldCounter(name), spentCounter(name, policy.window, start)];
  const signed =
    scope.kind === "session"
      ? [sessionOf(scope)]
      : isOfSigners(scope.kind)
        ? await signersOf(store, counters, now)
        : [];
  const ofSigners = opened(await keptSessions(store, signed), now);
  const sessions = [...ofAgents, ...ofSigners];
  const agentIds = [...new Set([...(agents ?? []), ...ofSigners.flatMap((one) => one.agentIds)])].sort();
  return { sessions, agentIds, known: recent.length > 0 };
}

const opened = (kept: readonly KeptSession[], now: string): OpenSession[] =>
  kept.filter((one) => isOpen(one, now)).map(asOpen);

/** A freeze that a human has lifted for its window neither freezes nor revokes that agent. */
function withoutLifted(
  { does, figure }: Crossing,
  { sessions, agentIds }: Members,
  stops: Stops,
): [readonly OpenSession[], readonly string[]] {
  if (does !== "freeze") return [sessions, agentIds];
  const cause = freezeCause(figure);
  const isFree = (agentId: string): boolean => isLifted(stops, agentId, cause);
  return [
    sessions.filter((one) => one.agentIds.length === 0 || !one.agentIds.every(isFree)),
    agentIds.filter((agentId) => !isFree(agentId)),
  ];
}

/** Agents that nothing can be done about: no session of theirs is known, and none can be listed. */
function unstoppable(
  { figure, reason }: Crossing,
  { known, agentIds }: Members,
  world: GovernWorld,
  at: string,
): Cause[] {
  if (figure.scope.kind !== "agent" || known) return [];
  return agentIds.flatMap((agentId): Cause[] => {
    const agent = Object.hasOwn(world.agents, agentId) ? world.agents[agentId] : undefined;
    if (agent?.paymentManagerArn !== undefined) return [];
    const sample = `${reason}, and nothing can be revoked: no session of ${agentId} is known and agents.${agentId}.paymentManagerArn is not in the config`;
    return [
      {
        rule: "revocation_failed",
        subject: `agent:${agentId}`,
        severity: "critical",
        sample,
        period: figure.start ?? "-",
        at,
        until: figure.end,
      },
    ];
  });
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
 * Makes durable what was judged: the outbox, who is frozen and watched, the alerts. All at once: whoever is to be stopped
 * waits for one write then, not for a row of them.
 */
async function resolve(store: Store, world: GovernWorld, judged: Judged, now: string): Promise<Governed> {
  const { revocationsPerMinute } = world.limits;
  const [frozen, { due, heldBack }, crossed] = await Promise.all([
    stop(store, judged, now),
    order(store, judged.orders, revocationsPerMinute, now),
    raiseAlerts(store, judged.causes, now),
  ]);
  const causes = [
    ...frozen.map((action) => doneCause(action, now)),
    ...(heldBack.length === 0 ? [] : [blastCause(heldBack, revocationsPerMinute, now)]),
  ];
  return { due, heldBack, frozen, alerts: [...crossed, ...(await raiseAlerts(store, causes, now))] };
}

/** Who is frozen and who is watched stand in one item: one after the other. */
async function stop(store: Store, { freezes, watched }: Judged, now: string): Promise<KeptAction[]> {
  const frozen = await freeze(store, freezes, now);
  if (watched.size > 0) {
    await changeStops(store, (stops) => {
      let after = stops;
      for (const [agentId, until] of watched) after = withWatched(after, [agentId], until, now);
      return after;
    });
  }
  return frozen;
}

/** Freezes agents that are not frozen: who is frozen and the action that says so are one commit. */
export async function freeze(
  store: Store,
  freezes: ReadonlyMap<string, { readonly order: Order; readonly freeze: Freeze }>,
  now: string,
): Promise<KeptAction[]> {
  const done: KeptAction[] = [];
  for (const [agentId, { order: one, freeze: wanted }] of freezes) {
    const action = await freezeOne(store, agentId, one, wanted, now);
    if (action !== null) done.push(action);
  }
  return done;
}

const ATTEMPTS_MAX = 12;

async function freezeOne(
  store: Store,
  agentId: string,
  one: Order,
  wanted: Freeze,
  now: string,
): Promise<KeptAction | null> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [stops, stored] = await store.get([STOPS_KEY, actionKey(one.key)]);
    const before = stopsOf(stops);
    const after = withFrozen(before, agentId, wanted);
    if (after === before) return null;
    const { human, ...rest } = one;
    const action: KeptAction = {
      ...rest,
      by: human ? "human" : "budget",
      at: now,
      outcome: "done",
      doneAt: now,
      latencyMs: 0,
      detail: null,
      nextAt: null,
      tries: 1,
    };
    const put = { ...STOPS_KEY, data: after as unknown as Json, expected: stops?.version ?? null };
    if ((await store.commit([put, putOf(action, stored)], [])) === "done") return action;
  }
  throw new Error("others change who is stopped all the time: the judgement is made again");
}

function blastCause(heldBack: readonly KeptAction[], perMinute: number, at: string): Cause {
  const [first] = heldBack;
  return {
    rule: "revocations_held_back",
    subject: "org:revocations",
    severity: "critical",
    sample: `${heldBack.length} revocations held back, the first of session ${first?.target} (${first?.reason}): more than ${perMinute} in a minute need a human. See bursar actions, then bursar revoke --scope`,
    at,
  };
}
