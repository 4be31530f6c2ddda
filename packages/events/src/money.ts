/** Money: bigint atomic units in code, decimal strings on every wire, dollars only at the edge of the screen. */

/** Atomic units of USDC in one dollar: it has six decimals. */
export const UNITS_PER_USD = 1_000_000n;

/** The first value that no uint256 holds. */
export const UINT256_END = 2n ** 256n;

const USD = /^(0|[1-9]\d{0,71})(?:\.(\d{1,6}))?$/;

/**
 * Dollars as people write them ("5.00") in atomic units (5000000n). Exact.
 * @throws {MoneyError} on a sign, a comma, an exponent, more than six decimals or more than a uint256 holds: nothing is rounded.
 */
export function parseUsd(text: string): bigint {
  const [, dollars, decimals = ""] = USD.exec(text) ?? [];
  if (dollars === undefined) throw new MoneyError(text);
  const units = BigInt(dollars) * UNITS_PER_USD + BigInt(decimals.padEnd(6, "0"));
  if (units >= UINT256_END) throw new MoneyError(text);
  return units;
}

/** Atomic units as dollars with all six decimals: 10000n is "0.010000". Exact; negative figures keep their sign. */
export function formatUsd(units: bigint): string {
  const absolute = units < 0n ? -units : units;
  const decimals = (absolute % UNITS_PER_USD).toString().padStart(6, "0");
  return `${units < 0n ? "-" : ""}${absolute / UNITS_PER_USD}.${decimals}`;
}

/** As `formatUsd` for tables and messages: at least two decimals, no further zeros. 10000n is "$0.01", 5000001n "$5.000001". */
export function displayUsd(units: bigint): string {
  const text = formatUsd(units < 0n ? -units : units);
  const cut = text.replace(/0{1,4}$/, "");
  return `${units < 0n ? "-" : ""}$${cut}`;
}

/** A text that is no amount of dollars. */
export class MoneyError extends Error {
  override readonly name = "MoneyError";
  readonly text: string;

  constructor(text: string) {
    super(`"${text.slice(0, 80)}": write dollars with a point and at most six decimals, like "5.00"`);
    this.text = text;
  }
}
