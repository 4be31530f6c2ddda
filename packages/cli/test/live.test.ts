/** What stays at the bottom of a terminal: redrawn as one, never wider than it, whole after the terminal changed. */
import type { Budget } from "@bursar/events/shapes";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { barsMax, budgetBars } from "../src/terminal/budget-bars.ts";
import { createLive } from "../src/terminal/live.ts";
import type { Screen } from "../src/terminal/screen.ts";
import { unpainted, widthOf } from "../src/terminal/text.ts";
import { budget, HOSTILE, PLAIN, TERMINAL } from "./samples.ts";

const NOW = "2026-11-20T12:01:00.000Z";

// biome-ignore lint/suspicious/noControlCharactersInRegex: what the cursor is moved with
const MOVES = /(\u001b\[\d*[AJ]|\r|\n)/;

/** A terminal that reflows: what a narrower one no longer holds goes on in the next row. */
function terminalOf(first: Partial<Screen>) {
  let screen: Screen = { ...TERMINAL, ...first };
  let text = "";
  let cursor = 0;
  const write = (added: string): boolean => {
    for (const part of added.split(MOVES)) {
      if (part.endsWith("A") && part.startsWith("\u001b")) {
        // Rows, not lines: each line takes as many as it needs.
        for (let rows = Number(part.slice(2, -1)); rows > 0; ) {
          const start = text.lastIndexOf("\n", cursor - 1) + 1;
          const row = Math.floor(Math.max(0, widthOf(unpainted(text.slice(start, cursor)))) / screen.columns);
          if (row >= rows) {
            cursor = start + (row - rows) * screen.columns;
            break;
          }
          rows -= row + 1;
          const before = Math.max(0, start - 1);
          const high = text.lastIndexOf("\n", before - 1) + 1;
          const last = Math.max(0, Math.ceil(widthOf(text.slice(high, before)) / screen.columns) - 1);
          cursor = high + last * screen.columns;
        }
      } else if (part === "\u001b[J") text = text.slice(0, cursor);
      else if (part === "\r") {
        const start = text.lastIndexOf("\n", cursor - 1) + 1;
        cursor = start + Math.floor(Math.max(0, cursor - start - 1) / screen.columns) * screen.columns;
      } else {
        const plain = unpainted(part);
        text = text.slice(0, cursor) + plain;
        cursor += plain.length;
      }
    }
    return true;
  };
  return {
    out: { write, once: () => undefined },
    screen: () => screen,
    resize(to: Partial<Screen>) {
      screen = { ...screen, ...to };
    },
    /** As a terminal shows what somebody types. */
    type: write,
    lines: () => text.split("\n"),
  };
}

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());
const frame = (): void => void vi.advanceTimersByTime(100);

describe("lines that stay", () => {
  test("stand below all that is printed, however many they are", () => {
    const terminal = terminalOf({});
    const live = createLive(terminal.out, terminal.screen);
    live.stay(() => ["bar 1", "bar 2", "totals"]);
    frame();
    live.print("first");
    live.print("second");
    frame();
    live.stay(() => ["bar 2", "totals"]);
    frame();
    live.print("third");
    live.end();
    expect(terminal.lines()).toEqual(["first", "second", "third", "bar 2", "totals", ""]);
  });

  test("are made anew for a terminal that became narrower, and nothing of the old ones is left", () => {
    const terminal = terminalOf({ columns: 40 });
    const live = createLive(terminal.out, terminal.screen);
    live.print("above");
    live.stay(({ columns }) => ["a", "b", "c"].map((name) => name.repeat(columns - 1)));
    frame();
    for (const columns of [17, 11, 30, 8]) {
      terminal.resize({ columns });
      frame();
      expect(terminal.lines()).toEqual(["above", ...["a", "b", "c"].map((name) => name.repeat(columns - 1))]);
    }
    live.end();
  });

  test("are left whole at the end, without the ^C that was typed into them", () => {
    const terminal = terminalOf({});
    const live = createLive(terminal.out, terminal.screen);
    live.stay(() => ["bar", "totals"]);
    frame();
    terminal.type("^C");
    live.end();
    expect(terminal.lines()).toEqual(["bar", "totals", ""]);
  });

  test("are not written where nobody looks, or where nothing changed", () => {
    const written: string[] = [];
    const out = {
      write: (text: string) => {
        written.push(text);
        return true;
      },
      once: () => undefined,
    };
    const silent = createLive(out, () => PLAIN);
    silent.stay(() => ["totals"]);
    silent.print("a line");
    silent.end();
    expect(written.splice(0)).toEqual(["a line\n"]);
    const live = createLive(out, () => TERMINAL);
    live.stay(() => ["totals"]);
    frame();
    live.stay(() => ["totals"]);
    frame();
    frame();
    expect(written).toEqual(["totals"]);
    live.end();
  });
});

describe("budgets that stay in sight", () => {
  const of = (policy: string, spent: string, more: Partial<Budget> = {}): Budget => ({
    ...budget,
    policy,
    scope: `agent:${policy}`,
    held: "0",
    spent,
    ...more,
  });
  const some = [
    of("a-little", "100000"),
    of("watched", "9000000", { mode: "observe" }),
    of("half", "2500000"),
    of("full", "5000000", { held: "500000" }),
    of("none", "0", { limit: "0" }),
    of("tiny", "1"),
    of("third", "1700000", { raisedUntil: "2026-11-20T18:00:00.000Z" }),
  ];
  const names = (rows: number) => budgetBars(some, { ...PLAIN, rows }, NOW).map((line) => line.split(/\s/)[0]);

  test("the fullest of those that stop somebody come first, as many as there is room for", () => {
    expect(names(40)).toEqual(["full", "half", "third", "a-little", "none", "tiny"]);
    expect(names(24)).toEqual(["full", "half", "third", "a-little"]);
    expect(names(16)).toEqual(["full", "half"]);
    expect(names(12)).toEqual([]);
    expect(barsMax(1000)).toBe(6);
  });

  test("what is held is told apart, a raise and a count that goes on are told of", () => {
    const counting = { ...of("counting", "100000"), backfilling: true as const };
    expect(budgetBars([...some.slice(2, 4), some.at(-1) as Budget, counting], PLAIN, NOW)).toMatchInlineSnapshot(`
      [
        "full      ██████████████▒▒  $5.00 spent + $0.50 held of $5.00  110 %  resets in 11 h 59 min",
        "half      ████████░░░░░░░░  $2.50 spent of $5.00                50 %  resets in 11 h 59 min",
        "third     █████░░░░░░░░░░░  $1.70 spent of $5.00                34 %  raised, 11 h 59 min left",
        "counting  █░░░░░░░░░░░░░░░  $0.10 spent of $5.00                 2 %  counting, 11 h 59 min left",
      ]
    `);
  });

  test.each([40, 60, 80, 100])("no bar is as wide as a terminal of %i columns", (columns) => {
    const long = {
      ...budget,
      policy: "p".repeat(64),
      scope: `label:${HOSTILE}`,
      spent: "123456789123456",
      mode: "observe",
    };
    for (const line of budgetBars([long as Budget, ...some], { ...TERMINAL, columns }, NOW))
      expect(widthOf(unpainted(line))).toBeLessThan(columns);
  });
});
