/** Drift: what AgentCore has counted against a session's cap, less what our books have, and the likely cause of a gap. */

import { alias } from "@bursar/events/ids";
import { displayUsd } from "@bursar/events/money";
import { heldCounter, readCounters, spentCounter } from "./counters.ts";
import { scopeName, sessionScope } from "./effects.ts";
import { aliasPk, paymentKey, TIES } from "./items.ts";
import type { SessionKey, SessionReading, Store } from "./ports.ts";
import { load } from "./record.ts";

export interface Drift {
  /** Atomic units, decimal; positive: AgentCore counted more. */
  readonly amount: string;
  readonly cause: string;
}

/** Payments of a session that are looked at for a cause. */
const PAYMENTS_MAX = 500;

/** Null where the two agree, or AgentCore shows no figures (a session without a cap). */
export async function driftOf(
  store: Store,
  session: SessionKey,
  { limit, available }: SessionReading,
): Promise<Drift | null> {
  if (limit === null || available === null) return null;
  const scope = scopeName(sessionScope(session));
  const figures = await readCounters(store, [heldCounter(scope), spentCounter(scope, "total", null)]);
  const books = figures.reduce((a, b) => a + b, 0n);
  const gap = limit - available - books;
  if (gap === 0n) return null;
  return { amount: gap.toString(), cause: await causeOf(store, session, gap, books) };
}

async function causeOf(store: Store, session: SessionKey, gap: bigint, books: bigint): Promise<string> {
  if (gap < 0n)
    return "payments name this session that were not signed in it, or AgentCore has given back what was never settled";
  const { signed, count } = await signedIn(store, session);
  const released = signed - books;
  if (released === gap)
    return `signed and never settled, or settled below what was signed (${displayUsd(released)} of ${count} payments)`;
  const unheard = gap - released;
  return released > 0n
    ? `${displayUsd(released)} were signed and never settled, and of ${displayUsd(unheard)} no agent has told`
    : `of ${displayUsd(unheard)} no agent has told: events are on their way, or an agent signs in silence`;
}

/** What was ever signed in a session, by the payments that are tied to it. */
async function signedIn(store: Store, session: SessionKey): Promise<{ signed: bigint; count: number }> {
  const { items } = await store.facts(aliasPk(alias.session(session.managerArn, session.sessionId)), TIES, {
    limit: PAYMENTS_MAX,
  });
  const ids = [...new Set(items.map(({ data }) => (data as unknown as { id: string }).id))];
  const stored = ids.length === 0 ? [] : await store.get(ids.map(paymentKey));
  let signed = 0n;
  let count = 0;
  for (const [i, id] of ids.entries()) {
    const slots = load(id, stored[i]).payment.own;
    const amounts = Object.entries(slots)
      .filter(([group]) => group.startsWith("agent.authorization_signed|"))
      .flatMap(([, keys]) =>
        Object.values(keys).flatMap(({ least }) => least.map(({ value }) => BigInt(value.amount as string))),
      );
    if (amounts.length === 0) continue;
    signed += amounts.reduce((a, b) => (a > b ? a : b));
    count++;
  }
  return { signed, count };
}
