/** Hours, by which notes about sessions are filed: AgentCore's sessions live at most eight, so older ones are past. */

/** Hours for which a session may be open: AgentCore's 480 minutes, and some for clocks and late events. */
export const SESSION_HOURS_MAX = 10;

const HOUR_MS = 3_600_000;

/** When a session that was first heard of at `since` is over at the latest, whatever nobody knows of it. */
export function lastOf(since: string): string {
  return new Date(Date.parse(since) + SESSION_HOURS_MAX * HOUR_MS).toISOString();
}

/** The hour of `at` (ISO-8601), moved by `hours`: "2026-11-20T10". */
export function hourOf(at: string, hours = 0): string {
  const hour = at.slice(0, 13);
  return hours === 0 ? hour : new Date(Date.parse(`${hour}:00:00.000Z`) + hours * HOUR_MS).toISOString().slice(0, 13);
}
