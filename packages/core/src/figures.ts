/** Figures of budgets: what a scope has spent in the current window, and holds. */
import { covers } from "./budgets.ts";
import { heldCounter, readCounters, spentCounter } from "./counters.ts";
import { type ScopeRef, scopeName } from "./effects.ts";
import type { GovernWorld } from "./govern-world.ts";
import type { Figure } from "./judge.ts";
import type { Store } from "./ports.ts";
import { windowOf } from "./windows.ts";

/** Figures of every budget with thresholds that is about one of the scopes, from consistent reads. */
export async function readFigures(
  store: Store,
  { force, directory }: GovernWorld,
  scopes: readonly ScopeRef[],
  now: string,
): Promise<Figure[]> {
  const wanted: Omit<Figure, "amount">[] = [];
  const counters: string[] = [];
  for (const policy of force.policies) {
    if (policy.thresholds.length === 0) continue;
    const { start, end } = windowOf(policy.window, now);
    for (const scope of scopes) {
      if (!covers(policy, scope, directory.org)) continue;
      wanted.push({ policy, scope, start, end });
      counters.push(heldCounter(scopeName(scope)), spentCounter(scopeName(scope), policy.window, start));
    }
  }
  if (wanted.length === 0) return [];
  const unique = [...new Set(counters)];
  const read = await readCounters(store, unique);
  const amounts = new Map(unique.map((counter, i) => [counter, read[i] ?? 0n]));
  return wanted.map((figure, i) => ({
    ...figure,
    amount: (amounts.get(counters[2 * i] as string) ?? 0n) + (amounts.get(counters[2 * i + 1] as string) ?? 0n),
  }));
}
