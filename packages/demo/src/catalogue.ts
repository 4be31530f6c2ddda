/** What the demo's paid APIs sell, and how they make it. */
import type { Product } from "./paid-api.ts";

/** The quarters that the archive's index lists. */
export const QUARTERS = ["2025-q4", "2026-q1", "2026-q2", "2026-q3"] as const;

/** A quarter that the index lists too, and whose data the archive has lost. Nobody knows before the report is made. */
export const LOST_QUARTER = "2019-q2";

export const SYMBOLS = ["eth", "arb", "btc", "eur"] as const;

export const BRIEF = report("brief", "0.01", "A quarter in one paragraph");
export const QUARTER = report("quarter", "0.05", "A quarter in figures");
/** Made to order and therefore paid before it is made: x402's `upfront` flow. Whoever orders it bears the risk. */
export const DEEP: Product = { ...report("deep", "0.50", "A quarter in depth"), flow: "upfront" };
export const REPORTS: readonly Product[] = [BRIEF, QUARTER, DEEP];

export const QUOTE: Product = {
  path: "/quotes/latest",
  priceUsd: "0.002",
  title: "The latest price",
  make(query) {
    const symbol = query.get("symbol") ?? "";
    return { symbol, price: (1000 + hash(symbol)) / 100, at: new Date().toISOString() };
  },
};

function report(kind: string, priceUsd: string, title: string): Product {
  return {
    path: `/reports/${kind}`,
    priceUsd,
    title,
    make(query) {
      const quarter = query.get("quarter") ?? "";
      if (quarter === LOST_QUARTER) throw new Error(`the archive has lost the data of ${quarter}`);
      return { kind, quarter, revenue: hash(`${kind}/${quarter}`) };
    },
  };
}

/** A figure that looks made up, and is: the same for the same text. */
function hash(text: string): number {
  let sum = 7;
  for (const letter of text) sum = (sum * 31 + letter.charCodeAt(0)) % 999_983;
  return sum;
}
