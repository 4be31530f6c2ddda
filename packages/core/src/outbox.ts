/**
 * The outbox: what Bursar has resolved to do outside of its table. An action is inserted as `due` together with the
 * judgement that asked for it, executed, then marked `done`; its key makes a repeat harmless and a second reason an
 * addition. What a crash left over is found by the due index.
 */
import type { Action } from "@bursar/events/shapes";
import { fingerprint } from "./canonical.ts";
import { changeItem } from "./change.ts";
import { eachEntry } from "./pages.ts";
import type { Item, Json, Key, Store, Stored, VersionedPut } from "./ports.ts";

/** An action as it is kept. */
export interface KeptAction extends Action {
  readonly kind: "revoke_session" | "freeze_agent";
  readonly agentIds: readonly string[];
  /** When it is to be tried next; null when it is not to be tried. */
  readonly nextAt: string | null;
  readonly tries: number;
  /** AgentCore was asked to delete it, and may have done so though no answer came. */
  readonly asked: boolean;
}

/** What is asked of the outbox. */
export interface Order {
  readonly key: string;
  readonly kind: "revoke_session" | "freeze_agent";
  readonly target: string;
  readonly managerArn?: string;
  readonly agentIds: readonly string[];
  readonly reason: string;
  /** A human asked: the blast radius is not counted, and what failed or was held back is tried again. */
  readonly human: boolean;
  /** AgentCore lists the session: it is no name that somebody made up. */
  readonly confirmed: boolean;
}

export interface Ordered {
  /** Inserted or taken up again as `due` by this call. */
  readonly due: readonly KeptAction[];
  /** Held back for a human: more automatic revocations in a minute than the config allows. */
  readonly heldBack: readonly KeptAction[];
  /** Keys that stood there already, whatever became of them. */
  readonly known: readonly KeptAction[];
}

/** The partition of the list index that all actions stand in, by when they were ordered. */
const ACTIONS_LIST = "#actions";
const DUE = "out";
/** Actions of one transaction, beside the one that counts them. */
const PER_COMMIT = 90;
const ATTEMPTS_MAX = 12;
/** Reasons that one action keeps. */
const REASONS_MAX = 8;

export const actionKey = (key: string): Key => ({ pk: `OUT#${key}`, sk: "." });
const BLAST: Key = { pk: "BLAST", sk: "." };
const BLAST_MS = 60_000;

/**
 * Orders actions at `now`; durable when it resolves. At most `perMinute` automatic revocations within a minute are due,
 * and of one agent's sessions that AgentCore never listed at most a quarter of that: names cost nothing to make up.
 */
export async function order(store: Store, orders: readonly Order[], perMinute: number, now: string): Promise<Ordered> {
  const unique = new Map<string, Order>();
  for (const one of orders) {
    const before = unique.get(one.key);
    unique.set(one.key, before === undefined ? one : { ...before, reason: joined(before.reason, one.reason) });
  }
  const all = [...unique.values()];
  const parts: Ordered[] = [];
  for (let i = 0; i < all.length; i += PER_COMMIT)
    parts.push(await orderSome(store, all.slice(i, i + PER_COMMIT), perMinute, now));
  return {
    due: parts.flatMap(({ due }) => due),
    heldBack: parts.flatMap(({ heldBack }) => heldBack),
    known: parts.flatMap(({ known }) => known),
  };
}

async function orderSome(store: Store, orders: readonly Order[], perMinute: number, now: string): Promise<Ordered> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [blast, ...stored] = await store.get([BLAST, ...orders.map(({ key }) => actionKey(key))]);
    const since = new Date(Date.parse(now) - BLAST_MS).toISOString();
    const before = ((blast?.data as { made: readonly Made[] } | undefined)?.made ?? []) as readonly Made[];
    const made = before.filter(({ at }) => at > since);
    const madeBefore = made.length;
    const due: KeptAction[] = [];
    const heldBack: KeptAction[] = [];
    const known: KeptAction[] = [];
    const puts: VersionedPut[] = [];
    for (const [i, one] of orders.entries()) {
      const before = stored[i];
      const kept = before === undefined ? null : (before.data as unknown as KeptAction);
      const again = kept !== null && isOrderedAgain(kept, one, now);
      if (kept !== null && !again) {
        known.push(kept);
        const reason = joined(kept.reason, one.reason);
        if (reason !== kept.reason) puts.push(putOf({ ...kept, reason }, before));
        continue;
      }
      const refusal = one.human || one.kind !== "revoke_session" ? null : refusalOf(one, made, perMinute);
      if (kept !== null && kept.outcome === "skipped" && refusal !== null) {
        known.push(kept);
        continue;
      }
      if (refusal === null && !one.human && one.kind === "revoke_session")
        made.push({ at: now, by: one.confirmed ? null : (one.agentIds[0] ?? "") });
      const action = actionOf(one, kept, refusal, now);
      (refusal === null ? due : heldBack).push(action);
      puts.push(putOf(action, before));
    }
    if (puts.length === 0) return { due, heldBack, known };
    if (made.length > madeBefore)
      puts.push({ ...BLAST, data: { made } as unknown as Json, expected: blast?.version ?? null });
    if ((await store.commit(puts, [])) === "done") return { due, heldBack, known };
  }
  throw new Error("others order actions all the time: the judgement is made again");
}

/** Actions that are to be tried at `now`, the longest due first. */
export async function dueActions(store: Store, now: string, limit: number): Promise<readonly KeptAction[]> {
  const { items } = await store.index("due", DUE, { to: `${now}~`, limit });
  return items.map(({ data }) => data as unknown as KeptAction);
}

/** Every action, the latest last. */
export async function* eachAction(store: Store): AsyncGenerator<KeptAction> {
  for await (const { data } of eachEntry(store, "list", ACTIONS_LIST)) yield data as unknown as KeptAction;
}

/** Notes what became of an action. Null where it stands otherwise meanwhile: somebody else has done it. */
export async function settle(
  store: Store,
  key: string,
  edit: (kept: KeptAction) => KeptAction | null,
): Promise<KeptAction | null> {
  let after: KeptAction | null = null;
  await changeItem(store, actionKey(key), (stored) => {
    after = stored === undefined ? null : edit(stored.data as unknown as KeptAction);
    return after === null ? null : keptAs(after);
  });
  return after;
}

/** The put that keeps an action. */
export function putOf(action: KeptAction, before: Stored | undefined): VersionedPut {
  return { ...actionKey(action.key), ...keptAs(action), expected: before?.version ?? null };
}

/** How an action is kept: in the due index while it is to be tried, in the list always. */
function keptAs(action: KeptAction): Pick<Item, "data" | "index"> {
  const name = fingerprint(action.key);
  const list = { partition: ACTIONS_LIST, sort: `${action.at}#${name}` };
  const due = action.nextAt === null ? {} : { due: { partition: DUE, sort: `${action.nextAt}#${name}` } };
  return { data: action as unknown as Json, index: { list, ...due } };
}

/** One automatic revocation of the last minute; by which agent, where AgentCore never listed the session. */
interface Made {
  readonly at: string;
  readonly by: string | null;
}

/** Why a revocation is held back; null where it is due. */
function refusalOf({ confirmed, agentIds }: Order, made: readonly Made[], perMinute: number): string | null {
  if (made.length >= perMinute) return HELD_BACK;
  const own = made.filter(({ by }) => by === (agentIds[0] ?? "")).length;
  return !confirmed && own >= Math.max(1, Math.floor(perMinute / 4)) ? HELD_UNLISTED : null;
}

function actionOf(one: Order, kept: KeptAction | null, refusal: string | null, now: string): KeptAction {
  const { human, confirmed: _, ...rest } = one;
  return {
    ...rest,
    reason: kept === null ? one.reason : joined(kept.reason, one.reason),
    by: human ? "human" : "budget",
    at: now,
    outcome: refusal === null ? "due" : "skipped",
    doneAt: null,
    latencyMs: null,
    detail: refusal,
    nextAt: refusal === null ? now : null,
    tries: 0,
    asked: false,
  };
}

/** A deletion and a judgement that still saw the session may cross each other. */
const CROSSING_MS = 5_000;

/**
 * A human takes up what was held back or failed. What was held back as one of many names that nobody listed is taken up
 * as far as the minute allows. And who asks for a session that was deleted some time ago has seen it open: AgentCore had it not under the
 * user that was believed, or has it again.
 */
function isOrderedAgain({ outcome, detail, doneAt }: KeptAction, one: Order, now: string): boolean {
  if (one.human && (outcome === "skipped" || outcome === "failed")) return true;
  if (outcome === "skipped") return detail === HELD_UNLISTED;
  if (outcome !== "done" || one.kind !== "revoke_session" || doneAt == null) return false;
  return Date.parse(doneAt) + CROSSING_MS < Date.parse(now);
}

/** What is said of a deletion that found nothing. */
export const NOT_FOUND = "AgentCore had no such session";
export const HELD_BACK = "held back: more revocations in a minute than limits.revocationsPerMinute allows";
const HELD_UNLISTED = "held back: AgentCore has not listed it yet, and this agent names many such sessions";

/** Two reasons as one text. The same budget's figure is given once, as it was first. */
export function joined(reason: string, more: string): string {
  const reasons = reason.split("; ");
  const name = (text: string): string => text.slice(0, text.indexOf(" is at ") + 1) || text;
  if (reasons.length >= REASONS_MAX || reasons.some((one) => name(one) === name(more))) return reason;
  return `${reason}; ${more}`;
}
