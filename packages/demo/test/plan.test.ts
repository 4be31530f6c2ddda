import { describe, expect, test } from "vitest";
import { LOST_QUARTER } from "../src/catalogue.ts";
import { purchaseAt, TROUBLES } from "../src/plan.ts";

const plan = (length: number, troubles: Parameters<typeof purchaseAt>[1]) =>
  Array.from({ length }, (_, n) => purchaseAt(n, troubles));

describe("purchaseAt", () => {
  test("makes every Nth purchase a trouble, of the kinds in turn", () => {
    const made = plan(12, { every: 3 });
    expect(made.map(({ trouble }) => trouble).filter((trouble) => trouble !== null)).toEqual([
      ...TROUBLES,
      TROUBLES[0],
    ]);
    expect(made.filter(({ trouble }) => trouble !== null).map(({ n }) => n)).toEqual([2, 5, 8, 11]);
  });

  test("makes only the kinds asked for", () => {
    const kinds = new Set(plan(20, { every: 2, kinds: ["silent_api"] }).map(({ trouble }) => trouble));
    expect(kinds).toEqual(new Set([null, "silent_api"]));
  });

  test("without troubles nothing goes wrong", () => {
    const made = plan(2000, null);
    expect(made.every(({ trouble, path }) => trouble === null && !path.includes(LOST_QUARTER))).toBe(true);
  });

  test("lets every agent buy, and everything be bought", () => {
    const made = plan(2000, null);
    expect(new Set(made.map(({ agent }) => agent))).toEqual(new Set(["research", "trader", "writer", "intern"]));
    expect(new Set(made.map(({ product }) => product.path))).toEqual(
      new Set(["/reports/brief", "/reports/quarter", "/reports/deep", "/quotes/latest"]),
    );
  });

  test("is the same for the same number", () => {
    expect(plan(50, { every: 7 })).toEqual(plan(50, { every: 7 }));
  });
});
