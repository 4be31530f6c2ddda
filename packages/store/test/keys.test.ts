/** The laws that both adapters stand on: one order of texts, and counters that lose nothing in limbs. */
import fc from "fast-check";
import { expect, test } from "vitest";
import { compareText } from "../src/keys.ts";
import { joinAmount, LIMBS_MAX, splitAmount } from "../src/limbs.ts";

test("texts are ordered by their UTF-8 bytes", () => {
  const unit = fc.constantFrom(
    "",
    "a",
    "#",
    "\u0000",
    "é",
    "\ud7ff",
    "\ue000",
    "\uffff",
    "\u{10000}",
    "\u{1f4b8}",
    "\u{10ffff}",
  );
  const text = fc.oneof(
    fc.string({ unit: "grapheme" }),
    fc.array(unit).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(text, text, (a, b) => {
      expect(Math.sign(compareText(a, b))).toBe(Buffer.compare(Buffer.from(a), Buffer.from(b)));
    }),
  );
});

test("limbs of any amounts, added one by one, give their sum; none is above 38 digits", () => {
  const large = 10n ** 270n - 1n;
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.bigInt(-large, large), fc.bigInt(-10n, 10n)), { maxLength: 50 }), (amounts) => {
      const limbs = new Map<string, bigint>();
      for (const { name, value } of amounts.flatMap(splitAmount))
        limbs.set(name, (limbs.get(name) ?? 0n) + BigInt(value));
      expect([...limbs.values()].every((limb) => limb.toString().replace("-", "").length <= 38)).toBe(true);
      expect(limbs.size).toBeLessThanOrEqual(LIMBS_MAX);
      expect(joinAmount((name) => limbs.get(name)?.toString())).toBe(amounts.reduce((sum, amount) => sum + amount, 0n));
    }),
  );
});

test.each([
  ["1E+30", 10n ** 30n],
  ["-12.5e+2", -1250n],
  ["0", 0n],
])("a limb that DynamoDB writes as %s", (text, amount) => {
  expect(joinAmount((name) => (name === "n0" ? text : undefined))).toBe(amount);
});
