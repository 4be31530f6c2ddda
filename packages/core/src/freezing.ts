/** Freezing: who is frozen and the action that says so are one commit. */
import { actionKey, type KeptAction, type Order, putOf } from "./outbox.ts";
import type { Json, Store } from "./ports.ts";
import { type Freeze, freezeOf, STOPS_KEY, stopsOf, withFrozen } from "./stops.ts";

/** An agent that is to be frozen, and why. */
export interface Freezing {
  readonly order: Order;
  readonly freeze: Freeze;
}

/** Freezes agents that are not frozen: who is frozen and the action that says so are one commit. */
export async function freeze(store: Store, freezes: ReadonlyMap<string, Freezing>, now: string): Promise<KeptAction[]> {
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
    const after = withFrozen(before, agentId, wanted, now);
    if (after === before) return null;
    const put = { ...STOPS_KEY, data: after as unknown as Json, expected: stops?.version ?? null };
    const isNews = freezeOf(before, agentId) === null;
    const action = isNews ? frozenAction(one, now) : null;
    const puts = action === null ? [put] : [put, putOf(action, stored)];
    if ((await store.commit(puts, [])) === "done") return action;
  }
  throw new Error("others change who is stopped all the time: the judgement is made again");
}

function frozenAction({ human, confirmed: _, ...rest }: Order, now: string): KeptAction {
  return {
    ...rest,
    by: human ? "human" : "budget",
    at: now,
    outcome: "done",
    doneAt: now,
    latencyMs: 0,
    detail: null,
    nextAt: null,
    tries: 1,
    asked: false,
  };
}
