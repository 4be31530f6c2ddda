/** Amounts are exact or refused. */
import { formatUsd, UINT256_END } from "@bursar/events/money";
import fc from "fast-check";
import { expect, test } from "vitest";
import { readAmount } from "../src/amount.ts";
import { GarbageError } from "../src/garbage.ts";

const usd = (value: unknown) => readAmount({ value, currency: "USD" } as never, "limit");

test.each([
  ["100.00", 100_000_000n],
  ["0", 0n],
  ["0.000001", 1n],
  ["5", 5_000_000n],
  ["1.50000000", 1_500_000n],
  ["0.0000010000000000", 1n],
  // Beyond what a float holds exactly.
  ["9007199254740993.000001", 9_007_199_254_740_993_000_001n],
])("%s", (value, units) => {
  expect(usd(value)).toBe(units);
});

test.each(["", "-1.00", "+1", "1e3", "1,000.00", ".5", "5.", "0.0000001", "1.00000001", " 1", "NaN", "1".repeat(101)])(
  "refused, never rounded: %j",
  (value) => {
    expect(() => usd(value)).toThrow(GarbageError);
  },
);

test.each([[100], [null], [undefined], [{}]])("no text: %j", (value) => {
  expect(() => usd(value)).toThrow(GarbageError);
});

test.each([["EUR"], ["usd"], [undefined], [1]])("no dollars: %j", (currency) => {
  expect(() => readAmount({ value: "1.00", currency } as never, "limit")).toThrow(/limit is in/);
});

test("every amount of USDC comes back exactly, with any idle zeros", () => {
  fc.assert(
    fc.property(fc.bigInt(0n, UINT256_END - 1n), fc.nat(10), (units, zeros) => {
      expect(usd(formatUsd(units) + "0".repeat(zeros))).toBe(units);
    }),
  );
});
