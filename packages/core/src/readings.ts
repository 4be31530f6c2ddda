/** Reads limits and what is left of a user's sessions, and compares them with our books. */
import type { Alert } from "@bursar/events/shapes";
import { resolveAlert } from "./alert-book.ts";
import type { Cause } from "./alerts.ts";
import { driftOf } from "./drift.ts";
import type { Sessions, Store } from "./ports.ts";
import { drifted, uncapped } from "./session-causes.ts";
import { changeSession, type KeptSession, openSessions } from "./session-registry.ts";
import type { User } from "./users.ts";

export interface Readings {
  readonly causes: readonly Cause[];
  /** Alerts that are over. */
  readonly over: readonly Alert[];
  /** Why some could not be read, in words. */
  readonly fault: string | null;
}

/** Reads at most `max` open sessions, the longest unread first. What cannot be read keeps none of the others. */
export async function readSessions(
  store: Store,
  sessions: Sessions,
  user: User,
  max: number,
  now: () => string,
): Promise<Readings> {
  const open = (await openSessions(store, user.agentIds, now()))
    .filter(({ listed, managerArn }) => listed?.userId === user.userId && managerArn === user.managerArn)
    .sort((a, b) => ((a.readAt ?? "") < (b.readAt ?? "") ? -1 : 1));
  const causes: Cause[] = [];
  const over: Alert[] = [];
  let fault: string | null = null;
  for (const kept of open.slice(0, max)) {
    try {
      const read = await readOne(store, sessions, user, kept, now);
      if (read === null) continue;
      causes.push(...uncapped(read), ...drifted(read, now()));
      if (read.drift !== null || kept.drift === null) continue;
      const id = `drift/session:${kept.sessionId}/-`;
      const closed = await resolveAlert(store, id, "AgentCore and our books agree again", now());
      if (closed !== null) over.push(closed);
    } catch (error) {
      if ((error as Error).name !== "SessionsError") throw error;
      fault ??= (error as Error).message;
    }
  }
  return { causes, over, fault };
}

/** The session as it is kept then; null where AgentCore has it no more. */
async function readOne(
  store: Store,
  sessions: Sessions,
  user: User,
  kept: KeptSession,
  now: () => string,
): Promise<KeptSession | null> {
  const reading = await sessions.get(kept, user.userId);
  const at = now();
  if (reading === null) {
    await changeSession(store, kept, at, (known) => ({ ...known, goneAt: known.goneAt ?? at }));
    return null;
  }
  const { limit, available, expiresAt } = reading;
  const drift = await driftOf(store, kept, reading);
  return changeSession(store, kept, at, (known) => ({
    ...known,
    limit: limit?.toString() ?? null,
    available: available?.toString() ?? null,
    expiresAt,
    readAt: at,
    drift: drift === null ? null : { ...drift, since: known.drift?.amount === drift.amount ? known.drift.since : at },
  }));
}
