/** The feed as lines, with what one event alone does not tell: whose session an alert is about, what it may still cost. */
import type { MachineEvent } from "../feed.ts";
import { actionLines, type Exposure } from "./feed-action.ts";
import { alertLine, exposureOf } from "./feed-alert.ts";
import { feedLine } from "./feed-line.ts";
import type { Screen } from "./screen.ts";

/** Sessions that are remembered; older ones are told of without their agent. */
const REMEMBERED_MAX = 1_000;

/** Lines of each event in turn; none for what only moves the totals. */
export function createFeedLines(): (event: MachineEvent, screen: Screen) => readonly string[] {
  /** Known before the revocation is done, and told with it. */
  const exposures = new Map<string, Exposure>();
  /** Sessions that were told of as revoked, and whose they are. */
  const revoked = new Map<string, string>();
  /** Since when, of those seen frozen. */
  const frozen = new Map<string, string>();
  /** Several thresholds may be reached at once: the figure is told once. */
  let figure = "";

  return (event, screen) => {
    if (event.kind === "action") {
      const { kind, target, outcome, at, agentIds = [] } = event.data;
      if (kind === "freeze_agent" && outcome === "done") remember(frozen, target, at);
      // What it opened after its freeze goes for that: the figure that froze it was told once.
      const since = agentIds.map((agentId) => frozen.get(agentId) ?? "~");
      const isOnSight = kind === "revoke_session" && since.length > 0 && since.every((from) => from < at);
      const isDone = kind === "revoke_session" && outcome === "done";
      const exposure = isDone ? (exposures.get(target) ?? null) : null;
      if (isDone) {
        exposures.delete(target);
        remember(revoked, target, agentIds.join(", "));
      }
      const action = isOnSight && outcome === "done" ? { ...event.data, reason: "frozen" } : event.data;
      return actionLines(action, event.at, exposure, screen);
    }
    if (event.kind !== "alert") return listOf(feedLine(event, screen));
    const { rule, subject, status, text } = event.data;
    if (rule === "agent_frozen" && status === "resolved") frozen.delete(subject.slice("agent:".length));
    const session = rule === "exposure" ? subject.slice("session:".length) : null;
    if (session !== null && !revoked.has(session)) {
      const exposure = exposureOf(event.data);
      if (exposure === null) exposures.delete(session);
      else remember(exposures, session, exposure);
      return [];
    }
    if (rule === "budget_threshold") {
      if (text === figure) return [];
      figure = text;
    }
    return listOf(alertLine(event.data, event.at, session === null ? null : (revoked.get(session) ?? null), screen));
  };
}

function remember<T>(map: Map<string, T>, key: string, value: T): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > REMEMBERED_MAX && oldest !== undefined) map.delete(oldest);
}

const listOf = (line: string | null): readonly string[] => (line === null ? [] : [line]);
