/** Lines that scroll by above one line that stays: the totals at the bottom of a terminal. */
import type { Output } from "../io.ts";
import type { Screen } from "./screen.ts";

export interface Live {
  /** Prints a line above the one that stays. */
  print(line: string): void;
  /** Replaces the line that stays; it must fit the screen. */
  stay(line: string): void;
  /** Leaves the last line as it is and ends. */
  end(): void;
}

/** Terminals show about so many frames; more would only flicker. */
const FRAME_MS = 100;
/** Lines that wait for a frame; a storm prints its last ones and says how many were left out. */
const WAITING_MAX = 200;

export function createLive(out: Output, screen: Screen): Live {
  if (!screen.live) {
    return {
      print: (line) => void out.write(`${line}\n`),
      stay() {},
      end() {},
    };
  }
  let bottom = "";
  let shown = false;
  let waiting: string[] = [];
  let dropped = 0;
  let dirty = false;
  const draw = (): void => {
    if (!dirty) return;
    dirty = false;
    const lines = dropped > 0 ? [`  (${dropped} lines left out: bursar payments has them)`, ...waiting] : waiting;
    const clear = shown ? "\r\u001b[K" : "";
    out.write(`${clear}${lines.map((line) => `${line}\n`).join("")}${bottom}`);
    shown = bottom !== "";
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
    stay(line) {
      if (line === bottom) return;
      bottom = line;
      dirty = true;
    },
    end() {
      clearInterval(timer);
      draw();
      if (shown) out.write("\n");
    },
  };
}
