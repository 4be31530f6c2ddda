/** Lines that scroll by above lines that stay: budgets and totals at the bottom of a terminal. */
import type { Output } from "../io.ts";
import type { Screen } from "./screen.ts";
import { unpainted, widthOf } from "./text.ts";

export interface Live {
  /** Prints a line above those that stay. */
  print(line: string): void;
  /** Replaces the lines that stay. Asked again for each screen: none of them may be wider than it. */
  stay(lines: (screen: Screen) => readonly string[]): void;
  /** Leaves the last lines as they are, without what was typed into them, and ends. */
  end(): void;
}

/** Terminals show about so many frames; more would only flicker. */
const FRAME_MS = 100;
/** Lines that wait for a frame; a storm prints its last ones and says how many were left out. */
const WAITING_MAX = 200;

/** `screenNow` is asked for every frame: a terminal may be made narrower or lower. */
export function createLive(out: Output, screenNow: () => Screen): Live {
  if (!screenNow().live) {
    return {
      print: (line) => void out.write(`${line}\n`),
      stay() {},
      end() {},
    };
  }
  let staying: (screen: Screen) => readonly string[] = () => [];
  /** What stands on the terminal, and for which screen it was made. */
  let shown: readonly string[] = [];
  let screen = screenNow();
  let waiting: string[] = [];
  let dropped = 0;
  let dirty = false;

  const draw = (): void => {
    const now = screenNow();
    if (now.columns !== screen.columns || now.rows !== screen.rows) dirty = true;
    if (!dirty) return;
    dirty = false;
    screen = now;
    const bottom = staying(screen);
    const lines = dropped > 0 ? [`  (${dropped} lines left out: bursar payments has them)`, ...waiting] : waiting;
    if (lines.length > 0 || bottom.join("\n") !== shown.join("\n"))
      out.write(`${cleared(shown, screen)}${lines.map((line) => `${line}\n`).join("")}${bottom.join("\n")}`);
    shown = bottom;
    waiting = [];
    dropped = 0;
  };
  const timer = setInterval(draw, FRAME_MS);
  timer.unref();
  return {
    print(line) {
      waiting.push(line);
      if (waiting.length > WAITING_MAX) {
        waiting.shift();
        dropped++;
      }
      dirty = true;
    },
    stay(lines) {
      staying = lines;
      dirty = true;
    },
    end() {
      clearInterval(timer);
      draw();
      // Once more: a terminal shows ^C where the cursor was.
      if (shown.length > 0) out.write(`${cleared(shown, screenNow())}${shown.join("\n")}\n`);
    },
  };
}

/** Goes to the first of the lines that stay and clears from there. A narrower terminal has broken them into more rows. */
function cleared(lines: readonly string[], { columns, rows }: Screen): string {
  if (lines.length === 0) return "";
  const high = lines.reduce((sum, line) => sum + Math.max(1, Math.ceil(widthOf(unpainted(line)) / columns)), 0);
  const up = Math.min(high, rows) - 1;
  return `\r${up > 0 ? `\u001b[${up}A` : ""}\u001b[J`;
}
