/**
 * Alerts by cause, for whoever finds one: opened under their id, resolved when their cause is over. A repeat of the same
 * cause changes nothing, so that a crash and its second judgement tell nobody twice. And reading them back.
 */
import type { Alert } from "@bursar/events/shapes";
import { alertAdds, readTallies, type Tally } from "./alert-counters.ts";
import { alertKey, alertOf, OVER_LIST, publicAlert, STANDING_LIST } from "./alert-items.ts";
import { alertCounter } from "./alert-marks.ts";
import { moveAlert, moveAlerts } from "./alert-move.ts";
import { mannerOf, readAlertSettings } from "./alert-settings.ts";
import type { KeptAlert } from "./alert-shape.ts";
import { type AlertName, type AlertRecord, nextAlert, type Seen } from "./alert-state.ts";
import type { Cause } from "./alerts.ts";
import { fingerprint } from "./canonical.ts";
import { eachEntry } from "./pages.ts";
import { ACTIONS_PER_COMMIT, type Store } from "./ports.ts";

const ATTEMPTS_MAX = 12;
/** Alerts whose counters are read at once. */
const READ_MAX = 64;

export const alertId = ({ rule, subject, period }: Cause, now: string): string =>
  `${rule}/${subject}/${period ?? now.slice(0, 10)}`;

/** Opens what is not open yet, and counts what belongs to it; answers the alerts that this changed. */
export async function raiseAlerts(store: Store, causes: readonly Cause[], now: string): Promise<Alert[]> {
  if (causes.length === 0) return [];
  const groups = new Map<string, { name: AlertName; causes: Map<string, Cause> }>();
  for (const cause of causes) {
    const id = alertId(cause, now);
    const counting = cause.period === undefined ? "events" : "openings";
    const { rule, subject } = cause;
    const group = groups.get(id) ?? { name: { id, rule, subject, counting }, causes: new Map<string, Cause>() };
    group.causes.set(cause.name ?? cause.sample, cause);
    groups.set(id, group);
  }
  for (const [id, { name, causes: own }] of groups)
    if (name.counting === "events") await noteEvents(store, id, [...own.keys()]);
  const names = [...groups.values()].map(({ name }) => name);
  const moves = await moveAlerts(store, names, now, ({ id }, _, tally) => {
    const own = [...(groups.get(id)?.causes.values() ?? [])];
    return causesSeen(own, tally, now);
  });
  return moves.map(({ alert }) => alert);
}

/** Resolves an alert, if it stands; answers it where this changed it. `text` says how it ended. */
export async function resolveAlert(store: Store, id: string, text: string, now: string): Promise<Alert | null> {
  const [stored] = await store.get([alertKey(id)]);
  const before = alertOf(stored);
  if (before === null || before.status === "resolved") return null;
  const move = await moveAlert(store, before, now, (kept, tally, manner) => {
    if (kept === null) return null;
    const { severity, agentId, amount } = kept;
    const seen = { ...NOTHING, severity, agentId, amount, count: countOf(kept, tally), overText: text, at: now };
    return nextAlert(kept, kept, seen, now, manner);
  });
  return move?.alert ?? null;
}

/** Alerts as they stand at `now`, the earliest opened first; those that stand, or all. */
export async function listAlerts(store: Store, now: string, which: "standing" | "all" = "all"): Promise<KeptAlert[]> {
  const records: AlertRecord[] = [];
  for (const partition of which === "all" ? [STANDING_LIST, OVER_LIST] : [STANDING_LIST])
    for await (const stored of eachEntry(store, "list", partition)) {
      const record = alertOf(stored);
      if (record !== null) records.push(record);
    }
  const counted = records.filter(({ counting, status }) => counting !== "openings" && status !== "resolved");
  const tallies = new Map<string, Tally>();
  for (let i = 0; i < counted.length; i += READ_MAX) {
    const ids = counted.slice(i, i + READ_MAX).map(({ id }) => id);
    for (const [j, tally] of (await readTallies(store, ids)).entries()) tallies.set(ids[j] as string, tally);
  }
  const settings = await readAlertSettings(store);
  return records
    .map((record) => {
      const { quietUntil } = mannerOf(settings, record, now);
      return { ...shown(record, tallies.get(record.id) ?? null, now), quietUntil };
    })
    .sort((a, b) => (a.openedAt < b.openedAt ? -1 : a.openedAt > b.openedAt ? 1 : a.id < b.id ? -1 : 1));
}

const NOTHING = { stands: false, samples: [], text: "", until: null } as const;

const countOf = (kept: AlertRecord, tally: Tally | null): number => (tally === null ? kept.count : Number(tally.seen));

function causesSeen(causes: readonly Cause[], tally: Tally | null, now: string): Seen | null {
  const [first] = causes;
  if (first === undefined) return null;
  const { severity, subject, sample, at = now, until = null, agentId, amount } = first;
  return {
    stands: true,
    count: tally === null ? 1 : Number(tally.seen),
    severity,
    agentId: agentId ?? (subject.startsWith("agent:") ? subject.slice("agent:".length) : null),
    amount: amount ?? null,
    samples: causes.map((cause) => ({ at: cause.at ?? now, text: cause.sample })),
    text: sample,
    at,
    until,
  };
}

/** What time has ended is over, though no sweep has come to it; counts are those of their counters. */
function shown(record: AlertRecord, tally: Tally | null, now: string): KeptAlert {
  const alert = publicAlert(record);
  const { status, until } = alert;
  if (status === "resolved") return alert;
  const counted =
    tally === null
      ? alert
      : {
          ...alert,
          count: Number(tally.seen),
          ...(record.counting === "payments" ? { standing: Number(tally.standing), amount: sumOf(tally) } : {}),
        };
  return until !== null && until <= now ? { ...counted, status: "resolved", updatedAt: until } : counted;
}

const sumOf = ({ sum }: Tally): string | null => (sum === 0n ? null : sum.toString());

/** Counts each event of an alert once, whoever tells of it and how often. */
async function noteEvents(store: Store, id: string, names: readonly string[]): Promise<void> {
  const keys = names.map((name) => ({ pk: `ALEV#${id}`, sk: fingerprint(name) }));
  for (let i = 0; i < keys.length; i += ACTIONS_PER_COMMIT - 1) {
    const part = keys.slice(i, i + ACTIONS_PER_COMMIT - 1);
    for (let attempt = 0; ; attempt++) {
      const known = await store.get(part);
      const puts = part.flatMap((key, j) => (known[j] === undefined ? [{ ...key, data: null, expected: null }] : []));
      if (puts.length === 0) break;
      const moved = new Map([[alertCounter(id, "seen"), BigInt(puts.length)]]);
      if ((await store.commit(puts, alertAdds(moved, part[0]?.sk ?? ""))) === "done") break;
      if (attempt === ATTEMPTS_MAX) throw new Error(`others count alert ${id} all the time: it is counted again`);
    }
  }
}
