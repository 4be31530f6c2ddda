/** The totals on one line: what stays at the bottom of the terminal, and what is printed now and then without one. */
import { count, plural, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, signsOf } from "./style.ts";
import { widthOf } from "./text.ts";

export interface Summary {
  readonly payments: number;
  readonly matched: number;
  readonly pending: number;
  readonly breaks: number;
  /** Of this UTC day, atomic units. */
  readonly spent: bigint;
  readonly held: bigint;
  readonly alertsOpen: number;
  /** Newest block seen; null where no chain was seen yet. */
  readonly block: number | null;
  readonly queueDepth: number;
}

/** What matters less goes first where the screen is narrow. */
export function summaryLine(summary: Summary, screen: Screen): string {
  const paint = painter(screen);
  const { dot, rule } = signsOf(screen);
  const { payments, matched, pending, breaks, spent, held, alertsOpen, block, queueDepth } = summary;
  const parts: { text: string; color: Color | null; weight: number }[] = [
    { text: plural(payments, "payment"), color: "bold", weight: 9 },
    { text: `${usd(spent)} spent today`, color: null, weight: 8 },
    { text: `${usd(held)} held`, color: null, weight: 5 },
    { text: `${count(matched)} matched`, color: "green", weight: 7 },
    ...(pending > 0 ? [{ text: `${count(pending)} pending`, color: null, weight: 2 }] : []),
    { text: plural(breaks, "break"), color: breaks > 0 ? ("red" as const) : null, weight: 8 },
    ...(alertsOpen > 0 ? [{ text: `${plural(alertsOpen, "alert")} open`, color: "yellow" as const, weight: 6 }] : []),
    ...(queueDepth > 100 ? [{ text: `${count(queueDepth)} waiting`, color: "yellow" as const, weight: 4 }] : []),
    {
      text: block === null ? "no chain yet" : `block ${count(block)}`,
      color: block === null ? "yellow" : "dim",
      weight: 3,
    },
  ];
  const separator = ` ${dot} `;
  const width = (some: typeof parts) => some.reduce((sum, { text }) => sum + widthOf(text) + separator.length, 3);
  let shown = parts;
  while (shown.length > 1 && width(shown) > screen.columns - 3) {
    const least = Math.min(...shown.map(({ weight }) => weight));
    shown = shown.filter(({ weight }) => weight !== least);
  }
  const side = rule.repeat(2);
  return `${paint("dim", side)} ${shown.map(({ text, color }) => paint(color, text)).join(paint("dim", separator))} ${paint("dim", side)}`;
}
