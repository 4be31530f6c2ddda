/**
 * What AgentCore itself says: which sessions a user has, how far they reach, whose wallets are whose. A poll, since
 * AgentCore tells nobody: often for who is stopped, seldom for the others, slower still while it throttles.
 */
import type { Config } from "@bursar/events/config-schema";
import { displayUsd } from "@bursar/events/money";
import type { Alert } from "@bursar/events/shapes";
import { raiseAlerts, resolveAlert } from "./alert-book.ts";
import type { Cause } from "./alerts.ts";
import { driftOf } from "./drift.ts";
import { sessionScope } from "./effects.ts";
import type { GovernBase } from "./govern.ts";
import { type KeptAction, settle } from "./outbox.ts";
import type { ListedSession, SessionKey, Sessions, Store } from "./ports.ts";
import { changeSession, file, isOpen, type KeptSession, openSessions } from "./session-registry.ts";
import { freezeOf, readStops, type Stops } from "./stops.ts";
import { keepInstruments } from "./wallet-owners.ts";

/** When each user is to be asked for next. In memory: after a restart all are asked at once. */
export interface PollState {
  readonly users: Map<string, { nextAt: number; failures: number }>;
  /** When each user's wallets are to be asked for next. */
  readonly wallets: Map<string, number>;
}

export const emptyPolls = (): PollState => ({ users: new Map(), wallets: new Map() });

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
  /** Why a user could not be asked for, in words; null where all could. */
  readonly fault: string | null;
}

/** Seconds between two listings of a user who is stopped, and of any other. */
const STOPPED_S = 10;
const OTHERS_S = 180;
const WALLETS_S = 600;
/** After a failure the pause doubles, up to this. */
const FAILED_S_MAX = 300;
/** Users that are asked for in one round; the rest wait for the next. */
const USERS_MAX = 8;
const PAGES_MAX = 20;
/** Sessions that are read in one listing of a user, the longest unread first. */
const READS_MAX = 20;
/** A listing may have been made before a deletion of the same moment. */
const CROSSING_MS = 5_000;
/** How long before its end a session is spoken of: longer than two listings are apart. */
const EXPIRING_MS = 7 * 60_000;

/** A user of a payment manager, and the agents that the config gives it to. */
interface User {
  readonly managerArn: string;
  readonly userId: string;
  readonly agentIds: readonly string[];
}

/** Asks for the users whose time has come. Never throws for AgentCore: what failed waits and is asked again. */
export async function poll(parts: PollParts, state: PollState): Promise<Polled> {
  const { store, base, now } = parts;
  const stops = await readStops(store);
  const at = Date.parse(now());
  const users = usersOf(base.agents);
  const due = users.filter((user) => (state.users.get(nameOf(user))?.nextAt ?? 0) <= at).slice(0, USERS_MAX);
  const results = await Promise.all(
    due.map(async (user) => {
      const before = state.users.get(nameOf(user));
      const stopped = isStopped(user, stops, now());
      try {
        const polled = await pollUser(parts, user, stopped);
        const walletsChanged = await pollWallets(parts, user, state, at);
        state.users.set(nameOf(user), { nextAt: at + (stopped ? STOPPED_S : OTHERS_S) * 1000, failures: 0 });
        return { ...polled, walletsChanged };
      } catch (error) {
        if ((error as Error).name !== "SessionsError") throw error;
        const failures = (before?.failures ?? 0) + 1;
        const pause = Math.min(FAILED_S_MAX, STOPPED_S * 2 ** (failures - 1));
        state.users.set(nameOf(user), { nextAt: at + pause * 1000, failures });
        return { sessions: [], again: [], alerts: [], walletsChanged: false, fault: (error as Error).message };
      }
    }),
  );
  return {
    sessions: results.flatMap(({ sessions }) => sessions),
    again: results.flatMap(({ again }) => again),
    alerts: results.flatMap(({ alerts }) => alerts),
    walletsChanged: results.some(({ walletsChanged }) => walletsChanged),
    fault: results.find(({ fault }) => fault !== null)?.fault ?? null,
  };
}

/** Has an agent's users asked for in the next round. */
export function hurry(state: PollState, agents: Config["agents"], agentIds: Iterable<string>): void {
  const wanted = new Set(agentIds);
  for (const user of usersOf(agents)) {
    if (!user.agentIds.some((id) => wanted.has(id))) continue;
    const known = state.users.get(nameOf(user));
    if (known !== undefined && known.failures === 0) state.users.set(nameOf(user), { ...known, nextAt: 0 });
  }
}

/** Whose wallets are whose changes seldom. */
async function pollWallets({ store, sessions }: PollParts, user: User, state: PollState, at: number): Promise<boolean> {
  if ((state.wallets.get(nameOf(user)) ?? 0) > at) return false;
  const wallets: string[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const listed: Awaited<ReturnType<Sessions["instruments"]>> = await sessions.instruments(
      user.managerArn,
      user.userId,
      after,
    );
    wallets.push(...listed.items.flatMap(({ address }) => address ?? []));
    after = listed.next;
    if (after === null) break;
  }
  const changed = await keepInstruments(store, nameOf(user), user.agentIds, wallets);
  state.wallets.set(nameOf(user), at + WALLETS_S * 1000);
  return changed;
}

async function pollUser(
  { store, sessions, base, now }: PollParts,
  user: User,
  stopped: boolean,
): Promise<Omit<Polled, "walletsChanged">> {
  const startedAt = now();
  const listed = await listAll(sessions, user);
  const fresh: SessionKey[] = [];
  const again: KeptAction[] = [];
  const causes: Cause[] = [];
  for (const session of listed) {
    const at = now();
    let isNew = false;
    let wasRevoked = false;
    const kept = await changeSession(store, session, at, (known) => {
      isNew = known.listed === null;
      // What AgentCore lists is open, whatever was thought of it; a listing may cross a deletion of the same moment.
      wasRevoked = known.revokedAt !== null && Date.parse(known.revokedAt) + CROSSING_MS < Date.parse(startedAt);
      return {
        ...known,
        listed: { userId: user.userId, agentIds: user.agentIds },
        expiresAt: session.expiresAt,
        revokedAt: wasRevoked ? null : known.revokedAt,
        goneAt: null,
      };
    });
    if (isNew) await file(store, base.notes, session, user.agentIds, at);
    if (isNew || stopped) fresh.push(session);
    if (wasRevoked) {
      const action = await reopen(store, session, user, at);
      if (action !== null) again.push(action);
    }
    causes.push(...expiring(kept, at));
  }
  await closeGone(store, user, listed, startedAt);
  const read = await readSessions({ store, sessions, base, now }, user, stopped);
  causes.push(...read.causes);
  if (user.agentIds.length > 1) causes.push(sharedCause(user));
  return { sessions: fresh, again, alerts: [...read.over, ...(await raiseAlerts(store, causes, now()))], fault: null };
}

async function listAll(sessions: Sessions, { managerArn, userId }: User): Promise<ListedSession[]> {
  const listed: ListedSession[] = [];
  let after: string | null = null;
  for (let page = 0; page < PAGES_MAX; page++) {
    const { items, next }: { items: readonly ListedSession[]; next: string | null } = await sessions.list(
      managerArn,
      userId,
      after,
    );
    listed.push(...items);
    if (next === null) break;
    after = next;
  }
  return listed;
}

/** A session that AgentCore lists though it was deleted: the stop did not stop, and is made again. */
function reopen(
  store: Store,
  { managerArn, sessionId }: SessionKey,
  { agentIds }: User,
  now: string,
): Promise<KeptAction | null> {
  return settle(store, `revoke_session/${managerArn}/${sessionId}`, (known) =>
    known.outcome === "done" && known.agentIds.some((id) => agentIds.includes(id))
      ? { ...known, outcome: "due", nextAt: now, detail: "AgentCore still lists it: it is revoked again" }
      : null,
  );
}

/** What AgentCore listed before and lists no more was deleted by somebody else, or is over. */
async function closeGone(store: Store, user: User, listed: readonly ListedSession[], startedAt: string): Promise<void> {
  const there = new Set(listed.map((session) => sessionScope(session).id));
  for (const kept of await openSessions(store, user.agentIds, startedAt)) {
    if (kept.listed?.userId !== user.userId || kept.managerArn !== user.managerArn) continue;
    if (there.has(sessionScope(kept).id) || kept.since > startedAt) continue;
    await changeSession(store, kept, startedAt, (known) => ({ ...known, goneAt: known.goneAt ?? startedAt }));
  }
}

/** Reads limits and what is left of a user's sessions, and compares them with our books. */
async function readSessions(
  { store, sessions, now }: PollParts,
  user: User,
  stopped: boolean,
): Promise<{ causes: Cause[]; over: Alert[] }> {
  const open = (await openSessions(store, user.agentIds, now()))
    .filter(({ listed, managerArn }) => listed?.userId === user.userId && managerArn === user.managerArn)
    .sort((a, b) => ((a.readAt ?? "") < (b.readAt ?? "") ? -1 : 1))
    .slice(0, stopped ? READS_MAX / 2 : READS_MAX);
  const causes: Cause[] = [];
  const over: Alert[] = [];
  for (const kept of open) {
    const reading = await sessions.get(kept, user.userId);
    const at = now();
    if (reading === null) {
      await changeSession(store, kept, at, (known) => ({ ...known, goneAt: known.goneAt ?? at }));
      continue;
    }
    const { limit, available, expiresAt } = reading;
    const drift = await driftOf(store, kept, reading);
    const read = await changeSession(store, kept, at, (known) => ({
      ...known,
      limit: limit?.toString() ?? null,
      available: available?.toString() ?? null,
      expiresAt,
      readAt: at,
      drift: drift === null ? null : { ...drift, since: known.drift?.amount === drift.amount ? known.drift.since : at },
    }));
    if (limit === null) causes.push(uncapped(read));
    causes.push(...drifted(read, at));
    if (drift === null && kept.drift !== null) {
      const closed = await resolveAlert(
        store,
        `drift/session:${kept.sessionId}/-`,
        "AgentCore and our books agree again",
        at,
      );
      if (closed !== null) over.push(closed);
    }
  }
  return { causes, over };
}

/** Events of the moment are on their way: a gap is told when it stays the same. */
const DRIFT_MS = 60_000;

function drifted({ sessionId, drift }: KeptSession, now: string): Cause[] {
  if (drift === null || Date.parse(now) - Date.parse(drift.since) < DRIFT_MS) return [];
  const gap = BigInt(drift.amount);
  return [
    {
      rule: "drift",
      subject: `session:${sessionId}`,
      severity: "warning",
      sample: `AgentCore has counted ${displayUsd(gap < 0n ? -gap : gap)} ${gap < 0n ? "less" : "more"} than our books in session ${sessionId}: ${drift.cause}`,
      period: "-",
    },
  ];
}

function expiring(kept: KeptSession, now: string): Cause[] {
  if (kept.expiresAt === null || !isOpen(kept, now)) return [];
  const left = Date.parse(kept.expiresAt) - Date.parse(now);
  if (left > EXPIRING_MS) return [];
  const whose = kept.listed?.agentIds.join(", ") ?? "an agent";
  return [
    {
      rule: "session_expiring",
      subject: `session:${kept.sessionId}`,
      severity: "warning",
      sample: `session ${kept.sessionId} of ${whose} ends at ${kept.expiresAt}: payments in it fail from then on. Its application opens a new one with CreatePaymentSession`,
      period: "-",
      until: kept.expiresAt,
    },
  ];
}

function uncapped({ sessionId, expiresAt }: KeptSession): Cause {
  return {
    rule: "uncapped_session",
    subject: `session:${sessionId}`,
    severity: "warning",
    sample: `session ${sessionId} was opened without limits.maxSpendAmount: until Bursar hears of a payment nothing holds it back`,
    period: "-",
    until: expiresAt,
  };
}

function sharedCause({ userId, agentIds }: User): Cause {
  return {
    rule: "shared_user_id",
    subject: `agent:${agentIds[0]}`,
    severity: "warning",
    sample: `${agentIds.join(" and ")} share the userId "${userId}": AgentCore cannot tell their sessions apart, and what stops one needs a budget that both are in`,
  };
}

function usersOf(agents: Config["agents"]): User[] {
  const users = new Map<string, User>();
  for (const [agentId, { paymentManagerArn, userId }] of Object.entries(agents)) {
    if (paymentManagerArn === undefined || userId === undefined) continue;
    const user = { managerArn: paymentManagerArn, userId, agentIds: [agentId] };
    const known = users.get(nameOf(user));
    users.set(nameOf(user), known === undefined ? user : { ...user, agentIds: [...known.agentIds, agentId].sort() });
  }
  return [...users.values()];
}

function isStopped({ agentIds }: User, stops: Stops, now: string): boolean {
  return agentIds.some((id) => freezeOf(stops, id) !== null || isWatched(stops, id, now));
}

const isWatched = ({ watched }: Stops, id: string, now: string): boolean =>
  Object.hasOwn(watched, id) && (watched[id] as string) > now;

const nameOf = ({ managerArn, userId }: Omit<User, "agentIds">): string => `${managerArn}\n${userId}`;
