/**
 * Moving alerts in the table: each is read, looked at, and written under its version, together with the message that its
 * change asks for. So nothing that was told is told again by a second judgement, and a crash loses no message.
 */
import { readTallies, type Tally } from "./alert-counters.ts";
import { alertKey, alertOf, alertPut, messageKey, publicAlert, publicationOf, publicationPut } from "./alert-items.ts";
import { ALERT_SETTINGS_KEY, alertSettingsOf, mannerOf } from "./alert-settings.ts";
import type { AlertMove } from "./alert-shape.ts";
import { type AlertName, type AlertRecord, type Manner, type Next, nextAlert, type Seen } from "./alert-state.ts";
import type { Store } from "./ports.ts";

/** Alerts that are read together, and those that are written at once. */
const READ_MAX = 64;
const AT_ONCE = 16;
const ATTEMPTS_MAX = 12;

/** What is found about an alert as it stands; null: nobody has looked, only time goes on. `tally` of `openings` is null. */
export type Look = (name: AlertName, kept: AlertRecord | null, tally: Tally | null) => Seen | null;

/** Moves alerts to what `look` finds of them at `now`; answers what became of those that changed. */
export async function moveAlerts(
  store: Store,
  names: readonly AlertName[],
  now: string,
  look: Look,
): Promise<AlertMove[]> {
  const moves: AlertMove[] = [];
  for (let i = 0; i < names.length; i += READ_MAX) {
    const part = names.slice(i, i + READ_MAX);
    const found = await readAll(store, part);
    for (let j = 0; j < part.length; j += AT_ONCE) {
      const some = part.slice(j, j + AT_ONCE).map((name, k) => {
        const next = (kept: AlertRecord | null, tally: Tally | null, manner: Manner): Next =>
          nextAlert(name, kept, look(name, kept, tally), now, manner);
        return moveOne(store, name, now, found[j + k] as Found, next);
      });
      moves.push(...(await Promise.all(some)).flatMap((move) => move ?? []));
    }
  }
  return moves;
}

/** Moves one alert by `next`; null from it leaves the alert alone. */
export async function moveAlert(
  store: Store,
  name: AlertName,
  now: string,
  next: (kept: AlertRecord | null, tally: Tally | null, manner: Manner) => Next | null,
): Promise<AlertMove | null> {
  const [found] = await readAll(store, [name]);
  return moveOne(store, name, now, found as Found, next);
}

async function moveOne(
  store: Store,
  name: AlertName,
  now: string,
  first: Found,
  next: (kept: AlertRecord | null, tally: Tally | null, manner: Manner) => Next | null,
): Promise<AlertMove | null> {
  let found = first;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    if (attempt > 0) found = (await readAll(store, [name]))[0] as Found;
    const { stored, tally, settings } = found;
    const before = alertOf(stored);
    const after = next(before, tally, mannerOf(settings, name, now));
    if (after === null || after.kept === null || after.kept === before) return null;
    const { change, told } = after;
    const kept = told === null ? after.kept : { ...after.kept, message: messageKey(after.kept) };
    const last = before?.message ?? null;
    const message = told === null ? [] : [publicationPut(publicationOf(kept, told, last, now), undefined)];
    if ((await store.commit([alertPut(kept, stored), ...message], [])) === "done")
      return change === null ? null : { alert: publicAlert(kept), change };
  }
  throw new Error(`others change alert ${name.id} all the time: the judgement is made again`);
}

interface Found {
  readonly stored: Awaited<ReturnType<Store["get"]>>[number];
  readonly tally: Tally | null;
  readonly settings: ReturnType<typeof alertSettingsOf>;
}

/** The alerts first, their counters after: what is written meanwhile under a version is seen, or conflicts. */
async function readAll(store: Store, names: readonly AlertName[]): Promise<Found[]> {
  const [settings, ...stored] = await store.get([ALERT_SETTINGS_KEY, ...names.map(({ id }) => alertKey(id))]);
  const counted = names.filter(({ counting }) => counting !== "openings").map(({ id }) => id);
  const tallies = await readTallies(store, counted);
  const byId = new Map(counted.map((id, i) => [id, tallies[i] as Tally]));
  return names.map(({ id }, i) => ({
    stored: stored[i],
    tally: byId.get(id) ?? null,
    settings: alertSettingsOf(settings),
  }));
}
