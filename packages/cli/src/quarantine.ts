/** How much is in quarantine: what health counts, and by which names its alerts go. The events are in the table. */
import { type Cause, quarantineCauses } from "@bursar/core/alerts";
import { eachFact } from "@bursar/core/pages";
import type { Store } from "@bursar/core/ports";
import { windowOf } from "@bursar/core/windows";
import type { Quarantined } from "@bursar/events/envelope";
import { clean } from "@bursar/events/text";

export interface QuarantineList {
  /** Counts an event that was not there before. */
  add(quarantined: Quarantined): void;
  count(): number;
  /** The cause of one refused event's alert; `name` is what the table keeps the event by. */
  cause(quarantined: Quarantined, name: string, at: string): Cause;
}

/** Sources with an alert of their own; the events of further ones are of "others". A stranger chooses the names. */
const SOURCES_MAX = 100;
const TEXT_MAX = 256;

/** The list as the table has it. */
export async function readQuarantine(store: Store): Promise<QuarantineList> {
  const sources = new Set<string | null>();
  let count = 0;
  const add = ({ source }: Quarantined): void => {
    count += 1;
    if (sources.size < SOURCES_MAX) sources.add(source);
  };
  for await (const { data } of eachFact(store, "QUARANTINE", "")) add(data as unknown as Quarantined);
  return {
    add,
    count: () => count,
    cause(quarantined, name, at) {
      const { source } = quarantined;
      const isKnown = sources.has(source) || sources.size < SOURCES_MAX;
      const named = !isKnown ? "others" : source === null ? null : clean(source, TEXT_MAX);
      const [cause] = quarantineCauses([{ ...quarantined, source: named }]) as [Cause];
      return { ...cause, sample: clean(cause.sample, TEXT_MAX), name, until: windowOf("day", at).end };
    },
  };
}
