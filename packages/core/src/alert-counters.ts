/**
 * The alerts' counters: where they are kept, and how they are read. Apart from the books, whose law is another. A storm
 * writes one alert from many sides at once, so each lies in shards: a commit adds to one of them, a reader sums all.
 */
import { type AlertCounter, alertCounter } from "./alert-marks.ts";
import { spreadOf } from "./counters.ts";
import type { Add, Key, Store } from "./ports.ts";

const SHARDS = 4;

/** What one commit adds. `seed` tells commits apart, so that those that meet seldom meet in one shard. */
export function alertAdds(moved: ReadonlyMap<string, bigint>, seed: string): Add[] {
  const shard = spreadOf(seed) % SHARDS;
  return [...moved].flatMap(([counter, amount]) => (amount === 0n ? [] : [{ ...shardKey(counter, shard), amount }]));
}

/** How often an alert's cause has come about, how many of them stand, and what they are about. */
export interface Tally {
  /** Payments that ever stood in it, or events that ever belonged to it. */
  readonly seen: bigint;
  readonly standing: bigint;
  /** Atomic units. */
  readonly sum: bigint;
}

/**
 * Tallies by alert, in the order asked. What is over is read before what was seen: a payment that comes between the two
 * can only make an alert look alive, and whoever commits it judges the alert again.
 */
export async function readTallies(store: Store, ids: readonly string[]): Promise<readonly Tally[]> {
  if (ids.length === 0) return [];
  const over = await sums(store, ids, ["over"]);
  const rest = await sums(store, ids, ["seen", "sum"]);
  return ids.map((_, i) => {
    const [seen = 0n, sum = 0n] = rest[i] ?? [];
    return { seen, standing: seen - (over[i]?.[0] ?? 0n), sum };
  });
}

async function sums(store: Store, ids: readonly string[], which: readonly AlertCounter[]): Promise<bigint[][]> {
  const keys = ids.flatMap((id) => which.flatMap((one) => keysOf(alertCounter(id, one))));
  const parts = await store.counters(keys);
  let next = 0;
  const shards = Array.from({ length: SHARDS });
  return ids.map(() => which.map(() => shards.reduce<bigint>((sum) => sum + (parts[next++] ?? 0n), 0n)));
}

const keysOf = (counter: string): Key[] => Array.from({ length: SHARDS }, (_, shard) => shardKey(counter, shard));

/** `ALC#<alert>`, `ALC1#<alert>`, ...; sk is `seen`, `over` or `sum`. */
function shardKey(counter: string, shard: number): Key {
  const [, which = "", ...id] = counter.split("|");
  return { pk: `${shard === 0 ? "ALC" : `ALC${shard}`}#${id.join("|")}`, sk: which };
}
