/** One listing of a user's sessions: those that no event named, those that live though they were deleted, those gone. */
import type { Cause } from "./alerts.ts";
import { sessionScope } from "./effects.ts";
import { revocationKey } from "./judge.ts";
import type { Notes } from "./notes.ts";
import { type KeptAction, settle } from "./outbox.ts";
import type { ListedSession, SessionKey, Sessions, Store } from "./ports.ts";
import { expiring } from "./session-causes.ts";
import { changeSession, file, type KeptSession, openSessions, sessionKey } from "./session-registry.ts";
import type { User } from "./users.ts";

export interface Listing {
  readonly listed: readonly ListedSession[];
  /** Where to go on; null where all were listed. */
  readonly next: string | null;
}

/** Pages of one listing; what is beyond is listed the next time. */
const PAGES_MAX = 20;
/** A listing may have been made before a deletion of the same moment. */
const CROSSING_MS = 5_000;

export async function listFrom(
  sessions: Sessions,
  { managerArn, userId }: User,
  after: string | null,
): Promise<Listing> {
  const listed: ListedSession[] = [];
  let next = after;
  for (let page = 0; page < PAGES_MAX; page++) {
    const one: Awaited<ReturnType<Sessions["list"]>> = await sessions.list(managerArn, userId, next);
    listed.push(...one.items);
    next = one.next;
    if (next === null) break;
  }
  return { listed, next };
}

export interface Kept {
  /** Sessions that AgentCore had not listed as this user's before. */
  readonly fresh: readonly SessionKey[];
  /** Deletions that are to be made again: AgentCore has the session still. */
  readonly again: readonly KeptAction[];
  readonly causes: readonly Cause[];
}

/** Keeps what was listed; durable when it resolves. `startedAt` is when AgentCore was asked. */
export async function keepListed(
  store: Store,
  notes: Notes,
  user: User,
  listed: readonly ListedSession[],
  startedAt: string,
  now: string,
): Promise<Kept> {
  const fresh: SessionKey[] = [];
  const again: KeptAction[] = [];
  const causes: Cause[] = [];
  const stored = listed.length === 0 ? [] : await store.get(listed.map(sessionKey));
  for (const [i, session] of listed.entries()) {
    const before = stored[i]?.data as unknown as KeptSession | undefined;
    // Filed before anything says that it is known: dying in between, it is filed the next time.
    await file(store, notes, session, user.agentIds, "listed", now);
    if (before?.listed?.agentIds.join() !== user.agentIds.join()) fresh.push(session);
    const wasDeleted = isPast(before?.revokedAt ?? null, startedAt);
    if (wasDeleted) {
      const action = await reopen(store, session, user, now);
      if (action !== null) again.push(action);
    }
    const kept = await changeSession(store, session, now, (known) => ({
      ...known,
      listed: { userId: user.userId, agentIds: user.agentIds },
      expiresAt: session.expiresAt,
      // What AgentCore lists is open, whatever was thought of it.
      revokedAt: isPast(known.revokedAt, startedAt) ? null : known.revokedAt,
      goneAt: null,
    }));
    causes.push(...expiring(kept, now));
  }
  return { fresh, again, causes };
}

/** What AgentCore listed before and lists no more was deleted by somebody else, or is over. Only for whole listings. */
export async function closeGone(
  store: Store,
  user: User,
  listed: readonly ListedSession[],
  startedAt: string,
): Promise<void> {
  const there = new Set(listed.map((session) => sessionScope(session).id));
  for (const kept of await openSessions(store, user.agentIds, startedAt)) {
    if (kept.listed?.userId !== user.userId || kept.managerArn !== user.managerArn) continue;
    if (there.has(sessionScope(kept).id) || kept.since > startedAt) continue;
    await changeSession(store, kept, startedAt, (known) => ({ ...known, goneAt: known.goneAt ?? startedAt }));
  }
}

/** The stop did not stop: it is made again, where it was about this user's agents. */
function reopen(store: Store, session: SessionKey, { agentIds }: User, now: string): Promise<KeptAction | null> {
  const detail = "AgentCore still lists it: it is revoked again";
  return settle(store, revocationKey(session), (known) =>
    known.outcome === "done" && known.agentIds.some((id) => agentIds.includes(id))
      ? { ...known, outcome: "due", nextAt: now, detail }
      : null,
  );
}

function isPast(at: string | null, startedAt: string): boolean {
  return at !== null && Date.parse(at) + CROSSING_MS < Date.parse(startedAt);
}
