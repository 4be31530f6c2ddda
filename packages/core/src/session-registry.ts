/**
 * Every AgentCore session that events name or AgentCore lists: whose it is, how far it reaches, whether it is over. An
 * agent's sessions are noted by the hour, so that those that may be open are found in one consistent read.
 */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import { fingerprint } from "./canonical.ts";
import { changeItem } from "./change.ts";
import { sessionScope } from "./effects.ts";
import { hourOf, lastOf, SESSION_HOURS_MAX } from "./hours.ts";
import type { OpenSession } from "./judge.ts";
import { agentNote, type Notes, note } from "./notes.ts";
import { eachEntry, eachFact } from "./pages.ts";
import type { Json, Key, SessionKey, Store, Stored } from "./ports.ts";

/** A session as it is kept. Times are ISO-8601, amounts decimal strings of atomic units. */
export interface KeptSession extends SessionKey {
  /** When it was first heard of. */
  readonly since: string;
  /** Agents whose events name it, ascending, at most AGENTS_MAX. */
  readonly namedBy: readonly string[];
  /** Users that those events give it, ascending, at most AGENTS_MAX. */
  readonly claimedUsers: readonly string[];
  /** The user that AgentCore lists it under, and the agents that the config gives this user to. */
  readonly listed: { readonly userId: string; readonly agentIds: readonly string[] } | null;
  readonly expiresAt: string | null;
  /** When Bursar deleted it. */
  readonly revokedAt: string | null;
  /** When AgentCore was found not to have it any more, though Bursar had not deleted it. */
  readonly goneAt: string | null;
  /** As AgentCore showed it last. `limit` null: without a cap, or not read yet (`readAt` null). */
  readonly limit: string | null;
  readonly available: string | null;
  readonly readAt: string | null;
  /** The latest time until which something signed in it may settle after its revocation; unix seconds, decimal. */
  readonly exposedUntil: string | null;
  /** AgentCore's figure less ours, when it was compared last, and the likely cause of a gap. */
  readonly drift: { readonly amount: string; readonly cause: string; readonly since: string } | null;
}

/** Agents and users that one session keeps. More only make it more contested. */
const AGENTS_MAX = 8;
/** Sessions that are looked at of one agent, and of all together: who names more has made them up. */
const SESSIONS_MAX: { readonly [place in Place]: number } = { listed: 2_000, named: 500 };
const ALL_MAX: { readonly [place in Place]: number } = { listed: 20_000, named: 2_000 };
/** Every session is filed under this name too, which no agent can have: an organisation is one read, not one an agent. */
const ANYBODY = "*";
export const EVERYONE: readonly string[] = [ANYBODY];
/** Agents whose sessions are read at once. */
const AGENTS_AT_ONCE = 16;
/** Sessions that are kept at once. */
const AT_ONCE = 16;
/** The partition of the list index that all sessions stand in, by when they were first heard of. */
const SESSIONS_LIST = "#sessions";

export const sessionKey = (session: SessionKey): Key => ({ pk: `SES#${sessionScope(session).id}`, sk: "." });

/** Whose it is: AgentCore's word, else everyone who names it. */
export function agentsOfSession({ listed, namedBy }: KeptSession): readonly string[] {
  return listed !== null && listed.agentIds.length > 0 ? listed.agentIds : namedBy;
}

/** A kept session as judgements see it. */
export const asOpen = (kept: KeptSession): OpenSession => ({
  managerArn: kept.managerArn,
  sessionId: kept.sessionId,
  agentIds: agentsOfSession(kept),
  listed: kept.listed !== null,
});

/** Whether it may still sign at `now`. */
export function isOpen(kept: KeptSession, now: string): boolean {
  return kept.revokedAt === null && kept.goneAt === null && endOf(kept) > now;
}

/** When it is over: by AgentCore's word, else as long after it was heard of first as any session lives. */
export const endOf = ({ expiresAt, since }: KeptSession): string => expiresAt ?? lastOf(since);

/** A session that an event names. */
export interface NamedSession extends SessionKey {
  readonly agentId: string;
  readonly userId: string | null;
  /** The latest time at which something was signed in it; null where it is only named. */
  readonly signedAt: string | null;
}

/** The sessions that agents name in these events, each once. */
export function namedSessions(told: readonly Told[]): NamedSession[] {
  const named = new Map<string, NamedSession>();
  for (const { source, event } of told) {
    if (source.kind !== "agent") continue;
    const { session } = event as { session?: SessionKey & { userId?: string } };
    if (session === undefined) continue;
    const { managerArn, sessionId, userId = null } = session;
    const name = `${source.id}\n${userId ?? ""}\n${sessionScope(session).id}`;
    const before = named.get(name)?.signedAt ?? "";
    const signedAt = event.type === "agent.authorization_signed" && event.at > before ? event.at : before || null;
    named.set(name, { managerArn, sessionId, userId, agentId: source.id, signedAt });
  }
  return [...named.values()];
}

/**
 * Keeps what events say of sessions; durable when it resolves. `fresh` are those that this process has not judged yet;
 * `alive` are those in which somebody signs though AgentCore had them not under the user that was believed.
 */
export async function noteSessions(
  store: Store,
  notes: Notes,
  named: readonly NamedSession[],
  now: string,
): Promise<{ fresh: readonly NamedSession[]; alive: readonly NamedSession[] }> {
  if (named.length === 0) return { fresh: [], alive: [] };
  const bySession = new Map<string, NamedSession[]>();
  for (const one of named) {
    const { id } = sessionScope(one);
    bySession.set(id, [...(bySession.get(id) ?? []), one]);
  }
  const groups = [...bySession.values()];
  const stored = await store.get(groups.map(([one]) => sessionKey(one as NamedSession)));
  const alive: NamedSession[] = [];
  const keep = async (group: readonly NamedSession[], i: number): Promise<void> => {
    const [session] = group as readonly [NamedSession];
    const kept = stored[i]?.data as unknown as KeptSession | undefined;
    const signing = kept === undefined ? undefined : group.find((one) => signsIn(kept, one, now));
    if (signing !== undefined) alive.push(signing);
    const isKnown = (known: KeptSession): boolean =>
      group.every(
        ({ agentId, userId }) =>
          known.namedBy.includes(agentId) && (userId === null || known.claimedUsers.includes(userId)),
      );
    const change = (known: KeptSession): KeptSession => ({
      ...known,
      namedBy: group.reduce((set, { agentId }) => among(set, agentId), known.namedBy),
      claimedUsers: group.reduce((set, { userId }) => (userId === null ? set : among(set, userId)), known.claimedUsers),
      goneAt: signing === undefined ? known.goneAt : null,
    });
    const isSame = kept !== undefined && isKnown(kept) && signing === undefined;
    const agentIds = [...new Set(group.map(({ agentId }) => agentId))];
    await Promise.all([
      isSame ? null : changeSession(store, session, now, change),
      file(store, notes, session, agentIds, "named", now),
    ]);
  };
  for (let i = 0; i < groups.length; i += AT_ONCE)
    await Promise.all(groups.slice(i, i + AT_ONCE).map((group, j) => keep(group, i + j)));
  return { fresh: named.filter((one) => !notes.known.has(nameOf(one))), alive };
}

/** Notes that sessions were judged: not before that is durable, or a second try would think them old. */
export function noteJudged(notes: Notes, fresh: readonly NamedSession[]): void {
  for (const one of fresh) notes.known.add(nameOf(one));
}

/** Events of before the call that found nothing may still be on their way. */
const LATE_MS = 60_000;

/** By our own clock: a late event costs one call that finds nothing, and a false date hides nothing. */
function signsIn({ goneAt, listed }: KeptSession, { signedAt }: NamedSession, now: string): boolean {
  if (goneAt === null || signedAt === null || listed !== null) return false;
  return Date.parse(now) > Date.parse(goneAt) + LATE_MS;
}

/** Keeps what `enforce` says was revoked; the earliest time stands. */
export async function noteRevoked(store: Store, told: readonly Told[], now: string): Promise<void> {
  for (const { source, event } of told) {
    if (source.kind !== "govern" || event.type !== "session.revoked") continue;
    const { session, at } = event as EventOf<"session.revoked">;
    await changeSession(store, session, now, (kept) => ({
      ...kept,
      revokedAt: kept.revokedAt === null || at < kept.revokedAt ? at : kept.revokedAt,
    }));
  }
}

/** Names that one agent files among everybody's in an hour: who makes up more hides nobody else's. */
const SHARE_MAX = 100;

function takesShare({ known, shares }: Notes, agentId: string, id: string, now: string): boolean {
  if (known.has(`file\nnamed\n${ANYBODY}\n${id}`)) return true;
  const name = `${hourOf(now)}\n${agentId}`;
  const taken = shares.get(name) ?? 0;
  if (taken >= SHARE_MAX) return false;
  if (shares.size > SHARES_MAX) shares.clear();
  shares.set(name, taken + 1);
  return true;
}

/** Shares that a process counts; beyond that it begins anew. */
const SHARES_MAX = 10_000;

/** Where an agent's sessions are filed: those that AgentCore listed apart, so that made-up names never hide them. */
type Place = "listed" | "named";

/** Files a session under its agents, so that they are found by it. */
export async function file(
  store: Store,
  notes: Notes,
  session: SessionKey,
  agentIds: readonly string[],
  place: Place,
  now: string,
): Promise<void> {
  const { managerArn, sessionId } = session;
  const { id } = sessionScope(session);
  const isShared = place === "listed" || agentIds.every((agentId) => takesShare(notes, agentId, id, now));
  await note(
    store,
    notes,
    [...(isShared ? EVERYONE : []), ...agentIds].flatMap((agentId) => [
      {
        name: `file\n${place}\n${agentId}\n${id}`,
        put: { pk: agentPk(agentId, place), sk: `${hourOf(now)}#${fingerprint(id)}`, data: { managerArn, sessionId } },
      },
      ...(agentId === ANYBODY ? [] : [agentNote(agentId)]),
    ]),
  );
}

/** The sessions that the agents may have open at `now`, each as it is kept. Consistent. */
export async function openSessions(store: Store, agentIds: Iterable<string>, now: string): Promise<KeptSession[]> {
  return (await recentSessions(store, agentIds, now)).filter((kept) => isOpen(kept, now));
}

/** The agents' sessions of the last hours, those that are over too, those that AgentCore listed first. Consistent. */
export async function recentSessions(store: Store, agentIds: Iterable<string>, now: string): Promise<KeptSession[]> {
  const found = new Map<string, SessionKey>();
  const read = async (agentId: string, place: Place): Promise<void> => {
    let left = (agentId === ANYBODY ? ALL_MAX : SESSIONS_MAX)[place];
    for await (const { data } of eachFact(store, agentPk(agentId, place), "", hourOf(now, -SESSION_HOURS_MAX))) {
      const session = data as unknown as SessionKey;
      found.set(sessionScope(session).id, session);
      if (--left === 0) return;
    }
  };
  const agents = [...agentIds];
  for (let i = 0; i < agents.length; i += AGENTS_AT_ONCE) {
    const some = agents.slice(i, i + AGENTS_AT_ONCE);
    await Promise.all(some.flatMap((agentId) => [read(agentId, "listed"), read(agentId, "named")]));
  }
  const kept = await keptSessions(store, [...found.values()]);
  return kept.sort((a, b) => Number(b.listed !== null) - Number(a.listed !== null));
}

/** The sessions as they are kept; those that are not are left out. */
export async function keptSessions(store: Store, sessions: readonly SessionKey[]): Promise<KeptSession[]> {
  if (sessions.length === 0) return [];
  const stored = await store.get(sessions.map(sessionKey));
  return stored.flatMap((item) => (item === undefined ? [] : [item.data as unknown as KeptSession]));
}

/** Every session, the latest heard of last. */
export async function* eachSession(store: Store): AsyncGenerator<KeptSession> {
  for await (const { data } of eachEntry(store, "list", SESSIONS_LIST)) yield data as unknown as KeptSession;
}

/** Changes a session under its version, made new where there is none; answers what is kept then. */
export async function changeSession(
  store: Store,
  session: SessionKey,
  now: string,
  edit: (kept: KeptSession) => KeptSession,
): Promise<KeptSession> {
  const key = sessionKey(session);
  let after = keptOf(session, undefined, now);
  await changeItem(store, key, (stored) => {
    const before = keptOf(session, stored, now);
    after = edit(before);
    if (stored !== undefined && JSON.stringify(after) === JSON.stringify(before)) return null;
    const list = { partition: SESSIONS_LIST, sort: `${after.since}#${fingerprint(key.pk)}` };
    return { data: after as unknown as Json, index: { list } };
  });
  return after;
}

function keptOf({ managerArn, sessionId }: SessionKey, stored: Stored | undefined, now: string): KeptSession {
  if (stored !== undefined) return stored.data as unknown as KeptSession;
  return {
    managerArn,
    sessionId,
    since: now,
    namedBy: [],
    claimedUsers: [],
    listed: null,
    expiresAt: null,
    revokedAt: null,
    goneAt: null,
    limit: null,
    available: null,
    readAt: null,
    exposedUntil: null,
    drift: null,
  };
}

const agentPk = (agentId: string, place: Place): string => `AGT#${place === "listed" ? "L" : "N"}#${agentId}`;
const nameOf = (one: NamedSession): string => `session\n${one.agentId}\n${one.userId ?? ""}\n${sessionScope(one).id}`;

/** The least of a set and one more. */
function among(set: readonly string[], one: string): readonly string[] {
  return set.includes(one) ? set : [...set, one].sort().slice(0, AGENTS_MAX);
}
