/** A budget as it stands after an order, in sentences. */
import type { Mode, Window } from "@bursar/events/shapes";
import { duration, timeText } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter } from "./style.ts";
import { safe, wrap } from "./text.ts";

/** What the machine answers to an order about a budget. */
export type ChangedBudget =
  | { readonly id: string; readonly removed: true }
  | {
      readonly budget: {
        readonly id: string;
        readonly scope: { readonly [kind: string]: string };
        readonly window: Window;
        readonly limitUsd: string;
        readonly mode: Mode;
        readonly thresholds: readonly { readonly at: number; readonly do: string }[];
      };
      readonly from: "config" | "command";
      readonly backfilling: boolean;
      readonly raise: { readonly toUsd: string; readonly until: string; readonly reason: string } | null;
    };

export function changedLines(changed: ChangedBudget, now: string, screen: Screen): string[] {
  const paint = painter(screen);
  const paragraphs = "removed" in changed ? removedText(changed.id) : standingText(changed, now);
  return paragraphs.flatMap((text, i) =>
    wrap(text, Math.min(screen.columns, 100)).map((line) => paint(i === 0 ? null : "dim", line)),
  );
}

function removedText(id: string): string[] {
  return [
    `${safe(id)} is out of force: nothing is told or stopped by it any more.`,
    "If bursar.config.ts names it, it stays away until that entry changes: take it out there too.",
  ];
}

function standingText({ budget, from, backfilling, raise }: Exclude<ChangedBudget, { removed: true }>, now: string) {
  const { id, scope, window, limitUsd, mode, thresholds } = budget;
  const [[kind, name] = ["", ""]] = Object.entries(scope);
  const per = window === "total" ? "in total" : window === "hour" ? "an hour" : `a ${window}`;
  const lasts = raise === null ? "" : duration((Date.parse(raise.until) - Date.parse(now)) / 1000);
  const limit =
    raise === null
      ? `$${limitUsd} ${per}`
      : `$${raise.toUsd} ${per} until ${timeText(raise.until, now)} UTC (${lasts}), then $${limitUsd} again`;
  const asks = thresholds.map(({ at, do: does }) => `${does} at ${Math.round(at * 10_000) / 100} %`).join(", ");
  const does = asks === "" ? "no thresholds: it only shows" : mode === "observe" ? `observed only: ${asks}` : asks;
  return [
    safe(`${id}: ${kind}=${name}, ${limit}; ${does}.`),
    ...(backfilling
      ? ["Payments from before are being counted: until that is done its figure is a part of the whole."]
      : []),
    ...(from === "command" && raise === null
      ? ["It holds now, and until bursar.config.ts says something new of it: write it there too."]
      : []),
    ...(raise === null ? [] : [`Sessions that were revoked stay so, and who is frozen stays frozen: bursar unfreeze.`]),
  ];
}
