/** Budgets as people read them, from the table: those in force, with the figures of their counters. */
import type { Budget } from "@bursar/events/shapes";
import { budgetRows } from "./budgets.ts";
import { readCounters } from "./counters.ts";
import { knownCounters } from "./known-books.ts";
import { inForce, type KeptPolicy, readPolicies } from "./policies.ts";
import type { Store } from "./ports.ts";
import { windowOf } from "./windows.ts";

/** Rows of the budgets in force: of the windows that contain `now`, or of all that were ever moved. */
export async function readBudgets(store: Store, org: string, now: string, which: "current" | "all"): Promise<Budget[]> {
  const kept = await readPolicies(store);
  const { policies, backfilling } = inForce(kept, now);
  const names = new Set<string>();
  for (const kind of new Set(policies.map(({ scope }) => scope.kind))) {
    if (which === "all") {
      for await (const counter of knownCounters(store, kind, "all")) names.add(counter);
      continue;
    }
    for await (const counter of knownCounters(store, kind, "held")) names.add(counter);
    const windows = new Set(policies.filter(({ scope }) => scope.kind === kind).map(({ window }) => window));
    for (const window of windows) {
      const { start } = windowOf(window, now);
      for await (const counter of knownCounters(store, kind, { window, start })) names.add(counter);
    }
  }
  const counters = [...names];
  const amounts = await readCounters(store, counters);
  const figures = Object.fromEntries(counters.map((counter, i) => [counter, amounts[i] ?? 0n]));
  const raised = new Map(kept.kept.map((one) => [one.policy.id, one]));
  return budgetRows(policies, figures, org, now).map((row) => ({
    ...row,
    ...(backfilling.has(row.policy) ? { backfilling: true as const } : {}),
    ...raisedUntil(raised.get(row.policy), now),
  }));
}

function raisedUntil(kept: KeptPolicy | undefined, now: string): { raisedUntil?: string } {
  const raise = kept?.raise ?? null;
  return raise !== null && now < raise.until ? { raisedUntil: raise.until } : {};
}
