/** A payment's facts with what they said: more than the public timeline, for the page of one payment. */
import { find, type World } from "@bursar/core/assess";
import { type Entry, entriesOf } from "@bursar/core/evidence";
import { paymentKey } from "@bursar/core/items";
import type { Store } from "@bursar/core/ports";
import { load } from "@bursar/core/record";
import { isRow } from "@bursar/core/rows";
import type { TimelineEntry } from "@bursar/events/shapes";
import { inOrder } from "./story-order.ts";

/** One fact; `value` is the event without id, at, type and payment, null where only the timeline is known. */
export interface StoryFact extends TimelineEntry {
  readonly value: { readonly [field: string]: unknown } | null;
}

/** In order; null where the table has no such payment. */
export async function storyOf(store: Store, world: World, id: string): Promise<StoryFact[] | null> {
  const [stored] = await store.get([paymentKey(id)]);
  if (stored === undefined) return null;
  const { payment } = load(id, stored);
  const entries = isRow(id) ? [...entriesOf(payment.own), ...entriesOf(payment.context)] : joinedEntries();
  return inOrder(entries.filter(({ type }) => type !== "wallet.claimed").flatMap(factsOf));

  function joinedEntries(): Entry[] {
    const { evidence } = find(payment, world.directory);
    return [...entriesOf(payment.own), ...evidence.joined, ...evidence.revocations];
  }
}

function factsOf({ type, kind, who, values }: Entry): StoryFact[] {
  const source = who === "" ? `bursar.${kind}` : `bursar.${kind}.${who}`;
  return values.map(({ at, value }) => ({ at, source, type: type === "?" ? String(value.type) : type, value }));
}
