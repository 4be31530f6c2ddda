/**
 * What AgentCore itself says: which sessions a user has, how far they reach, whose wallets are whose. A poll, since
 * AgentCore tells nobody: often for who is stopped, seldom for the others, slower still while it throttles.
 */
import type { Config } from "@bursar/events/config-schema";
import type { Alert } from "@bursar/events/shapes";
import { alertId, raiseAlerts, resolveAlert } from "./alert-book.ts";
import type { GovernBase } from "./govern-world.ts";
import { closeGone, keepListed, listFrom } from "./listing.ts";
import type { KeptAction } from "./outbox.ts";
import type { SessionKey, Sessions, Store } from "./ports.ts";
import { readSessions } from "./readings.ts";
import { shared, unlisted } from "./session-causes.ts";
import { freezeOf, isWatched, readStops, type Stops } from "./stops.ts";
import { type User, usersOf } from "./users.ts";
import { keepInstruments } from "./wallet-owners.ts";

/** When each user is to be asked for next. In memory: after a restart all are asked at once. */
export interface PollState {
  readonly users: Map<string, Asked>;
  /** When each user's wallets are to be asked for next. */
  readonly wallets: Map<string, number>;
  /** By user: what could not be asked for the last time. */
  readonly faults: Map<string, string>;
}

/** Unix milliseconds; `after` is where an unfinished listing goes on. */
interface Asked {
  readonly askedAt: number;
  readonly nextAt: number;
  readonly failures: number;
  readonly after: string | null;
}

export const emptyPolls = (): PollState => ({ users: new Map(), wallets: new Map(), faults: new Map() });

export interface PollParts {
  readonly store: Store;
  readonly sessions: Sessions;
  readonly base: GovernBase;
  readonly now: () => string;
}

export interface Polled {
  /** Sessions to be judged: new ones, and all of users who are stopped. */
  readonly sessions: readonly SessionKey[];
  /** Revocations that are to be done again, because AgentCore still lists the session. */
  readonly again: readonly KeptAction[];
  readonly alerts: readonly Alert[];
  /** Wallets that AgentCore names are others than before: payments are to be folded again. */
  readonly walletsChanged: boolean;
  /** What could not be asked for when it was asked for last, in words; null where all could. */
  readonly fault: string | null;
}

/** Seconds between two listings of a user who is stopped, and of any other. */
const STOPPED_S = 10;
const OTHERS_S = 180;
const HURRIED_S = 5;
const WALLETS_S = 600;
/** After a failure the pause doubles, up to this. */
const FAILED_S_MAX = 300;
/** Passing faults in a row before somebody is told: one throttle is no news. */
const FAILURES_TOLD = 3;
/** Users that are asked for in one round; the rest waits for the next, the longest waiting first. */
const USERS_MAX = 8;
/** Sessions that are read in one listing of a user. */
const READS_MAX = 20;
const WALLET_PAGES_MAX = 20;

/** Asks for the users whose time has come. Never throws for AgentCore: what failed waits and is asked again. */
export async function poll(parts: PollParts, state: PollState): Promise<Polled> {
  const { store, base, now } = parts;
  const stops = await readStops(store);
  const at = Date.parse(now());
  const waiting = usersOf(base.agents)
    .map((user) => ({ user, nextAt: state.users.get(user.name)?.nextAt ?? 0, stopped: isStopped(user, stops, now()) }))
    .filter(({ nextAt }) => nextAt <= at)
    .sort((a, b) => a.nextAt - b.nextAt);
  // Half of the places are for those who are stopped: others may hurry as they like.
  const first = waiting.filter(({ stopped }) => stopped).slice(0, USERS_MAX / 2);
  const due = [...first, ...waiting.filter((one) => !first.includes(one))].slice(0, USERS_MAX);
  const results = await Promise.all(due.map(({ user, stopped }) => pollUser(parts, state, user, stopped, at)));
  return {
    sessions: results.flatMap(({ sessions }) => sessions),
    again: results.flatMap(({ again }) => again),
    alerts: results.flatMap(({ alerts }) => alerts),
    walletsChanged: results.some(({ walletsChanged }) => walletsChanged),
    fault: state.faults.values().next().value ?? null,
  };
}

/** Has an agent's users asked for soon, but not more often than HURRIED_S. */
export function hurry(state: PollState, agents: Config["agents"], agentIds: Iterable<string>): void {
  const wanted = new Set(agentIds);
  for (const { name, agentIds: own } of usersOf(agents)) {
    if (!own.some((id) => wanted.has(id))) continue;
    const known = state.users.get(name);
    if (known === undefined || known.failures > 0) continue;
    state.users.set(name, { ...known, nextAt: Math.min(known.nextAt, known.askedAt + HURRIED_S * 1000) });
  }
}

/** The listing first, and what it finds stands, whatever else cannot be asked for. */
async function pollUser(
  { store, sessions, base, now }: PollParts,
  state: PollState,
  user: User,
  stopped: boolean,
  at: number,
): Promise<Polled> {
  const startedAt = now();
  const before = state.users.get(user.name);
  const listing = await listFrom(sessions, user, before?.after ?? null).catch(faultOf);
  if ("refused" in listing) {
    const failures = (before?.failures ?? 0) + 1;
    const pause = Math.min(FAILED_S_MAX, STOPPED_S * 2 ** (failures - 1));
    state.users.set(user.name, { askedAt: at, nextAt: at + pause * 1000, failures, after: null });
    state.faults.set(user.name, listing.refused);
    const isNews = !listing.isPassing || failures >= FAILURES_TOLD;
    const alerts = isNews ? await raiseAlerts(store, [unlisted(user, listing)], startedAt) : [];
    return { sessions: [], again: [], alerts, walletsChanged: false, fault: listing.refused };
  }
  // After a start nobody knows whether it failed before.
  const healed =
    before === undefined || before.failures > 0
      ? await resolveAlert(store, alertId(unlisted(user), startedAt), "AgentCore lists its sessions again", startedAt)
      : null;
  const { listed, next } = listing;
  const { fresh, again, causes } = await keepListed(store, base.notes, user, listed, startedAt, now());
  if (next === null && (before?.after ?? null) === null) await closeGone(store, user, listed, startedAt);
  const read = await readSessions(store, sessions, user, stopped ? READS_MAX / 2 : READS_MAX, now);
  const wallets = await pollWallets(store, sessions, user, state, at).catch(faultOf);
  const fault = read.fault ?? (typeof wallets === "object" ? wallets.refused : null);
  if (fault === null) state.faults.delete(user.name);
  else state.faults.set(user.name, fault);
  const pause = next !== null ? 0 : stopped ? STOPPED_S : OTHERS_S;
  state.users.set(user.name, { askedAt: at, nextAt: at + pause * 1000, failures: 0, after: next });
  const told = await raiseAlerts(store, [...causes, ...read.causes, ...shared(user)], now());
  return {
    sessions: stopped ? listed : fresh,
    again,
    alerts: [...(healed === null ? [] : [healed]), ...read.over, ...told],
    walletsChanged: wallets === true,
    fault,
  };
}

/** Whose wallets are whose changes seldom; what fails is asked for again with the next listing. */
async function pollWallets(
  store: Store,
  sessions: Sessions,
  user: User,
  state: PollState,
  at: number,
): Promise<boolean> {
  if ((state.wallets.get(user.name) ?? 0) > at) return false;
  const wallets: string[] = [];
  let after: string | null = null;
  for (let page = 0; page < WALLET_PAGES_MAX; page++) {
    const listed: Awaited<ReturnType<Sessions["instruments"]>> = await sessions.instruments(
      user.managerArn,
      user.userId,
      after,
    );
    wallets.push(...listed.items.flatMap(({ address }) => address ?? []));
    after = listed.next;
    if (after === null) break;
  }
  const changed = await keepInstruments(store, user.name, user.agentIds, wallets);
  state.wallets.set(user.name, at + WALLETS_S * 1000);
  return changed;
}

/** What AgentCore did not do, in words; anything else is no fault of AgentCore's. */
function faultOf(error: Error): Refused {
  if (error.name !== "SessionsError") throw error;
  const { fault } = error as Error & { fault: string };
  return { refused: error.message, isPassing: fault === "unavailable" };
}

interface Refused {
  readonly refused: string;
  /** Not IAM's or the request's fault: it may work the next time. */
  readonly isPassing: boolean;
}

function isStopped({ agentIds }: User, stops: Stops, now: string): boolean {
  return agentIds.some((id) => freezeOf(stops, id) !== null || isWatched(stops, id, now));
}
