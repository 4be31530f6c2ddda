/** How much is in quarantine, by source: what health counts and the `quarantined` alerts say. The events are in the table. */
import { type Cause, quarantineCauses } from "@bursar/core/alerts";
import type { Store } from "@bursar/core/ports";
import type { Quarantined } from "@bursar/events/envelope";
import type { Alert } from "@bursar/events/shapes";
import { createAlertMoves } from "./alert-moves.ts";

export interface QuarantineList {
  /** Answers the alert that this opened, or whose count has grown tenfold. */
  add(quarantined: Quarantined, at: string): readonly Alert[];
  count(): number;
  /** One cause per quarantined event. */
  causes(): readonly { readonly cause: Cause; readonly since: string }[];
}

/** Sources told apart; the events of further ones count as of "others". A stranger chooses the names. */
const SOURCES_MAX = 1_000;
/** Events of one source that an alert counts. */
const COUNT_MAX = 10_000;

/** The list as the table has it. */
export async function readQuarantine(store: Store): Promise<QuarantineList> {
  const sources = new Map<string | null, { first: Quarantined; since: string; count: number }>();
  const alerts = createAlertMoves();
  let count = 0;
  const add = (quarantined: Quarantined, at: string): readonly Alert[] => {
    count += 1;
    const source = sources.has(quarantined.source) || sources.size < SOURCES_MAX ? quarantined.source : "others";
    const known = sources.get(source);
    if (known === undefined)
      sources.set(source, { first: { ...quarantined, source, event: null }, since: at, count: 1 });
    else known.count += 1;
    return alerts.move([], quarantineCauses([{ ...quarantined, source }]), at);
  };
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["facts"]>> = await store.facts("QUARANTINE", "", { after });
    for (const { data, at } of page.items) add(data as unknown as Quarantined, at ?? "");
    after = page.next;
  } while (after !== null);
  return {
    add,
    count: () => count,
    causes: () =>
      [...sources.values()].flatMap(({ first, since, count: times }) => {
        const [cause] = quarantineCauses([first]) as [Cause];
        return Array.from({ length: Math.min(times, COUNT_MAX) }, () => ({ cause, since }));
      }),
  };
}
