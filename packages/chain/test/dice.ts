/** Chance that a seed repeats. */

export type Dice = (end: number) => number;

/** Numbers from 0 to below `end`, the same for every run of a seed (mulberry32). */
export function dice(seed: number): Dice {
  let state = seed;
  return (end) => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return Math.floor((((t ^ (t >>> 14)) >>> 0) / 4294967296) * end);
  };
}
