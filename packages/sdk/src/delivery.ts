/** From the queue to the bus, and to the disk and back while the bus is away. One call at a time; ids never change. */
import { ENTRIES_PER_CALL, EVENTS_PER_ENTRY } from "@bursar/events/limits";
import { makeAlarm } from "./alarm.ts";
import { type Entry, type Item, packCall } from "./entries.ts";
import { onExit } from "./exit.ts";
import { type Address, putEntries, type Sorted, sortItems } from "./put.ts";
import { makeQueue } from "./queue.ts";
import type { Spool } from "./spool.ts";

export interface DeliverySettings {
  readonly address: Address;
  readonly spool: Spool | null;
  readonly queueMax: number;
  readonly queueBytesMax: number;
  readonly flushMs: number;
  /** The client was made for us, so it ends with us. */
  readonly ownsClient: boolean;
  readonly report: (error: unknown) => void;
}

export interface Delivery {
  take(item: Item, urgent: boolean): void;
  /** Puts aside what can never pass. */
  refuse(json: string, reason: string): void;
  /** True once every item up to `seq` is on the bus, false after `timeoutMs`. Never rejects. */
  flush(seq: number, timeoutMs: number): Promise<boolean>;
  close(seq: number, timeoutMs: number): Promise<boolean>;
  counts(): Counts;
}

export interface Counts {
  queued: number;
  sent: number;
  spooled: number;
  drained: number;
  refused: number;
  dropped: number;
  retries: number;
}

/** Failed calls in a row after which the bus counts as away and the queue goes to the spool. */
const AWAY_AFTER = 3;
/** At once, but what happens in the same breath goes along: a call costs more than ten events in it. */
const URGENT_MS = 10;
const BACKOFF_MS = 100;
const BACKOFF_MS_MAX = 5_000;
const CALL_EVENTS = ENTRIES_PER_CALL * EVENTS_PER_ENTRY;
/** A disk that failed is left alone this long. */
const DISK_PAUSE_MS = 1_000;
/** The spool is looked into this often for what other processes left. */
const LOOK_MS = 60_000;

export function openDelivery(settings: DeliverySettings): Delivery {
  const { address, spool, queueMax, queueBytesMax, flushMs, report } = settings;
  const counts: Counts = { queued: 0, sent: 0, spooled: 0, drained: 0, refused: 0, dropped: 0, retries: 0 };
  const abort = new AbortController();
  const waiting = new Set<() => void>();
  const queue = makeQueue();
  let inFlight: readonly Item[] = [];
  /** The greatest seq that may lie on disk unsent; 0 when none of ours does. */
  let onDisk = 0;
  let lookAt = spool === null ? Number.POSITIVE_INFINITY : 0;
  /** How often items of the spool's oldest file were refused for unknown reasons. */
  const odd = new Map<string, number>();
  let failures = 0;
  let running: Promise<void> | null = null;
  let urgentWaits = false;
  /** The disk is left alone until then after it failed. */
  let diskAt = 0;
  let closed = false;
  const alarm = makeAlarm(() => go());
  /** While the bus is away, what comes in goes to the disk soon, whenever the next call is due. */
  const keeper = makeAlarm(() => void spill(queue.length));

  /** Moves the oldest `count` items to the disk; false, and they stay, where there is none or it fails. */
  function spill(count: number): boolean {
    if (count === 0) return true;
    if (spool === null || performance.now() < diskAt) return false;
    try {
      counts.dropped += spool.write(queue.peek(count).map(({ json }) => json));
    } catch (error) {
      diskAt = performance.now() + DISK_PAUSE_MS;
      report(error);
      return false;
    }
    counts.spooled += count;
    onDisk = queue.cut(count).at(-1)?.seq ?? onDisk;
    lookAt = 0;
    return true;
  }

  /** The last chance of what is in memory. */
  function putAside(): void {
    diskAt = 0;
    if (!spill(queue.length)) counts.dropped += queue.cut(queue.length).length;
  }

  function refuse(json: string, reason: string): void {
    counts.refused += 1;
    report(new Error(`event refused: ${reason}`));
    try {
      spool?.refuse([json], reason);
    } catch (error) {
      report(error);
    }
  }

  function putBack(items: readonly Item[]): void {
    queue.putBack(items);
    inFlight = [];
  }

  /** Sends the entries and puts refused items aside. */
  async function send(entries: readonly Entry[]): Promise<Sorted> {
    const sorted = sortItems(entries, await putEntries(address, entries, abort.signal));
    for (const { item, reason } of sorted.refused) refuse(item.json, reason);
    counts.sent += sorted.sent;
    failures = sorted.trouble === null ? 0 : failures + 1;
    if (sorted.trouble !== null) {
      counts.retries += 1;
      report(new Error(`PutEvents: ${sorted.trouble}`));
    }
    return sorted;
  }

  async function sendQueue(): Promise<void> {
    urgentWaits = false;
    const entries = packCall(queue.peek(CALL_EVENTS));
    inFlight = queue.cut(entries.reduce((sum, { items }) => sum + items.length, 0));
    putBack((await send(entries)).again);
    if (failures >= AWAY_AFTER) spill(queue.length);
  }

  /** Sends one file of the spool, or finds that there is none. */
  async function drain(): Promise<void> {
    const claim = spool?.claim() ?? null;
    if (claim === null) {
      lookAt = performance.now() + LOOK_MS;
      onDisk = 0;
      return;
    }
    const good: Item[] = [];
    for (const json of claim.lines) {
      if (isJson(json)) good.push({ seq: 0, json, bytes: Buffer.byteLength(json), oddities: odd.get(json) ?? 0 });
      else refuse(json, "a spooled line is no JSON");
    }
    let left = good;
    try {
      while (left.length > 0 && !abort.signal.aborted) {
        const entries = packCall(left);
        const taken = entries.reduce((sum, { items }) => sum + items.length, 0);
        const { again, sent } = await send(entries);
        counts.drained += sent;
        left = [...again, ...left.slice(taken)];
        if (again.length > 0) break;
      }
    } finally {
      odd.clear();
      for (const { json, oddities } of left) if (oddities > 0) odd.set(json, oddities);
      claim.release(left.map(({ json }) => json));
    }
  }

  /** Whether what has come in during a call is worth another one now, rather than in company a little later. */
  const isWorthACall = () => urgentWaits || waiting.size > 0 || queue.length >= CALL_EVENTS;

  async function pump(): Promise<void> {
    alarm.clear();
    const before = failures;
    try {
      // Also while the bus is away: someone has to ask whether it is back.
      if (queue.length > 0) await sendQueue();
      else if (performance.now() >= lookAt) await drain();
      while (failures === 0 && !closed) {
        if (queue.length > 0 && isWorthACall()) await sendQueue();
        else if (performance.now() >= lookAt) await drain();
        else break;
      }
    } catch (error) {
      failures = before + 1;
      putBack(inFlight);
      report(error);
    }
  }

  /** Starts a round unless one runs. */
  function go(): void {
    if (running !== null || closed) return;
    running = pump().finally(() => {
      running = null;
      for (const check of [...waiting]) check();
      const idle = queue.length === 0 && performance.now() < lookAt;
      if (idle) failures = 0;
      else if (!closed) alarm.set(failures > 0 ? backoffMs(failures) : urgentWaits ? URGENT_MS : flushMs);
    });
  }

  const isSent = (seq: number) =>
    onDisk === 0 &&
    (queue.first?.seq ?? Number.POSITIVE_INFINITY) > seq &&
    (inFlight[0]?.seq ?? Number.POSITIVE_INFINITY) > seq;

  function flush(seq: number, timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (done: boolean) => {
        clearTimeout(deadline); // referenced on purpose: whoever awaits a flush holds the process for it
        waiting.delete(check);
        resolve(done);
      };
      const check = () => void (isSent(seq) && finish(true));
      const deadline = setTimeout(finish, timeoutMs, false);
      waiting.add(check);
      check();
      if (closed) finish(isSent(seq));
      else go();
    });
  }

  /** What a dying process still can do. */
  const stay = onExit(() => {
    putBack(inFlight);
    putAside();
  });
  if (spool !== null) alarm.set(flushMs);

  return {
    take(item, urgent) {
      queue.push(item);
      if (closed) return putAside();
      while (queue.length > queueMax || queue.bytes > queueBytesMax) {
        if (!spill(Math.ceil(queue.length / 10))) counts.dropped += queue.cut(1).length;
      }
      urgentWaits ||= urgent;
      if (failures >= AWAY_AFTER && spool !== null) keeper.set(flushMs);
      if (failures === 0 && running === null) alarm.set(urgent ? URGENT_MS : flushMs);
    },
    refuse,
    flush,
    async close(seq, timeoutMs) {
      await flush(seq, timeoutMs);
      closed = true;
      alarm.clear();
      keeper.clear();
      abort.abort();
      await running;
      putAside();
      stay();
      if (settings.ownsClient) address.client.destroy();
      return counts.dropped === 0;
    },
    counts: () => ({ ...counts, queued: queue.length + inFlight.length }),
  };
}

/** Doubles up to a bound, of which a random half is taken: many producers must not come back at once. */
function backoffMs(failures: number): number {
  return Math.min(BACKOFF_MS_MAX, BACKOFF_MS * 2 ** failures) * (0.5 + Math.random() / 2);
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
