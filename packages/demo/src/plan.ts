/** Who buys what, and when something goes wrong: a plan, the same for the same number, whatever the clock does. */
import { BRIEF, DEEP, LOST_QUARTER, QUARTER, QUARTERS, QUOTE, SYMBOLS } from "./catalogue.ts";
import type { Product } from "./paid-api.ts";

export type AgentId = "research" | "trader" | "writer" | "intern";
export type ApiId = "reports" | "quotes";

/**
 * What goes wrong, for real:
 * - `failed_delivery`: the report is paid upfront, and making it fails with HTTP 500
 * - `silent_agent`: the intern pays from a worker that was started without the SDK
 * - `silent_api`: the quote is sold by a replica that was deployed without the SDK
 */
export type Trouble = "failed_delivery" | "silent_agent" | "silent_api";

export interface Purchase {
  /** From 0. */
  readonly n: number;
  readonly agent: AgentId;
  readonly api: ApiId;
  readonly product: Product;
  /** Path with query. */
  readonly path: string;
  readonly trouble: Trouble | null;
}

/** Every `every`th purchase is a trouble, of the kinds in turn; null for none. */
export type Troubles = { readonly every: number; readonly kinds?: readonly Trouble[] } | null;

/** In this order, because the first of them shows at once and the others after a deadline. */
export const TROUBLES: readonly Trouble[] = ["failed_delivery", "silent_agent", "silent_api"];

/** The `n`th purchase of the fleet. */
export function purchaseAt(n: number, troubles: Troubles): Purchase {
  const trouble = troubleAt(n, troubles);
  if (trouble === "failed_delivery") return purchase(n, "research", DEEP, LOST_QUARTER, trouble);
  if (trouble === "silent_agent") return purchase(n, "intern", BRIEF, pick(QUARTERS, n), trouble);
  if (trouble === "silent_api") return purchase(n, "trader", QUOTE, pick(SYMBOLS, n), trouble);
  const agent = weighed(AGENT_WEIGHTS, dice(n, 1));
  const product = weighed(HABITS[agent], dice(n, 2));
  return purchase(n, agent, product, pick(product === QUOTE ? SYMBOLS : QUARTERS, n), null);
}

function purchase(n: number, agent: AgentId, product: Product, about: string, trouble: Trouble | null): Purchase {
  const quote = product === QUOTE;
  const path = `${product.path}?${quote ? "symbol" : "quarter"}=${about}`;
  return { n, agent, api: quote ? "quotes" : "reports", product, path, trouble };
}

function troubleAt(n: number, troubles: Troubles): Trouble | null {
  if (troubles === null || (n + 1) % troubles.every !== 0) return null;
  const kinds = troubles.kinds ?? TROUBLES;
  return kinds[((n + 1) / troubles.every - 1) % kinds.length] ?? null;
}

type Weights<T> = readonly (readonly [value: T, weight: number])[];

const AGENT_WEIGHTS: Weights<AgentId> = [
  ["research", 4],
  ["trader", 4],
  ["writer", 2],
  ["intern", 1],
];

const HABITS: Readonly<Record<AgentId, Weights<Product>>> = {
  research: [
    [BRIEF, 12],
    [QUARTER, 5],
    [DEEP, 1],
  ],
  trader: [
    [QUOTE, 8],
    [BRIEF, 1],
  ],
  writer: [
    [BRIEF, 4],
    [QUARTER, 1],
    [QUOTE, 1],
  ],
  intern: [
    [BRIEF, 2],
    [QUOTE, 1],
  ],
};

function weighed<T>(weights: Weights<T>, share: number): T {
  let rest = share * weights.reduce((sum, [, weight]) => sum + weight, 0);
  for (const [value, weight] of weights) {
    rest -= weight;
    if (rest < 0) return value;
  }
  return (weights.at(-1) as readonly [T, number])[0];
}

function pick<T>(list: readonly T[], n: number): T {
  return list[Math.floor(dice(n, 3) * list.length)] as T;
}

/** A number in [0, 1) that looks random and is not (Mulberry32). */
function dice(n: number, salt: number): number {
  let t = Math.imul(n + 1, 0x6d2b79f5) ^ Math.imul(salt, 0x9e3779b1);
  t = Math.imul(t ^ (t >>> 15), t | 1);
  t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
  return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
}
