/** Packs queued events into the fewest EventBridge entries that EventBridge's limits and the contract's allow. */
import { CALL_BYTES_MAX, DETAIL_BYTES, ENTRIES_PER_CALL, EVENTS_PER_ENTRY } from "@bursar/events/limits";
import { SDK } from "./version.ts";

/** EventBridge's name for a list of our events; the contract's DETAIL_TYPE, without loading its schemas. */
export const DETAIL_TYPE = "payment.events.v1";

/** One event, serialised once: a retry sends the same bytes and so the same id. */
export interface Item {
  /** Grows by one per emitted event of this emitter; 0 for what an earlier process left. */
  readonly seq: number;
  readonly json: string;
  readonly bytes: number;
  /** How often the bus refused it for a reason nobody knows. */
  oddities: number;
}

export interface Entry {
  readonly items: readonly Item[];
  readonly detail: string;
}

const HEAD = `{"version":1,"sdk":${JSON.stringify(SDK)},"events":[`;
const TAIL = "]}";
const FRAME_BYTES = HEAD.length + TAIL.length;
/** Room for source, detail type and time, which EventBridge counts as part of an entry, and for the call's own JSON. */
const ENTRY_OVERHEAD_BYTES = 512;

/** Bytes of the largest event that still fits an entry. */
export const EVENT_BYTES_MAX = DETAIL_BYTES - FRAME_BYTES;

/** The entries of one PutEvents call from the head of `items`; each item fits, by EVENT_BYTES_MAX. */
export function packCall(items: readonly Item[]): Entry[] {
  const entries: Entry[] = [];
  let callBytes = 0;
  let at = 0;
  while (at < items.length && entries.length < ENTRIES_PER_CALL) {
    const from = at;
    let bytes = FRAME_BYTES;
    while (at < items.length && at - from < EVENTS_PER_ENTRY) {
      const more = (items[at] as Item).bytes + (at > from ? 1 : 0);
      if (bytes + more > DETAIL_BYTES) break;
      bytes += more;
      at += 1;
    }
    callBytes += bytes + ENTRY_OVERHEAD_BYTES;
    if (at === from || callBytes > CALL_BYTES_MAX) break;
    entries.push(entryOf(items.slice(from, at)));
  }
  return entries;
}

function entryOf(items: readonly Item[]): Entry {
  return { items, detail: `${HEAD}${items.map((item) => item.json).join(",")}${TAIL}` };
}
