/** Figures of a day's balance in words. */
import type { Figure } from "@bursar/core/day-tally";
import { plural, usd } from "./figures.ts";

/** "2 payments, $0.02". */
export function figureText({ count, amount }: Figure): string {
  return `${plural(count, "payment")}, ${usd(amount)}`;
}

/** "+$0.01", "-$0.01". */
export function signedUsd(units: string | bigint): string {
  const amount = BigInt(units);
  return amount < 0n ? `-${usd(-amount)}` : `+${usd(amount)}`;
}
