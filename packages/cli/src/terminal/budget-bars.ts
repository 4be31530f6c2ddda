/** The few budgets that stay in sight while the machine runs: those that stop somebody, the fullest first. */
import type { Budget } from "@bursar/events/shapes";
import { budgetLines } from "./budget-lines.ts";
import type { Screen } from "./screen.ts";
import { signsOf } from "./style.ts";
import { fitLine } from "./text.ts";

/** A line each, as many as leave the feed its room; none on a low terminal. */
export function budgetBars(budgets: readonly Budget[], screen: Screen, now: string): string[] {
  const shown = [...budgets].sort(order).slice(0, barsMax(screen.rows));
  const { ellipsis } = signsOf(screen);
  const columns = screen.columns - 1; // the cursor needs a place
  return budgetLines(shown, { ...screen, columns }, now).map((line) => fitLine(line, columns, ellipsis));
}

export function barsMax(rows: number): number {
  return rows >= 36 ? 6 : rows >= 24 ? 4 : rows >= 16 ? 2 : 0;
}

/** What only observes stands behind; then by how full; then by name, so that equals do not change places. */
function order(a: Budget, b: Budget): number {
  if (a.mode !== b.mode) return a.mode === "enforce" ? -1 : 1;
  const [left, right] = [share(a), share(b)];
  if (left !== right) return left > right ? -1 : 1;
  return `${a.policy} ${a.scope}` < `${b.policy} ${b.scope}` ? -1 : 1;
}

/** In millionths; of a limit of nothing everything is too much. */
function share({ held, spent, limit }: Budget): bigint {
  const used = BigInt(held) + BigInt(spent);
  const whole = BigInt(limit);
  return whole === 0n ? (used > 0n ? 2n ** 255n : 0n) : (used * 1_000_000n) / whole;
}
