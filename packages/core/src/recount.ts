/** `recount`: proves the books. Every counter must equal the sum of what payments have applied, and that what they do. */
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
}

/**
 * Adds everything up again. Changes nothing. Payments that are written meanwhile may show as a difference: the caller
 * looks again, or looks when nothing is written.
 */
export async function recount(store: Store, world: CorrelateWorld, now: string): Promise<Recount> {
  const sums = new Map<string, bigint>();
  let payments = 0;
  let stale = 0;
  for await (const { payment, findings, applied } of eachPayment(store, world, now, null, null)) {
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
  return { payments, counters: names.length, wrong, stale };
}
