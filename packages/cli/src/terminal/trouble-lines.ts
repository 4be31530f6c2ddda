/** What the demo makes go wrong, in the feed: what is done, in words, and what verdict to look for. */
import type { TroubleTold } from "@bursar/demo/demo";
import { clock } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter } from "./style.ts";
import { safe, wrap } from "./text.ts";
import { breakName } from "./words.ts";

/** Columns of the time and of the word before what is told. */
const HEAD = 12;
const WORD = "trouble";

/** A line or two where it begins, takes a turn or could not be made; none where it is done: its payments tell that. */
export function troubleLines(told: Omit<TroubleTold, "payments">, at: string, screen: Screen): string[] {
  if (told.phase === "done") return [];
  const paint = painter(screen);
  const text = textOf(told);
  const indent = HEAD + WORD.length + 2;
  return wrap(text, Math.max(20, screen.columns - indent)).map((line, index) =>
    index === 0
      ? `${paint("dim", clock(at))}  ${paint("yellow", WORD)}  ${paint("dim", line)}`
      : `${" ".repeat(indent)}${paint("dim", line)}`,
  );
}

function textOf(told: Omit<TroubleTold, "payments">): string {
  const words = safe(told.words);
  if (told.phase === "says") return words;
  if (told.phase === "begins") return `${words} (look for: ${leadText(told)})`;
  return `not made: ${words}: ${safe(told.error ?? "")}`;
}

function leadText({ leads }: Pick<TroubleTold, "leads">): string {
  const { breaks, heals, state, alert } = leads;
  const shown = breaks.map(breakName).join(", ");
  if (heals) return shown === "" ? "taken back, then matched" : `${shown}, then healed`;
  return shown || state || `an alert, ${(alert ?? "").replaceAll("_", " ")}`;
}
