/**
 * Delivering alerts: what was written with them as due is handed to the publisher until it takes it, then marked done. A
 * crash between the two hands one message out twice; none is lost.
 */
import { type Publication, publicationKey, publicationPut, TELL_DUE } from "./alert-items.ts";
import type { Publisher, Store, Stored } from "./ports.ts";

/** Messages of one round, and those that are under way at once. */
const ROUND_MAX = 64;
const AT_ONCE = 8;
/** Seconds until the next try, by tries made; the last for all later ones. */
const PAUSES_S = [1, 5, 15, 60, 300] as const;
/** Undelivered messages that are counted. */
const COUNT_MAX = 1_000;
const DETAIL_MAX = 256;

export interface Delivered {
  readonly delivered: number;
  /** Why one could not be delivered, in words; null where all were. */
  readonly fault: string | null;
}

/** Delivers what is due at `now()`; of one alert in its order. Throws for a fault of the store alone. */
export async function deliverAlerts(store: Store, publisher: Publisher, now: () => string): Promise<Delivered> {
  const { items } = await store.index("due", TELL_DUE, { to: `${now()}~`, limit: ROUND_MAX });
  const byAlert = new Map<string, Stored[]>();
  for (const stored of [...items].sort(byAge)) {
    const { target } = publicationOf(stored);
    byAlert.set(target, [...(byAlert.get(target) ?? []), stored]);
  }
  let delivered = 0;
  let fault: string | null = null;
  const alerts = [...byAlert.values()];
  for (let i = 0; i < alerts.length; i += AT_ONCE) {
    const some = alerts.slice(i, i + AT_ONCE).map(async (messages) => {
      for (const message of messages) {
        const outcome = await deliver(store, publisher, message, now);
        if (outcome === "delivered") delivered += 1;
        else if (outcome !== null) fault ??= outcome.fault;
      }
    });
    await Promise.all(some);
  }
  return { delivered, fault };
}

/** Messages that nobody has taken yet; at most 1,000 are counted. */
export async function undelivered(store: Store): Promise<Publication[]> {
  const { items } = await store.index("due", TELL_DUE, { limit: COUNT_MAX });
  return items.map(publicationOf);
}

const byAge = (a: Stored, b: Stored): number => {
  const [one, other] = [publicationOf(a), publicationOf(b)];
  return one.at < other.at || (one.at === other.at && other.after === one.key) ? -1 : 1;
};

/** Null where it is done already, or its turn has not come. */
async function deliver(
  store: Store,
  publisher: Publisher,
  found: Stored,
  now: () => string,
): Promise<"delivered" | { readonly fault: string } | null> {
  const { key, after } = publicationOf(found);
  // The index may lag: what stands there may be done.
  const [stored, last] = await store.get([key, ...(after === null ? [] : [after])].map(publicationKey));
  if (stored === undefined || publicationOf(stored).nextAt === null) return null;
  const due = publicationOf(stored);
  // What became of an alert later must not be told first.
  const turnAt = last === undefined ? null : publicationOf(last).nextAt;
  if (turnAt !== null) {
    if (turnAt > now()) await store.commit([publicationPut({ ...due, nextAt: turnAt }, stored)], []);
    return null;
  }
  try {
    await publisher.publish(due.move);
  } catch (error) {
    const detail = (error as Error).message.slice(0, DETAIL_MAX);
    const pause = PAUSES_S[Math.min(due.tries, PAUSES_S.length - 1)] as number;
    const nextAt = new Date(Date.parse(now()) + pause * 1000).toISOString();
    await store.commit(
      [publicationPut({ ...due, outcome: "failed", detail, nextAt, tries: due.tries + 1 }, stored)],
      [],
    );
    return { fault: detail };
  }
  const at = now();
  const latencyMs = Date.parse(at) - Date.parse(due.at);
  const done = { ...due, outcome: "done", doneAt: at, latencyMs, detail: null, nextAt: null } as const;
  await store.commit([publicationPut({ ...done, tries: due.tries + 1 }, stored)], []);
  return "delivered";
}

const publicationOf = ({ data }: Stored): Publication => data as unknown as Publication;
