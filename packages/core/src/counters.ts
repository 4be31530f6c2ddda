/**
 * Counters: where they are kept, how a writer adds and a judge reads. Concurrent transactions on one item cancel each
 * other, so a counter that many payments share lies in several shards: a commit adds to one of them, a reader sums all.
 */
import type { Effects, ScopeKind } from "./effects.ts";
import type { Add, Key, Store } from "./ports.ts";

/** How many writers a counter should bear at once, by what it is about: more shards cost more reads at each judging. */
const SHARDS: { readonly [Kind in ScopeKind]: number } = {
  org: 8,
  label: 4,
  api: 4,
  payee: 4,
  agent: 2,
  wallet: 2,
  session: 1,
};

/** The keys of a counter's shards; the first is the one that it would have without any. */
export function counterKeys(counter: string): readonly Key[] {
  return Array.from({ length: shardsOf(counter) }, (_, shard) => shardKey(counter, shard));
}

/** What one commit adds to the books. `seed` tells commits apart, so that those that meet seldom meet in one shard. */
export function addsOf(moved: ReadonlyMap<string, bigint>, seed: string): Add[] {
  const spread = spreadOf(seed);
  const adds: Add[] = [];
  for (const [counter, amount] of moved) {
    if (amount === 0n) continue;
    adds.push({ ...shardKey(counter, spread % shardsOf(counter)), amount });
  }
  return adds;
}

/** Figures of counters by name, in the order asked. Consistent. */
export async function readCounters(store: Store, counters: readonly string[]): Promise<readonly bigint[]> {
  const keys = counters.map(counterKeys);
  const parts = await store.counters(keys.flat());
  let next = 0;
  return keys.map((shards) => shards.reduce((sum) => sum + (parts[next++] ?? 0n), 0n));
}

/** The counter of what a scope holds, and of what it has spent in one window. `start` is "" for `total`. */
export const heldCounter = (scope: string): string => `held|${scope}`;
export const spentCounter = (scope: string, window: string, start: string | null): string =>
  `spent|${scope}|${window}|${start ?? ""}`;

/** `CTR#<scope>`, `CTR1#<scope>`, ..., then held or the window: shards are partitions of their own. */
function shardKey(counter: string, shard: number): Key {
  const bar = counter.indexOf("|");
  const rest = counter.slice(bar + 1);
  const prefix = shard === 0 ? "CTR" : `CTR${shard}`;
  if (counter.slice(0, bar) === "held") return { pk: `${prefix}#${rest}`, sk: "held" };
  const at = rest.lastIndexOf("|", rest.lastIndexOf("|") - 1);
  return { pk: `${prefix}#${rest.slice(0, at)}`, sk: rest.slice(at + 1) };
}

function shardsOf(counter: string): number {
  const start = counter.indexOf("|") + 1;
  return SHARDS[counter.slice(start, counter.indexOf(":", start)) as ScopeKind] ?? 1;
}

/** A number that nearby seeds do not share (FNV-1a). */
export function spreadOf(seed: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < seed.length; i++) hash = Math.imul(hash ^ seed.charCodeAt(i), 0x01000193);
  return hash >>> 0;
}

/** Adds what one payment has applied to sums of many. */
export function addEffects(sums: Map<string, bigint>, applied: Effects): void {
  for (const counter of Object.keys(applied)) sums.set(counter, (sums.get(counter) ?? 0n) + (applied[counter] ?? 0n));
}
