/** Budgets as bars, the held part told apart. */
import type { Budget } from "@bursar/events/shapes";
import { bar } from "./bar.ts";
import { duration, percent, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, signsOf } from "./style.ts";
import { cut, padEnd, padStart, safe, widthOf } from "./text.ts";

const BAR_MAX = 16;
const BAR_MIN = 8;
const PERCENT = 5;
const NAME_MIN = 12;
const NAME_MAX = 32;

/** `now` (ISO-8601) tells when a window turns; null where time does not go on, as in a replay. */
export function budgetLines(budgets: readonly Budget[], screen: Screen, now: string | null): string[] {
  const paint = painter(screen);
  const signs = signsOf(screen);
  const rows = budgets.map((budget) => {
    const [limit, held, spent] = [BigInt(budget.limit), BigInt(budget.held), BigInt(budget.spent)];
    const used = held + spent;
    const left = held === 0n ? `${usd(spent)} spent` : `${usd(spent)} spent + ${usd(held)} held`;
    return {
      ...nameOf(budget),
      bar: (width: number) => bar(spent, held, limit, width, signs),
      figure: `${left} of ${usd(limit)}`,
      percent: percent(used, limit),
      color: colorOf(used, limit, budget.crossed.length > 0),
      when: whenOf(budget, now),
    };
  });
  const widest = (field: "name" | "figure" | "when") => Math.max(0, ...rows.map((row) => widthOf(row[field])));
  const figure = widest("figure");
  // On a narrow screen the bars give way first, then the names.
  const room = screen.columns - figure - widest("when") - PERCENT - 8;
  const wanted = Math.min(widest("name"), NAME_MAX);
  const width = Math.min(BAR_MAX, Math.max(BAR_MIN, room - wanted));
  const name = Math.min(wanted, Math.max(NAME_MIN, room - width));
  return rows.map((row) => {
    const shown = widthOf(row.name) <= name ? row.name : fit(row.policy, row.id, name, signs.ellipsis);
    const head = `${padEnd(shown, name)}  ${paint(row.color, row.bar(width))}  ${padEnd(row.figure, figure)}  `;
    return `${head}${paint(row.color, padStart(row.percent, PERCENT))}  ${paint("dim", row.when)}`.trimEnd();
  });
}

/** A budget for each of its kind has one id and many scopes: the scope is what tells them apart. */
function nameOf(budget: Budget): { name: string; policy: string; id: string } {
  const policy = safe(budget.policy);
  const scope = safe(budget.scope.slice(budget.scope.indexOf(":") + 1));
  const id = policy.includes(scope) || scope.length > 24 ? "" : scope;
  return { name: id === "" ? policy : `${policy} ${id}`, policy, id };
}

/** Policy and scope in `width`: what is cut is the policy, which stands in other rows too. */
function fit(policy: string, id: string, width: number, ellipsis: string): string {
  if (id === "") return cut(policy, width, ellipsis);
  const room = width - widthOf(id) - 1;
  return room < 4 ? cut(id, width, ellipsis) : `${cut(policy, room, ellipsis)} ${id}`;
}

function whenOf(budget: Budget, now: string | null): string {
  const { end, start, window, mode, backfilling, raisedUntil } = budget;
  const notes = [
    ...(mode === "observe" ? ["observe"] : []),
    ...(backfilling === true ? ["counting"] : []),
    ...(raisedUntil === undefined || now === null ? [] : ["raised"]),
  ];
  const said = (text: string): string => [...notes, text].join(", ");
  if (end === null || start === null) return said("in total");
  if (now === null || now < start) {
    return said(`${window} from ${safe(start.slice(0, window === "hour" ? 16 : 10).replace("T", " "))}`);
  }
  if (now >= end) return said(`${window} of ${safe(start.slice(0, window === "hour" ? 16 : 10).replace("T", " "))}`);
  const left = duration((Date.parse(end) - Date.parse(now)) / 1000);
  return said(notes.length === 0 ? `resets in ${left}` : `${left} left`);
}

function colorOf(used: bigint, limit: bigint, crossed: boolean): Color | null {
  return used >= limit ? "red" : crossed ? "yellow" : "green";
}
