/** What Bursar did as a table: when, what, to whom, how it ended and how fast, why; what failed is explained below. */
import type { Action } from "@bursar/events/shapes";
import { timeText } from "./figures.ts";
import { shortReason } from "./reason-text.ts";
import type { Screen } from "./screen.ts";
import { type Color, signsOf } from "./style.ts";
import { type Column, table } from "./table.ts";
import { safe, wrap } from "./text.ts";

/** Where there is room ids stay whole, and what gives way is why. */
const columnsFor = ({ columns }: Screen): readonly Column[] => [
  { title: "WHEN (UTC)" },
  { title: "WHAT" },
  { title: "TARGET", min: columns >= 96 ? 31 : 20 },
  { title: "AGENT", min: 6 },
  { title: "OUTCOME" },
  { title: "WHY", min: columns >= 96 ? 16 : 8 },
];

const WHAT: { readonly [kind in Action["kind"]]: string } = {
  revoke_session: "revoke",
  freeze_agent: "freeze",
  publish_alert: "alert",
};

export function actionTable(actions: readonly Action[], now: string, screen: Screen): string[] {
  const signs = signsOf(screen);
  const rows = actions.map((action) => [
    timeText(action.at, now),
    WHAT[action.kind] ?? action.kind.replaceAll("_", " "),
    action.target,
    (action.agentIds ?? []).join(", ") || signs.silent,
    outcomeText(action),
    shortReason(action.reason),
  ]);
  return table(columnsFor(screen), rows, screen);
}

/** "done in 14 ms", "failed", "held back", "due". */
export function outcomeText({ kind, outcome, latencyMs = null }: Action): { text: string; color: Color | null } {
  if (outcome === "failed") return { text: "failed", color: "red" };
  if (outcome === "skipped") return { text: "held back", color: "yellow" };
  if (outcome !== "done") return { text: outcome, color: null };
  const took = latencyMs === null || kind === "freeze_agent" ? "" : ` in ${latencyText(latencyMs)}`;
  return { text: `done${took}`, color: "green" };
}

/** Milliseconds to ten seconds, then seconds: what was done late was tried again. */
export function latencyText(ms: number): string {
  return ms < 10_000 ? `${ms} ms` : `${Math.round(ms / 1000)} s`;
}

/** What was said of those that failed or were held back, each sentence once, with whom it is about. */
export function actionNotes(actions: readonly Action[], screen: Screen): string[] {
  const about = new Map<string, Action[]>();
  for (const action of actions) {
    const { outcome, detail = null } = action;
    if ((outcome !== "failed" && outcome !== "skipped") || detail === null) continue;
    about.set(detail, [...(about.get(detail) ?? []), action]);
  }
  return [...about].flatMap(([detail, those]) => {
    const [first] = those as [Action];
    const more = those.length > 1 ? ` and ${those.length - 1} more` : "";
    return wrap(`${safe(first.target)}${more}: ${safe(detail)}`, Math.min(screen.columns, 100));
  });
}
