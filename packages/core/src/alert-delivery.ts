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
  for (const stored of items) {
    const { target } = publicationOf(stored);
    byAlert.set(target, [...(byAlert.get(target) ?? []), stored]);
  }
  let delivered = 0;
  let fault: string | null = null;
  const alerts = [...byAlert.values()];
  for (let i = 0; i < alerts.length; i += AT_ONCE) {
    const some = alerts.slice(i, i + AT_ONCE).map(async (messages) => {
      for (const message of messages) {
        const failed = await deliver(store, publisher, message, now);
        if (failed === null) delivered += 1;
        else fault ??= failed;
        if (failed !== null) return; // what became of it later must not be told first
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

/** Null where it was delivered, or somebody else is at it; else why not. */
async function deliver(store: Store, publisher: Publisher, found: Stored, now: () => string): Promise<string | null> {
  // The index may lag: what stands there may be done.
  const [stored] = await store.get([publicationKey(publicationOf(found).key)]);
  if (stored === undefined || publicationOf(stored).nextAt === null) return null;
  const due = publicationOf(stored);
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
    return detail;
  }
  const at = now();
  const latencyMs = Date.parse(at) - Date.parse(due.at);
  const done = { ...due, outcome: "done", doneAt: at, latencyMs, detail: null, nextAt: null } as const;
  await store.commit([publicationPut({ ...done, tries: due.tries + 1 }, stored)], []);
  return null;
}

const publicationOf = ({ data }: Stored): Publication => data as unknown as Publication;
