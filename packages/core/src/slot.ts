/**
 * A slot holds the distinct values that one source asserted for one thing, in a bounded form that no order of arrival
 * shows in: the few least by (earliest time, canonical JSON), the greatest by each of the type's ranks, the last word,
 * and whether there were more. Joining is idempotent, commutative and associative, which the fold's laws rest on:
 * a value's time only sinks, so what once falls out of the least never belongs to them again.
 */
import { canonical } from "./canonical.ts";
import type { Json } from "./ports.ts";

export type Value = { readonly [key: string]: Json | undefined };

/** A value and the earliest time at which it was asserted. */
export interface Stamped {
  readonly at: string;
  readonly value: Value;
}

export interface Slot {
  /** At most LEAST_MAX, ascending by (at, canonical JSON). Never empty; the first is the representative. */
  readonly least: readonly Stamped[];
  /** Greatest values by the ranks that are not among the least. */
  readonly most?: readonly Stamped[];
  /** The greatest assertion by (at, canonical JSON), where it is not one of the least as it stands there. */
  readonly last?: Stamped;
  /** More distinct values were asserted than the least can hold. */
  readonly more?: true;
}

/** A number that says how much a value claims: the greatest claim is kept whatever else is dropped. */
export type Rank = (value: Value) => bigint;

export const LEAST_MAX = 4;

/** The slot with one more assertion; the same object when it changes nothing. */
export function assert(slot: Slot | undefined, at: string, value: Value, ranks: readonly Rank[]): Slot {
  if (slot === undefined) return { least: [{ at, value }] };
  const only = slot.least[0] as Stamped;
  if (slot.least.length === 1 && slot.last === undefined && only.at === at && only.value === value) return slot;
  const text = canonical(value);
  const known = [...slot.least, ...(slot.most ?? [])].find((stamped) => canonical(stamped.value) === text);
  const last = lastOf(slot);
  const later = at > last.at || (at === last.at && text > canonical(last.value));
  if (known !== undefined && known.at <= at && !later) return slot;

  const stamped: Stamped = { at: known !== undefined && known.at < at ? known.at : at, value };
  const rest = slot.least.filter((other) => canonical(other.value) !== text);
  const pool = [...rest, stamped].sort(compareStamped);
  const least = pool.slice(0, LEAST_MAX);
  const candidates = [...pool, ...(slot.most ?? []).filter((other) => canonical(other.value) !== text)];
  const most = greatest(candidates, ranks).filter(
    (other) => !least.some((one) => canonical(one.value) === canonical(other.value)),
  );
  const word: Stamped = later ? { at, value } : last;
  const said = least.some((one) => one.at === word.at && canonical(one.value) === canonical(word.value));
  const more = slot.more === true || pool.length > LEAST_MAX;
  return {
    least,
    ...(most.length > 0 ? { most } : {}),
    ...(said ? {} : { last: word }),
    ...(more ? { more } : {}),
  };
}

/** The last word: the greatest assertion by (at, canonical JSON) of all that was said. */
export function lastOf(slot: Slot): Stamped {
  if (slot.last !== undefined) return slot.last;
  return slot.least[slot.least.length - 1] as Stamped;
}

/** Every distinct value that the slot still holds, ascending by (at, canonical JSON). */
export function valuesOf(slot: Slot): readonly Stamped[] {
  if (slot.most === undefined && slot.last === undefined) return slot.least;
  const all = [...slot.least, ...(slot.most ?? [])];
  const last = slot.last;
  if (last !== undefined && !all.some((one) => canonical(one.value) === canonical(last.value))) all.push(last);
  return all.sort(compareStamped);
}

/** By time, then by canonical JSON: the one order that every "least" and "last" of the project means. */
export function compareStamped(a: Stamped, b: Stamped): number {
  if (a.at !== b.at) return a.at < b.at ? -1 : 1;
  if (a.value === b.value) return 0;
  const [x, y] = [canonical(a.value), canonical(b.value)];
  return x === y ? 0 : x < y ? -1 : 1;
}

/** For each rank its greatest value; between equals the lesser text. Distinct, ascending. */
function greatest(pool: readonly Stamped[], ranks: readonly Rank[]): Stamped[] {
  const kept = new Map<string, Stamped>();
  for (const rank of ranks) {
    let best: { stamped: Stamped; rank: bigint; text: string } | null = null;
    for (const stamped of pool) {
      const own = { stamped, rank: rank(stamped.value), text: canonical(stamped.value) };
      if (best === null || own.rank > best.rank || (own.rank === best.rank && own.text < best.text)) best = own;
    }
    if (best !== null) kept.set(best.text, best.stamped);
  }
  return [...kept.values()].sort(compareStamped);
}
