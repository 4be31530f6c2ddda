/**
 * Exact counters of any size in DynamoDB, whose numbers hold 38 digits: an amount is split into signed limbs of 27
 * digits, each its own attribute that ADD adds to. Eleven digits of headroom are room for 10^11 adds of the largest
 * limb before one overflows, and no limb ever has to carry into the next.
 */
import { ADD_DIGITS_MAX } from "./keys.ts";

const LIMB_DIGITS = 27;
const BASE = 10n ** BigInt(LIMB_DIGITS);
export const LIMBS_MAX = ADD_DIGITS_MAX / LIMB_DIGITS;

/** The limbs of an amount that are not zero, by attribute name: `n0` for the lowest 27 digits, `n1`, ... */
export function splitAmount(amount: bigint): { readonly name: string; readonly value: string }[] {
  const limbs: { name: string; value: string }[] = [];
  let rest = amount;
  for (let i = 0; rest !== 0n; i += 1) {
    const limb = rest % BASE; // keeps the amount's sign
    if (limb !== 0n) limbs.push({ name: `n${i}`, value: limb.toString() });
    rest /= BASE;
  }
  return limbs;
}

/** The sum of a counter's limbs; `limb` gives an attribute's number as DynamoDB writes it. */
export function joinAmount(limb: (name: string) => string | undefined): bigint {
  let amount = 0n;
  for (let i = LIMBS_MAX - 1; i >= 0; i -= 1) {
    const text = limb(`n${i}`);
    amount = amount * BASE + (text === undefined ? 0n : integerOf(text));
  }
  return amount;
}

/** DynamoDB may write a number with an exponent ("1E+30"). Exact. */
function integerOf(text: string): bigint {
  const match = /^(-?)(\d+)(?:\.(\d*))?(?:[eE]\+?(\d+))?$/.exec(text);
  if (match === null) throw new TypeError(`${text} is no whole number`);
  const [, sign, whole = "", fraction = "", exponent = "0"] = match;
  const digits = BigInt(`${whole}${fraction}`) * 10n ** BigInt(Math.max(Number(exponent) - fraction.length, 0));
  return sign === "-" ? -digits : digits;
}
