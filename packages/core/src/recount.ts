/**
 * `recount`: proves the books. Every counter must equal the sum of what payments have applied, and that what they do; and
 * as many payments must stand in each alert as its counters say.
 */
import { listAlerts } from "./alert-book.ts";
import { readTallies } from "./alert-counters.ts";
import { addEffects, readCounters } from "./counters.ts";
import { effectsOf } from "./effects.ts";
import { knownCounters, SCOPE_KINDS } from "./known-books.ts";
import { eachPayment } from "./lists.ts";
import type { Store } from "./ports.ts";
import { isRow } from "./rows.ts";
import type { CorrelateWorld } from "./write.ts";

export interface Recount {
  readonly payments: number;
  readonly counters: number;
  /** Counters that differ from the sum of what payments have applied; empty where the books are right. */
  readonly wrong: readonly { readonly counter: string; readonly kept: string; readonly counted: string }[];
  /** Payments that have applied something else than they do under the budgets in force: not folded since a change. */
  readonly stale: number;
  /** Alerts in which other payments stand than their counters say; empty where they are right. */
  readonly wrongAlerts: readonly { readonly alert: string; readonly kept: number; readonly counted: number }[];
}

/**
 * Adds everything up again. Changes nothing. Payments that are written meanwhile may show as a difference: the caller
 * looks again, or looks when nothing is written.
 */
export async function recount(store: Store, world: CorrelateWorld, now: string): Promise<Recount> {
  const sums = new Map<string, bigint>();
  const standing = new Map<string, number>();
  let payments = 0;
  let stale = 0;
  for await (const { payment, findings, applied, marks } of eachPayment(store, world, now, null, null)) {
    for (const [id, { stands }] of Object.entries(marks)) standing.set(id, (standing.get(id) ?? 0) + Number(stands));
    if (isRow(payment.id) || findings === null) continue;
    payments++;
    addEffects(sums, applied);
    const effects = effectsOf(findings, world.directory, world.counted);
    const names = new Set([...Object.keys(effects), ...Object.keys(applied)]);
    if ([...names].some((name) => effects[name] !== applied[name])) stale++;
  }
  for (const kind of SCOPE_KINDS)
    for await (const counter of knownCounters(store, kind, "all")) if (!sums.has(counter)) sums.set(counter, 0n);
  const names = [...sums.keys()].sort();
  const kept = await readCounters(store, names);
  const wrong = names.flatMap((counter, i) => {
    const [is, should] = [kept[i] ?? 0n, sums.get(counter) ?? 0n];
    return is === should ? [] : [{ counter, kept: is.toString(), counted: should.toString() }];
  });
  return { payments, counters: names.length, wrong, stale, wrongAlerts: await recountAlerts(store, standing, now) };
}

/** What payments no list leads to stand in nothing, so the listed ones are all. */
async function recountAlerts(
  store: Store,
  standing: Map<string, number>,
  now: string,
): Promise<Recount["wrongAlerts"]> {
  for (const { id, standing: kept } of await listAlerts(store, now, "standing"))
    if (kept !== undefined && !standing.has(id)) standing.set(id, 0);
  const ids = [...standing.keys()].sort();
  const tallies = await readTallies(store, ids);
  return ids.flatMap((alert, i) => {
    const [kept, counted] = [Number(tallies[i]?.standing ?? 0n), standing.get(alert) ?? 0];
    return kept === counted ? [] : [{ alert, kept, counted }];
  });
}
