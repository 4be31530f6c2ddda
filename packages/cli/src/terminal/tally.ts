/** Totals over payments: how many, how they stand, what is spent and held. */
import type { Payment } from "@bursar/events/shapes";

export interface Tally {
  readonly payments: number;
  readonly matched: number;
  readonly pending: number;
  readonly breaks: number;
  /** Settled, atomic units. */
  readonly spent: bigint;
  /** Signed and not settled: it may still be spent. */
  readonly held: bigint;
}

export type Counted = Pick<Payment, "state" | "verdict" | "amount">;

export function emptyTally(): Tally {
  return { payments: 0, matched: 0, pending: 0, breaks: 0, spent: 0n, held: 0n };
}

const SPENT: ReadonlySet<string> = new Set(["settled", "safe", "final"]);
const HELD: ReadonlySet<string> = new Set(["signed", "submitted"]);

/** With the payment counted in (1), or taken out again (-1) because it moved. */
export function addTo(tally: Tally, { state, verdict, amount }: Counted, sign: 1 | -1): Tally {
  const units = BigInt(amount ?? 0) * BigInt(sign);
  return {
    payments: tally.payments + sign,
    matched: tally.matched + (verdict === "matched" ? sign : 0),
    pending: tally.pending + (verdict === "pending" ? sign : 0),
    breaks: tally.breaks + (verdict === "break" ? sign : 0),
    spent: tally.spent + (SPENT.has(state) ? units : 0n),
    held: tally.held + (HELD.has(state) ? units : 0n),
  };
}
