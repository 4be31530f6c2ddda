/** How far a node is trusted with the next request. Times are milliseconds of the client's clock. */

export interface Health {
  /** Complaints, as they stood at `at`; they fade by half every half minute. */
  readonly penalty: number;
  readonly at: number;
  /** It asked for a pause until then, or was given one. */
  readonly restUntil: number;
  /** Refusals for asking too often, since it last answered. */
  readonly refusals: number;
}

export const HEALTHY: Health = { penalty: 0, at: 0, restUntil: 0, refusals: 0 };

const HALF_LIFE_MS = 30_000;
const PENALTY_MAX = 8;
/** What is left of an old complaint below this is forgotten: the order of the config counts again. */
const FORGOTTEN = 0.25;
/** Pauses that a node is given which does not say how long it wants: 1 s, 2 s, 4 s and so on. */
const REST_MS = 1_000;
const REST_MS_MAX = 60_000;
/** The longest pause that a node is believed to want. */
const RETRY_AFTER_MS_MAX = 600_000;

/** What stands against a node now; 0 is nothing. */
export function penaltyAt({ penalty, at }: Health, now: number): number {
  const left = penalty * 0.5 ** ((now - at) / HALF_LIFE_MS);
  return left < FORGOTTEN ? 0 : left;
}

/** 1: nothing stands against it, 0: as bad as can be. For people. */
export function scoreAt(health: Health, now: number): number {
  return Math.round((1 - penaltyAt(health, now) / PENALTY_MAX) * 100) / 100;
}

export const isResting = ({ restUntil }: Health, now: number): boolean => restUntil > now;

/** It did not answer, answered nonsense, lags, or shows another history than the others. */
export function complained(health: Health, now: number): Health {
  return { ...health, penalty: Math.min(PENALTY_MAX, penaltyAt(health, now) + 1), at: now };
}

/** It refused for being asked too often. */
export function refused(health: Health, now: number, retryAfterMs: number | undefined): Health {
  const own = Math.min(REST_MS_MAX, REST_MS * 2 ** Math.min(health.refusals, 10));
  const rest = retryAfterMs === undefined ? own : Math.min(RETRY_AFTER_MS_MAX, retryAfterMs);
  return { ...health, restUntil: now + rest, refusals: health.refusals + 1 };
}

export function answered(health: Health): Health {
  return health.refusals === 0 && health.restUntil === 0 ? health : { ...health, refusals: 0, restUntil: 0 };
}
