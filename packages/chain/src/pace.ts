/**
 * Where the chain should be by now. The newest block is asked for by name once in a while; in between the block that
 * should be there is asked for by its number, together with its logs: one call and one round trip less.
 */
import type { Block } from "./block.ts";

/** When the newest block was seen, in milliseconds of one clock. */
export interface Sight {
  readonly number: number;
  readonly atMs: number;
}

export interface Pace {
  readonly last: Sight;
  /** From the sight before; null after the first. */
  readonly blocksPerSecond: number | null;
}

/** A pace from less than this says little. */
const APART_MS = 1_000;

/** The pace with one more sight of the newest block. */
export function seen(pace: Pace | null, { number }: Block, atMs: number): Pace {
  const last = { number, atMs };
  if (pace === null || number < pace.last.number) return { last, blocksPerSecond: null };
  const ms = atMs - pace.last.atMs;
  return ms < APART_MS ? pace : { last, blocksPerSecond: ((number - pace.last.number) * 1000) / ms };
}

/** The block that should be there, one less than the pace says; null where that is not known to be above `scanned`. */
export function expected(pace: Pace | null, scanned: number, atMs: number): number | null {
  if (pace === null || pace.blocksPerSecond === null) return null;
  const number = pace.last.number + Math.floor(((atMs - pace.last.atMs) / 1000) * pace.blocksPerSecond) - 1;
  return number > scanned ? number : null;
}
