/** One line that says how far a long run is; only where a person looks, and gone when it is done. */
import type { Io } from "../io.ts";
import { bytes, count, duration } from "./figures.ts";
import { signsOf } from "./style.ts";
import { cut } from "./text.ts";

export interface Progress {
  /** `done` of the whole in bytes, and how many events that were. */
  show(done: number, events: number): void;
  clear(): void;
}

const EVERY_MS = 100;
/** What ends sooner needs no progress. */
const AFTER_MS = 400;

/** `total` in bytes; null where nobody knows (a pipe). */
export function createProgress(io: Io, total: number | null): Progress {
  const screen = io.errScreen();
  if (!screen.live) return { show() {}, clear() {} };
  const { dot, ellipsis } = signsOf(screen);
  const started = performance.now();
  let drawn = started + AFTER_MS - EVERY_MS;
  let visible = false;
  return {
    show(done, events) {
      const now = performance.now();
      if (now - drawn < EVERY_MS) return;
      drawn = now;
      visible = true;
      const line = progressLine(done, total, events, (now - started) / 1000, ` ${dot} `);
      io.err.write(`\r\u001b[K${cut(line, screen.columns - 1, ellipsis)}`);
    },
    clear() {
      if (visible) io.err.write("\r\u001b[K");
      visible = false;
    },
  };
}

export function progressLine(
  done: number,
  total: number | null,
  events: number,
  seconds: number,
  separator: string,
): string {
  const rate = seconds > 0 ? Math.round(events / seconds) : 0;
  const parts = [`${count(events)} events`, `${count(rate)}/s`];
  if (total === null) parts.push(bytes(done));
  else {
    parts.push(`${total === 0 ? 100 : Math.floor((done / total) * 100)} % of ${bytes(total)}`);
    if (done > 0) parts.push(`about ${duration(Math.ceil((seconds * (total - done)) / done))} left`);
  }
  return parts.join(separator);
}
