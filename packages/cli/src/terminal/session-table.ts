/** Sessions as a table: whose, how it stands, what it may still sign, what may still settle; drifts below. */
import type { Session } from "@bursar/events/shapes";
import { duration, timeText, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, type Signs, signsOf } from "./style.ts";
import { type Cell, type Column, table } from "./table.ts";
import { cut, safe } from "./text.ts";

const COLUMNS: readonly Column[] = [
  { title: "SESSION", min: 12 },
  { title: "AGENT", min: 6 },
  { title: "STATUS" },
  { title: "LIMIT", align: "right" },
  { title: "LEFT", align: "right" },
  { title: "UNSETTLED" },
  { title: "EXPIRES" },
];

export function sessionTable(sessions: readonly Session[], now: string, screen: Screen): string[] {
  const signs = signsOf(screen);
  return table(
    COLUMNS,
    sessions.map((session) => rowOf(session, now, signs)),
    screen,
  );
}

/** Those that may still sign first, then the latest: by when they were revoked or end, as nobody says when they began. */
export function latestFirst(sessions: readonly Session[]): Session[] {
  const keyOf = ({ status, revokedAt, expiresAt }: Session): string =>
    `${RANK[status]} ${(status === "revoked" ? revokedAt : expiresAt) ?? ""}`;
  return [...sessions].sort((a, b) => {
    const [left, right] = [keyOf(a), keyOf(b)];
    return left === right ? (a.id < b.id ? -1 : 1) : left < right ? 1 : -1;
  });
}

const RANK: { readonly [status in Session["status"]]: number } = { open: 3, unknown: 2, revoked: 1, expired: 0 };

/** A line for each session of which AgentCore has counted something else than the books. */
export function driftLines(sessions: readonly Session[], screen: Screen): string[] {
  const { ellipsis } = signsOf(screen);
  return sessions.flatMap(({ id, drift, driftCause }) => {
    const units = BigInt(drift ?? 0);
    if (units === 0n) return [];
    const gap = usd(units < 0n ? -units : units);
    const than = units > 0n ? `AgentCore has counted ${gap} more than the books` : `the books have ${gap} more`;
    return [
      cut(`${safe(id)}: ${than}`, screen.columns, ellipsis),
      ...(driftCause === null ? [] : [`  ${safe(driftCause)}`]),
    ];
  });
}

function rowOf(session: Session, now: string, { silent }: Signs): readonly Cell[] {
  const { id, agentId, status, limit, available, expiresAt } = session;
  const isOver = status === "revoked" || status === "expired";
  return [
    id,
    agentId ?? silent,
    { text: status, color: COLORS[status] },
    limit === null ? silent : usd(limit),
    available === null || isOver ? silent : usd(available), // what is left of a cap that nobody can use is nothing
    unsettled(session, now) ?? silent,
    isOver || expiresAt === null ? silent : `in ${left(expiresAt, now)}`,
  ];
}

const COLORS: { readonly [status in Session["status"]]: Color | null } = {
  open: "green",
  revoked: "red",
  expired: "dim",
  unknown: "yellow",
};

/** `$0.50`, and of a session that is revoked until when: `$0.50 until 12:01:11`. Null for nothing. */
export function unsettled(
  { exposure, exposedUntil, revokedAt }: Pick<Session, "exposure" | "exposedUntil" | "revokedAt">,
  now: string,
): string | null {
  const units = BigInt(exposure ?? 0);
  if (units === 0n) return null;
  if (revokedAt === null || exposedUntil === null) return usd(units);
  return `${usd(units)} until ${timeText(exposedUntil, now)}`;
}

/** One unit is enough for an hour or less. */
function left(end: string, now: string): string {
  const seconds = Math.max(0, (Date.parse(end) - Date.parse(now)) / 1000);
  return seconds >= 60 && seconds < 3600 ? `${Math.floor(seconds / 60)} min` : duration(seconds);
}
