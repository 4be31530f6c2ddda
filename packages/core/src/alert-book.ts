/**
 * Alerts of governance as they are kept: opened once under their id, resolved when their cause is over. A repeat of the
 * same cause changes nothing, so that a crash and its second judgement tell nobody twice.
 */
import type { Alert } from "@bursar/events/shapes";
import type { Cause } from "./alerts.ts";
import { fingerprint } from "./canonical.ts";
import { changeItem } from "./change.ts";
import { eachEntry } from "./pages.ts";
import type { Json, Key, Store } from "./ports.ts";

interface Kept extends Alert {
  /** When it is over by itself; null: never. */
  readonly until: string | null;
  /** What it is about, each once, the first SAMPLES_MAX. */
  readonly samples: readonly string[];
}

/** The partition of the list index that all kept alerts stand in, by when they were opened. */
const ALERTS_LIST = "#alerts";
const SAMPLES_MAX = 10;
/** Alerts that are written at once. */
const AT_ONCE = 16;

const alertKey = (id: string): Key => ({ pk: `ALERT#${id}`, sk: "." });

export const alertId = ({ rule, subject, period }: Cause, now: string): string =>
  `${rule}/${subject}/${period ?? now.slice(0, 10)}`;

/** Opens what is not open yet; answers the alerts that this moved. `text` says what happened, for people. */
export async function raiseAlerts(store: Store, causes: readonly Cause[], now: string): Promise<Alert[]> {
  const byId = new Map<string, Map<string, Cause>>();
  for (const cause of causes) {
    const id = alertId(cause, now);
    byId.set(id, (byId.get(id) ?? new Map<string, Cause>()).set(cause.sample, cause));
  }
  const raise = ([id, samples]: [string, Map<string, Cause>]): Promise<Alert | null> =>
    change(store, id, now, (kept) =>
      [...samples.values()].reduce<Kept | null>((before, cause) => opened(before, cause, now), kept),
    );
  const all = [...byId];
  const moved: Alert[] = [];
  for (let i = 0; i < all.length; i += AT_ONCE) {
    const some = await Promise.all(all.slice(i, i + AT_ONCE).map(raise));
    moved.push(...some.filter((alert) => alert !== null));
  }
  return moved;
}

/** Resolves an alert, if it stands open; answers it where this moved it. */
export function resolveAlert(store: Store, id: string, text: string, now: string): Promise<Alert | null> {
  return change(store, id, now, (kept) =>
    kept === null || kept.status === "resolved" ? kept : { ...kept, status: "resolved", updatedAt: now, text },
  );
}

/** Every kept alert as it stands at `now`, the earliest opened first. */
export async function listAlerts(store: Store, now: string): Promise<Alert[]> {
  const alerts: Alert[] = [];
  for await (const { data } of eachEntry(store, "list", ALERTS_LIST)) alerts.push(shown(data as unknown as Kept, now));
  return alerts;
}

function opened(kept: Kept | null, cause: Cause, now: string): Kept {
  const at = cause.at ?? now;
  const base = {
    id: alertId(cause, now),
    rule: cause.rule,
    subject: cause.subject,
    severity: cause.severity,
    status: "open" as const,
    until: cause.until ?? null,
    text: cause.sample,
  };
  if (kept === null) return { ...base, count: 1, openedAt: at, updatedAt: at, samples: [cause.sample] };
  if (kept.status === "resolved")
    return { ...base, count: kept.count + 1, openedAt: at, updatedAt: at, samples: [cause.sample] };
  // One budget's figure is told as it was when it crossed: that it goes on growing is no second crossing.
  if (cause.period !== undefined || kept.samples.length >= SAMPLES_MAX || kept.samples.includes(cause.sample))
    return kept;
  return { ...kept, count: kept.count + 1, updatedAt: now, samples: [...kept.samples, cause.sample] };
}

async function change(
  store: Store,
  id: string,
  now: string,
  edit: (kept: Kept | null) => Kept | null,
): Promise<Alert | null> {
  let after: Kept | null = null;
  const changed = await changeItem(store, alertKey(id), (stored) => {
    const before = (stored?.data as unknown as Kept | undefined) ?? null;
    after = edit(before);
    if (after === null || after === before) return null;
    const list = { partition: ALERTS_LIST, sort: `${after.openedAt}#${fingerprint(id)}` };
    return { data: after as unknown as Json, index: { list } };
  });
  return changed && after !== null ? shown(after, now) : null;
}

function shown({ until, samples: _, ...alert }: Kept, now: string): Alert {
  return alert.status === "open" && until !== null && until <= now
    ? { ...alert, status: "resolved", updatedAt: until }
    : alert;
}
