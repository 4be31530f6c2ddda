/** When an alert is worth telling: it opens, its count reaches the next power of ten, its last cause is gone. */
import { type Cause, openAlerts } from "@bursar/core/alerts";
import type { Alert } from "@bursar/events/shapes";

export interface AlertMoves {
  /** Moves the counts from one set of causes to another; answers the alerts that this moved. */
  move(before: readonly Cause[], after: readonly Cause[], at: string): readonly Alert[];
}

/** Alerts that are counted; a stranger chooses the names of subjects. */
const ALERTS_MAX = 10_000;

export function createAlertMoves(): AlertMoves {
  const open = new Map<string, { count: number; openedAt: string }>();
  const shown = (cause: Cause, count: number, openedAt: string, at: string): Alert[] =>
    openAlerts([cause], openedAt).map((alert) => {
      const times = count === 0 ? "over" : `${count} ${count === 1 ? "time" : "times"}, such as ${cause.sample}`;
      const text = `${cause.rule.replaceAll("_", " ")}: ${cause.subject}, ${times}`;
      return { ...alert, count, status: count === 0 ? "resolved" : "open", updatedAt: at, text };
    });
  return {
    move(before, after, at) {
      if (before.length === 0 && after.length === 0) return [];
      const moved: Alert[] = [];
      for (const cause of after) {
        if (before.some((each) => isSame(each, cause))) continue;
        const name = nameOf(cause);
        const known = open.get(name) ?? { count: 0, openedAt: at };
        if (known.count === 0 && open.size >= ALERTS_MAX) continue;
        known.count += 1;
        open.set(name, known);
        if (/^10*$/.test(String(known.count))) moved.push(...shown(cause, known.count, known.openedAt, at));
      }
      for (const cause of before) {
        if (after.some((each) => isSame(each, cause))) continue;
        const known = open.get(nameOf(cause));
        if (known === undefined) continue;
        known.count -= 1;
        if (known.count > 0) continue;
        open.delete(nameOf(cause));
        moved.push(...shown(cause, 0, known.openedAt, at));
      }
      return moved;
    },
  };
}

const nameOf = ({ rule, subject }: Cause): string => `${rule}/${subject}`;
const isSame = (a: Cause, b: Cause): boolean => a.rule === b.rule && a.subject === b.subject;
