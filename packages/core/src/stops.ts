/**
 * Who is stopped: agents that are frozen until a human says otherwise, and agents that a budget's revoke level stands
 * against. One small item, read with every batch, because whatever a frozen agent opens is deleted on sight.
 */
import { changeItem } from "./change.ts";
import type { Json, Key, Store, Stored } from "./ports.ts";

export interface Freeze {
  readonly since: string;
  readonly reason: string;
  /** What budgets asked for it, the first CAUSES_MAX; empty where a human froze. */
  readonly causes: readonly FreezeCause[];
}

/** What froze an agent: a threshold that a budget's figure reached in one window. `until` is the window's end. */
export interface FreezeCause {
  readonly policy: string;
  readonly scope: string;
  readonly start: string | null;
  readonly at: number;
  /** Atomic units, decimal: another limit is another cause. */
  readonly limit: string;
  readonly until: string | null;
}

/** Causes that one freeze keeps, the latest: all agents stand in one item. */
const CAUSES_MAX = 6;

export interface Stops {
  readonly frozen: { readonly [agentId: string]: Freeze };
  /** Causes that a human has lifted: the same figure of the same window freezes that agent no more. */
  readonly lifted: { readonly [agentId: string]: readonly FreezeCause[] };
  /** Agents that a revoke level stands against, until when at the latest: their sessions are listed often. */
  readonly watched: { readonly [agentId: string]: string };
}

export const STOPS_KEY: Key = { pk: "STOPS", sk: "." };

const NOBODY: Stops = { frozen: {}, lifted: {}, watched: {} };

export function stopsOf(stored: Stored | undefined): Stops {
  return (stored?.data as unknown as Stops | undefined) ?? NOBODY;
}

export async function readStops(store: Store): Promise<Stops> {
  const [stored] = await store.get([STOPS_KEY]);
  return stopsOf(stored);
}

/** Why an agent is frozen; null where it is not. */
export function freezeOf({ frozen }: Stops, agentId: string): Freeze | null {
  return own(frozen, agentId) ?? null;
}

/** Whether a level stands against an agent, so that its sessions are listed often. */
export function isWatched({ watched }: Stops, agentId: string, now: string): boolean {
  return (own(watched, agentId) ?? "") > now;
}

/** Whether a human has said that this figure of this window shall not freeze this agent. */
export function isLifted({ lifted }: Stops, agentId: string, cause: FreezeCause): boolean {
  return (own(lifted, agentId) ?? []).some((one) => isSame(one, cause));
}

/** The stops with one more frozen agent, or one more cause of its freeze; the same object where neither is news. */
export function withFrozen(stops: Stops, agentId: string, freeze: Freeze, now: string): Stops {
  const known = freezeOf(stops, agentId);
  const before = known?.causes ?? [];
  const fresh = freeze.causes.filter(
    (cause) => !before.some((one) => isSame(one, cause)) && !isLifted(stops, agentId, cause),
  );
  // A human has lifted all that budgets ask for: a judgement of before knows nothing of it.
  if (fresh.length === 0 && (known !== null || freeze.causes.length > 0)) return stops;
  const standing = [...before, ...fresh].filter(({ until }) => until === null || until > now).slice(-CAUSES_MAX);
  return { ...stops, frozen: { ...stops.frozen, [agentId]: { ...(known ?? freeze), causes: standing } } };
}

/** The stops with an agent let go, and what asked for its freeze lifted; the same object where it is not frozen. */
export function withoutFrozen(stops: Stops, agentId: string, standing: readonly FreezeCause[], now: string): Stops {
  const freeze = freezeOf(stops, agentId);
  if (freeze === null) return stops;
  const { [agentId]: _, ...frozen } = stops.frozen;
  const before = (own(stops.lifted, agentId) ?? []).filter(({ until }) => until === null || until > now);
  const causes = [...before, ...standing, ...freeze.causes];
  const lifted = causes.filter((cause, i) => causes.findIndex((one) => isSame(one, cause)) === i);
  return { ...stops, frozen, lifted: { ...stops.lifted, [agentId]: lifted } };
}

/** The stops with agents watched until a time; the same object where all are already. What is past is let go. */
export function withWatched(stops: Stops, until: ReadonlyMap<string, string>, now: string): Stops {
  const late = [...until].filter(([id, end]) => (own(stops.watched, id) ?? "") < end);
  if (late.length === 0) return stops;
  const rest = Object.entries(stops.watched).filter(([, end]) => end > now);
  return { ...stops, watched: { ...Object.fromEntries(rest), ...Object.fromEntries(late) } };
}

/** Changes the stops under their version; answers what stands then. `edit` answers the same object for no change. */
export async function changeStops(store: Store, edit: (stops: Stops) => Stops): Promise<Stops> {
  let after = NOBODY;
  await changeItem(store, STOPS_KEY, (stored) => {
    const before = stopsOf(stored);
    after = edit(before);
    return after === before ? null : { data: after as unknown as Json };
  });
  return after;
}

function isSame(a: FreezeCause, b: FreezeCause): boolean {
  return a.policy === b.policy && a.scope === b.scope && a.start === b.start && a.at === b.at && a.limit === b.limit;
}

/** An agent may be called "constructor". */
function own<T>(record: { readonly [key: string]: T }, key: string): T | undefined {
  return Object.hasOwn(record, key) ? record[key] : undefined;
}
