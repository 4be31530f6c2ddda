/** What became of the sessions that a human ordered deleted: a line each, then what is left to know. */
import type { Action, Session } from "@bursar/events/shapes";
import { latencyText } from "./action-table.ts";
import { timeText, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter } from "./style.ts";
import { padEnd, safe } from "./text.ts";

export interface OrderedFacts {
  /** As they stand now. */
  readonly ordered: readonly Action[];
  /** Done, or ordered by somebody else, before. */
  readonly known: readonly Action[];
  readonly sessions: readonly Session[];
}

export function orderedLines({ ordered, known, sessions }: OrderedFacts, now: string, screen: Screen): string[] {
  const paint = painter(screen);
  const line = (word: string, color: Color | null, { target, agentIds = [] }: Action, rest: string): string =>
    `${paint(color, padEnd(word, 9))} ${safe(target)}  ${safe(agentIds.join(", "))}  ${rest}`.trimEnd();
  const lines = ordered.map((action) => {
    const { outcome, latencyMs = null, detail = null } = action;
    if (outcome === "done") {
      const took = latencyMs === null ? "" : `in ${latencyText(latencyMs)}`;
      return line("revoked", "green", action, detail === null ? took : `${took} (${safe(detail)})`);
    }
    if (outcome === "failed") return line("failed", "red", action, safe(detail ?? "without a reason"));
    return line("not yet", "yellow", action, "AgentCore has not answered");
  });
  const before = known
    .filter(({ key }) => !ordered.some((action) => action.key === key))
    .map((action) =>
      action.outcome === "done"
        ? line("was gone", null, action, `revoked at ${timeText(action.doneAt ?? action.at, now)}`)
        : line(action.outcome, null, action, safe(action.detail ?? "")),
    );
  const some = [...lines, ...before];
  if (ordered.some(({ outcome }) => outcome !== "done"))
    some.push("", "Bursar tries again by itself. See: bursar actions");
  return [...some, ...exposureLines(sessions, now)];
}

/** What revoking cannot recall. */
function exposureLines(sessions: readonly Session[], now: string): string[] {
  const exposed = sessions.filter(({ exposure }) => BigInt(exposure ?? 0) > 0n);
  if (exposed.length === 0) return [];
  const units = exposed.reduce((sum, { exposure }) => sum + BigInt(exposure ?? 0), 0n);
  const ends = exposed.flatMap(({ exposedUntil }) => exposedUntil ?? []).sort();
  const until = ends.at(-1);
  return [
    "",
    `${usd(units)} was signed before and may still settle${until === undefined ? "" : ` until ${timeText(until, now)}`}. See: bursar sessions --status revoked`,
  ];
}
