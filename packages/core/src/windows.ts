/** Budget windows: UTC, half open; a week starts on Monday; `total` has neither start nor end. */
import type { Window } from "@bursar/events/shapes";

export interface Span {
  readonly start: string | null;
  readonly end: string | null;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

/** The start of the window that contains `at`, "" for `total`: the part of a counter's name. */
export function windowStart(window: Window, at: string): string {
  switch (window) {
    case "hour":
      return `${at.slice(0, 13)}:00:00.000Z`;
    case "day":
      return `${at.slice(0, 10)}T00:00:00.000Z`;
    case "month":
      return `${at.slice(0, 7)}-01T00:00:00.000Z`;
    default:
      return windowOf(window, at).start ?? "";
  }
}

/** The window that contains `at` (ISO-8601 UTC). */
export function windowOf(window: Window, at: string): Span {
  const ms = Date.parse(at);
  const date = new Date(ms);
  switch (window) {
    case "hour":
      return span(ms - mod(ms, HOUR_MS), HOUR_MS);
    case "day":
      return span(ms - mod(ms, DAY_MS), DAY_MS);
    case "week":
      // 1970-01-01 was a Thursday: three days into its week.
      return span(ms - mod(ms + 3 * DAY_MS, 7 * DAY_MS), 7 * DAY_MS);
    case "month": {
      // Not Date.UTC, which takes a year before 100 for one of the 1900s.
      const start = date.setUTCDate(1) - mod(ms, DAY_MS);
      const end = new Date(start).setUTCMonth(date.getUTCMonth() + 1);
      return span(start, end - start);
    }
    case "total":
      return { start: null, end: null };
  }
}

function span(startMs: number, lengthMs: number): Span {
  return { start: new Date(startMs).toISOString(), end: new Date(startMs + lengthMs).toISOString() };
}

const mod = (a: number, b: number): number => ((a % b) + b) % b;
