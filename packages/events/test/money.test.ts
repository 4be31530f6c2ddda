import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { displayUsd, formatUsd, MoneyError, parseUsd, UINT256_END, UNITS_PER_USD } from "../src/money.ts";

const units = fc.bigInt({ min: 0n, max: UINT256_END - 1n });

describe("parseUsd", () => {
  test.each([
    ["0", 0n],
    ["0.000001", 1n],
    ["0.01", 10_000n],
    ["5.00", 5_000_000n],
    ["5", 5_000_000n],
    ["0.1", 100_000n],
    ["9007199254.740993", 9_007_199_254_740_993n],
  ])("%s is exact", (text, expected) => expect(parseUsd(text)).toBe(expected));

  test.each([
    ["", "nothing"],
    ["5,00", "a comma"],
    ["1,000.00", "a comma"],
    ["-1", "a sign"],
    ["+1", "a sign"],
    ["1e6", "an exponent"],
    ["0x10", "hex"],
    ["01", "a leading zero"],
    ["1.", "a point and nothing"],
    [".5", "nothing and a point"],
    ["1.0000001", "a seventh decimal"],
    [" 1", "a space"],
    ["1\n", "a line break"],
    ["$1", "a dollar sign"],
    ["NaN", "a word"],
    ["٣", "a digit of another script"],
    ["9".repeat(72), "more than a uint256 holds"],
    ["9".repeat(100_000), "100,000 digits"],
  ])("refuses %j: %s", (text) => {
    expect(() => parseUsd(text)).toThrow(MoneyError);
  });

  test("the error quotes at most 80 characters and tells the way out", () => {
    expect(() => parseUsd("5,00")).toThrowErrorMatchingInlineSnapshot(
      `[MoneyError: "5,00": write dollars with a point and at most six decimals, like "5.00"]`,
    );
    expect(String(new MoneyError("9".repeat(1000))).length).toBeLessThan(200);
  });

  test("the largest uint256 is taken, one unit more is not", () => {
    expect(parseUsd(formatUsd(UINT256_END - 1n))).toBe(UINT256_END - 1n);
    expect(() => parseUsd(formatUsd(UINT256_END))).toThrow(MoneyError);
  });

  test("is exact and monotone: no two amounts share a text, no cent is lost", () => {
    fc.assert(
      fc.property(units, (amount) => {
        expect(parseUsd(formatUsd(amount))).toBe(amount);
      }),
    );
  });

  test("takes a text only if that text is the amount", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        let amount: bigint;
        try {
          amount = parseUsd(text);
        } catch (error) {
          expect(error).toBeInstanceOf(MoneyError);
          return;
        }
        const [dollars, decimals = ""] = text.split(".");
        expect(formatUsd(amount)).toBe(`${dollars}.${decimals.padEnd(6, "0")}`);
      }),
    );
  });
});

describe("formatUsd", () => {
  test.each([
    [0n, "0.000000"],
    [1n, "0.000001"],
    [10_000n, "0.010000"],
    [-10_000n, "-0.010000"],
    [-1n, "-0.000001"],
    [123_456_789n, "123.456789"],
  ])("%s", (amount, text) => expect(formatUsd(amount)).toBe(text));

  test("keeps order and sign", () => {
    fc.assert(
      fc.property(units, (amount) => {
        expect(formatUsd(-amount)).toBe(amount === 0n ? formatUsd(0n) : `-${formatUsd(amount)}`);
        expect(formatUsd(amount + UNITS_PER_USD).slice(-7)).toBe(formatUsd(amount).slice(-7));
      }),
    );
  });
});

describe("displayUsd", () => {
  test.each([
    [0n, "$0.00"],
    [10_000n, "$0.01"],
    [100_000n, "$0.10"],
    [1n, "$0.000001"],
    [5_000_001n, "$5.000001"],
    [5_000_100n, "$5.0001"],
    [5_000_000n, "$5.00"],
    [100_000_000n, "$100.00"],
    [-5_000_000n, "-$5.00"],
  ])("%s", (amount, text) => expect(displayUsd(amount)).toBe(text));

  test("shows the whole amount: nothing is rounded", () => {
    fc.assert(
      fc.property(units, (amount) => {
        expect(parseUsd(displayUsd(amount).slice(1))).toBe(amount);
      }),
    );
  });
});
