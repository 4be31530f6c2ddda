/**
 * How fast a wallet is spent: what left it on the chain in the last hour, kept in twelve buckets of five minutes, so
 * that it fits in the wallet's item and survives a restart.
 */

/** Seconds of a bucket, and buckets that count: the one that is now and those of the 55 minutes before. */
const BUCKET_S = 300;
const BUCKETS = 12;
/** The shortest time that a burn is of: one payment in the first second is no rate. */
const OBSERVED_S_MIN = 600;
/** Ten years: what lasts longer lasts. */
export const RUNWAY_S_MAX = 315_360_000;

export interface Burn {
  /** Since when it is looked at, ISO-8601. */
  readonly since: string;
  /** What left in each bucket that is not empty: its number since 1970, and atomic units, decimal; ascending. */
  readonly buckets: readonly (readonly [bucket: number, amount: string])[];
}

export const noBurn = (since: string): Burn => ({ since, buckets: [] });

/**
 * With what left at `at`, the block's time; what is older than the window is no part of it. An amount below zero takes
 * back what left then.
 */
export function burnt(burn: Burn, amount: bigint, at: string, now: string): Burn {
  const first = firstBucket(now);
  const own = bucketOf(at);
  if (own < first || amount === 0n) return burn;
  const amounts = new Map(burn.buckets.filter(([bucket]) => bucket >= first));
  const sum = BigInt(amounts.get(own) ?? 0) + amount;
  if (sum > 0n) amounts.set(own, sum.toString());
  else amounts.delete(own);
  return { since: burn.since, buckets: [...amounts].sort(([a], [b]) => a - b) };
}

/** What left, and in how many seconds: the window's, or fewer where it is watched for less, but ten minutes at least. */
export function burnOf({ since, buckets }: Burn, now: string): { readonly outflow: bigint; readonly seconds: number } {
  const first = firstBucket(now);
  const own = buckets.filter(([bucket]) => bucket >= first);
  const outflow = own.reduce((sum, [, amount]) => sum + BigInt(amount), 0n);
  // What a backfill brought is older than the watching.
  const earliest = Math.min(secondsOf(since), (own[0]?.[0] ?? Number.POSITIVE_INFINITY) * BUCKET_S);
  const from = Math.max(first * BUCKET_S, earliest);
  return { outflow, seconds: Math.max(OBSERVED_S_MIN, secondsOf(now) - from) };
}

/** Whole seconds that `balance` lasts at this burn, at most RUNWAY_S_MAX; null where nothing was spent. */
export function runwayOf(balance: bigint, burn: Burn, now: string): number | null {
  const { outflow, seconds } = burnOf(burn, now);
  if (outflow === 0n) return null;
  const runway = (balance * BigInt(seconds)) / outflow;
  return runway > BigInt(RUNWAY_S_MAX) ? RUNWAY_S_MAX : Number(runway);
}

const secondsOf = (at: string): number => Math.floor(Date.parse(at) / 1000);
const bucketOf = (at: string): number => Math.floor(secondsOf(at) / BUCKET_S);
const firstBucket = (now: string): number => bucketOf(now) - BUCKETS + 1;
