/** Spending without a plan: one agent that buys on and on, and opens a new session when it was stopped. */
import { setTimeout as sleep } from "node:timers/promises";
import type { SessionKeeper } from "./agentcore/session-keeper.ts";
import type { DemoAgentId, SpenderId } from "./agents.ts";
import type { Bought, Buy } from "./buyer.ts";
import { BRIEF, DEEP, QUARTER, QUARTERS } from "./catalogue.ts";
import type { Product } from "./paid-api.ts";
import { type Traffic, trafficOf } from "./traffic.ts";

export interface Spender {
  readonly startAfterMs: number;
  /** From one purchase to the next, and from a new session to its first purchase. */
  readonly everyMs: number;
  /** From a purchase that was refused to the next; default `everyMs`. */
  readonly refusedMs?: number | undefined;
  /** What it buys, after so many stops in a row. */
  readonly product: (stops: number) => Product;
}

/**
 * The gambler: ten reports of $0.50 in 23 s, and its hour's budget of $5.00 is spent. The hydra: four in 17 s, and its
 * budget of $2.00 freezes it; from then on it sees with the cheapest report whether a new session pays.
 */
export const SPENDERS: Readonly<Record<SpenderId, Spender>> = {
  gambler: { startAfterMs: 1_000, everyMs: 2_400, product: () => DEEP },
  hydra: { startAfterMs: 2_000, everyMs: 5_000, product: (stops) => (stops === 0 ? DEEP : BRIEF) },
};

/** The courier: $0.05 every 4 s, and it is told apart from the others by its purse: see `wallets.ts`. */
export const COURIER: Spender = { startAfterMs: 3_000, everyMs: 4_000, refusedMs: 12_000, product: () => QUARTER };

/** A purchase of a spender, as its buyer saw it. */
export interface Splurge extends Bought {
  readonly agent: DemoAgentId;
  readonly product: Product;
}

export interface SpreeOptions {
  readonly agent: DemoAgentId;
  readonly spender: Spender;
  readonly buy: Buy;
  readonly keeper: SessionKeeper;
  readonly reportsUrl: string;
  /** How much faster than told all of it goes. */
  readonly pace: number;
  readonly onSplurge?: ((splurge: Splurge) => void) | undefined;
}

/** Goes on until it is stopped. What one purchase throws is no reason to end. */
export function startSpree({ agent, spender, buy, keeper, reportsUrl, pace, onSplurge }: SpreeOptions): Traffic {
  const { startAfterMs, everyMs, refusedMs = everyMs, product } = spender;
  const ending = new AbortController();
  const cutting = new AbortController();
  const pause = (ms: number) =>
    sleep(Math.max(1, ms), undefined, { signal: ending.signal, ref: false }).catch(() => {});

  /** False where it was answered, and not with what it wanted. */
  async function once(n: number): Promise<boolean> {
    const wanted = product(keeper.stops());
    const url = `${reportsUrl}${wanted.path}?quarter=${QUARTERS[n % QUARTERS.length]}`;
    const bought = await buy(url, cutting.signal).catch(() => null);
    if (bought !== null) onSplurge?.({ ...bought, agent, product: wanted });
    return bought === null || bought.status === 200;
  }

  async function run(): Promise<void> {
    await pause(startAfterMs / pace);
    for (let n = 0; !ending.signal.aborted; n++) {
      const begunAt = performance.now();
      const sold = await once(n);
      const wait = keeper.waitMs();
      if (wait > 0 && !ending.signal.aborted) {
        await pause(wait);
        if (!ending.signal.aborted) await keeper.session().catch(() => {});
        await pause(everyMs / pace);
      } else {
        await pause((sold ? everyMs : refusedMs) / pace - (performance.now() - begunAt));
      }
    }
  }

  return trafficOf(run(), ending, cutting);
}
