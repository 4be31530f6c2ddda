/**
 * The step `enforce`: what stands due in the outbox is done. It alone deletes sessions. A deletion is told to the
 * payments of the session before the action counts as done: dying in between, it is done again, and AgentCore then
 * finds no session, which is as good.
 */
import type { Config } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Alert } from "@bursar/events/shapes";
import { alertId, raiseAlerts, resolveAlert } from "./alert-book.ts";
import type { Cause } from "./alerts.ts";
import { fingerprint } from "./canonical.ts";
import { doneCause } from "./judge.ts";
import { actionKey, dueActions, type KeptAction, NOT_FOUND, settle } from "./outbox.ts";
import type { SessionKey, Sessions, Store } from "./ports.ts";
import { changeSession, endOf, type KeptSession } from "./session-registry.ts";
import { freezeOf, readStops, type Stops } from "./stops.ts";

export interface EnforceParts {
  readonly store: Store;
  /** Null where AgentCore cannot be called: what is due then fails and says so. */
  readonly sessions: Sessions | null;
  readonly agents: Config["agents"];
  readonly now: () => string;
  /** Takes facts in through `ingest`; resolves when they are durable. */
  readonly tell: (told: readonly Told[]) => Promise<void>;
}

/** What became of one action, and the alerts that this moved. */
export interface Enforced {
  readonly action: KeptAction;
  readonly alerts: readonly Alert[];
  /** AgentCore had no such session. Whoever pays may be stopped by nobody then: `governAll` tells whether it is so. */
  readonly missed: boolean;
}

/** Actions that are done at once. */
export const AT_ONCE = 16;
/** Pauses before a failed action is tried again: it may have been a passing fault, or a policy that is mended since. */
const PAUSES_S = [5, 15, 60, 300];

/** Does what is due at this moment, the longest due first. */
export async function enforceDue(parts: EnforceParts): Promise<Enforced[]> {
  return enforce(parts, await dueActions(parts.store, parts.now(), AT_ONCE * 4));
}

/** Does these actions, as far as they are due. A deletion waits for others, never for what is written of them. */
export async function enforce(parts: EnforceParts, actions: readonly KeptAction[]): Promise<Enforced[]> {
  const done: Enforced[] = [];
  const faults: unknown[] = [];
  const records: Promise<unknown>[] = [];
  const fail = (error: unknown): void => void faults.push(error);
  let next = 0;
  const run = async (): Promise<void> => {
    while (next < actions.length) {
      const action = actions[next++] as KeptAction;
      const asked = await ask(parts, action).catch(fail);
      if (asked) records.push(record(parts, asked).then((one) => void (one !== null && done.push(one)), fail));
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, run));
  await Promise.all(records);
  if (faults.length > 0) throw faults[0];
  return done;
}

/** What AgentCore has answered, and when. */
interface Asked {
  readonly kept: KeptAction;
  readonly session: SessionKey;
  readonly known: KeptSession;
  readonly outcome: Outcome;
  readonly at: string;
}

async function ask(parts: EnforceParts, action: KeptAction): Promise<Asked | null> {
  const { store, now } = parts;
  const [stored] = await store.get([actionKey(action.key)]);
  const kept = stored?.data as unknown as KeptAction | undefined;
  if (kept === undefined || kept.nextAt === null || kept.managerArn === undefined) return null;
  const session = { managerArn: kept.managerArn, sessionId: kept.target };
  const known = await changeSession(store, session, now(), (one) => one);
  const outcome = await remove(parts, known, kept);
  return { kept, session, known, outcome, at: now() };
}

async function record(parts: EnforceParts, { kept, session, known, outcome, at }: Asked): Promise<Enforced | null> {
  const { store } = parts;
  if ("failed" in outcome) return failed(parts, kept, outcome, known, at);
  // The session's payments and the alert first: an action that is done is looked at by nobody any more.
  if (outcome.was === "there") await parts.tell([revokedFact(session, at)]);
  else await changeSession(store, session, at, (one) => ({ ...one, goneAt: one.goneAt ?? at }));
  const isNews = outcome.was === "there" || outcome.was === "asked";
  const told = isNews ? await raiseAlerts(store, revokedCauses(kept, await readStops(store), at), at) : [];
  const failing = alertId(failure(kept, "", known), at);
  const isOver = outcome.was === "there" || outcome.was === "over";
  const over = isOver ? await resolveAlert(store, failing, `session ${kept.target} is over`, at) : null;
  const settled = await settle(store, kept.key, (one) =>
    one.outcome === "done" && !(one.detail === NOT_FOUND && outcome.was === "there")
      ? null
      : {
          ...one,
          outcome: "done",
          doneAt: at,
          latencyMs: Date.parse(at) - Date.parse(kept.at),
          detail: outcome.detail,
          nextAt: null,
          tries: kept.tries + 1,
        },
  );
  const alerts = [...told, ...(over === null ? [] : [over])];
  return { action: settled ?? kept, alerts, missed: outcome.was === "none" || outcome.was === "asked" };
}

/** Until when a revocation is news. */
const NEWS_MS = 86_400_000;

/** That an agent is frozen is told once: what it opens all the same stands in the actions. */
function revokedCauses(action: KeptAction, stops: Stops, at: string): Cause[] {
  const isFrozen = action.agentIds.length > 0 && action.agentIds.every((id) => freezeOf(stops, id) !== null);
  const until = new Date(Date.parse(at) + NEWS_MS).toISOString();
  return isFrozen ? [] : [{ ...doneCause(action, at), until }];
}

/**
 * Gone, with what should be said of it; or why not. `there`: it was deleted, now or by us before; `asked`: not found, and
 * an earlier call may have deleted it, or there never was one; `none`: not found; `over`: it has ended by itself.
 */
type Outcome = Gone | Failed;

interface Gone {
  readonly was: "there" | "asked" | "none" | "over";
  readonly detail: string | null;
}

interface Failed {
  readonly failed: string;
  /** A call was made, and may have deleted it though no answer came. */
  readonly asked: boolean;
  /** What is missing is the config's, for whatever session the agent names. */
  readonly about?: "agent";
}

/**
 * Tries the users that the session may be of, the surest first: AgentCore finds it under its own only. What an event
 * says is believed only where the config says nothing: else an agent could have another's session deleted.
 */
async function remove(parts: EnforceParts, kept: KeptSession, action: KeptAction): Promise<Outcome> {
  const { store, sessions, agents, now } = parts;
  const refuse = (failed: string): Outcome => ({ failed, asked: action.asked, about: "agent" });
  if (endOf(kept) <= now()) return { was: "over", detail: `it was over at ${endOf(kept)}` };
  if (sessions === null) return refuse("AgentCore is not called here: no agent of the config has a paymentManagerArn");
  const managers = new Set(Object.values(agents).flatMap(({ paymentManagerArn }) => paymentManagerArn ?? []));
  if (managers.size > 0 && !managers.has(kept.managerArn))
    return refuse(`${kept.managerArn} is no agent's paymentManagerArn in the config: it is not called`);
  const users = usersOf(kept, action.agentIds, agents);
  if (users.length === 0)
    return refuse(
      "nobody knows its userId, and AgentCore finds a session under that only: set agents.<id>.userId in the config",
    );
  // A session that AgentCore never listed may be nobody's: what is not found then may never have been.
  let wasAsked = action.asked;
  if (kept.listed === null && !wasAsked)
    await settle(store, action.key, (one) => {
      wasAsked = one.asked;
      return one.outcome === "done" ? null : { ...one, asked: true };
    });
  for (const userId of users) {
    try {
      const answer = await sessions.delete(kept, userId);
      if (answer.outcome === "deleted") return { was: "there", detail: null };
      if (answer.outcome === "refused") return { failed: answer.message, asked: action.asked };
    } catch (error) {
      return { failed: (error as Error).message, asked: true }; // it may have been deleted all the same
    }
  }
  return { was: kept.listed !== null ? "there" : wasAsked ? "asked" : "none", detail: NOT_FOUND };
}

/** Users that a session may have been opened for, the surest first. */
export function usersOf(kept: KeptSession, agentIds: readonly string[], agents: Config["agents"]): string[] {
  const taken = new Set(Object.values(agents).flatMap(({ userId }) => userId ?? []));
  const configured = agentIds.flatMap((id) => (Object.hasOwn(agents, id) ? (agents[id]?.userId ?? []) : []));
  const claimed = configured.length > 0 ? [] : kept.claimedUsers.filter((userId) => !taken.has(userId));
  return [...new Set([...(kept.listed === null ? [] : [kept.listed.userId]), ...configured, ...claimed])];
}

async function failed(
  { store }: EnforceParts,
  kept: KeptAction,
  { failed: message, asked, about }: Failed,
  known: KeptSession,
  at: string,
): Promise<Enforced | null> {
  const pause = PAUSES_S[Math.min(kept.tries, PAUSES_S.length - 1)] as number;
  const nextAt = new Date(Date.parse(at) + pause * 1000).toISOString();
  const settled = await settle(store, kept.key, (known) =>
    known.outcome === "done"
      ? null
      : { ...known, outcome: "failed", detail: message, nextAt, tries: kept.tries + 1, asked },
  );
  if (settled === null) return null;
  return {
    action: settled,
    alerts: await raiseAlerts(store, [failure(kept, message, known, about)], at),
    missed: false,
  };
}

/** What the config lacks is told once for the agent, whatever sessions it names; else each session is a matter of its own. */
function failure(
  { target, reason, agentIds }: KeptAction,
  message: string,
  known: KeptSession,
  about?: "agent",
): Cause {
  const [agentId] = agentIds;
  const ofAgent = about === "agent" && agentId !== undefined;
  return {
    rule: "revocation_failed",
    subject: ofAgent ? `agent:${agentId}` : `session:${target}`,
    severity: "critical",
    sample: `session ${target} could not be revoked (${reason}): ${message}`,
    ...(ofAgent ? {} : { period: "-" }),
    until: endOf(known),
  };
}

function revokedFact({ managerArn, sessionId }: SessionKey, at: string): Told {
  const id = `revoked-${fingerprint(`${managerArn} ${sessionId}`)}`;
  return {
    source: { kind: "govern" },
    event: { type: "session.revoked", id, at, session: { managerArn, sessionId } },
  };
}
