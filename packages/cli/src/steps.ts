/**
 * The steps, run in this process: the queue's entries and the chain's facts through `correlate`, deadlines through
 * `sweep`. What a producer sent is acknowledged when it is in the table or in the quarantine, never before.
 */
import { setMaxListeners } from "node:events";
import { raiseAlerts } from "@bursar/core/alert-book";
import { judgeAlerts } from "@bursar/core/alert-judge";
import { touchedBy } from "@bursar/core/alert-marks";
import type { Cause } from "@bursar/core/alerts";
import type { Heads, World } from "@bursar/core/assess";
import { type GovernBase, worldAt } from "@bursar/core/govern-world";
import { type Ingested, ingest } from "@bursar/core/ingest";
import { quarantinePut } from "@bursar/core/items";
import { showById } from "@bursar/core/lists";
import type { Json, Store } from "@bursar/core/ports";
import { isRow, makesRow, showRow } from "@bursar/core/rows";
import { showPayment } from "@bursar/core/show";
import { sweep } from "@bursar/core/sweep";
import { windowOf } from "@bursar/core/windows";
import type { Changed } from "@bursar/core/write";
import { parseEntry, type Quarantined, type Told } from "@bursar/events/envelope";
import type { Alert, Payment } from "@bursar/events/shapes";
import { producerSource } from "@bursar/events/source";
import { StoreError } from "@bursar/store/error";
import type { Feed } from "./feed.ts";
import type { Overview } from "./overview.ts";
import { pause } from "./pause.ts";
import type { QuarantineList } from "./quarantine.ts";
import type { Queue, Queued } from "./queue.ts";

/** Entries taken from the queue at once. */
const ENTRIES_MAX = 128;
/** Tries of one event before it is quarantined, and the pause before the second; each later one doubles it. */
const ATTEMPTS_MAX = 6;
const PAUSE_MS = 50;
const PAUSE_MS_MAX = 5_000;
/** How late a deadline may be noticed. */
const SWEEP_MS = 1_000;

export interface StepsParts {
  readonly store: Store;
  readonly queue: Queue;
  readonly base: GovernBase & { readonly heads: Map<number, Heads> };
  readonly overview: Overview;
  readonly quarantine: QuarantineList;
  readonly feed: Feed;
  readonly now: () => string;
  /** What a batch has resolved on, durable already. */
  readonly onGoverned: (outcome: Ingested) => void;
  /** What a batch told, durable already. */
  readonly onTold?: ((told: readonly Told[]) => void) | undefined;
  /** A fault that keeps the steps from going on, or null when it is over. */
  readonly onFault: (message: string | null) => void;
}

export interface Steps {
  tell(told: readonly Told[]): Promise<void>;
  /** Shows what was written beside the steps, such as payments folded anew. */
  show(changed: readonly Changed[]): void;
  /** Resolves when no batch is under way that had begun before the call. */
  settled(): Promise<void>;
  /** Ends when what is under way is committed. */
  stop(): Promise<void>;
}

export function startSteps(parts: StepsParts): Steps {
  const { store, queue, base: world, overview, quarantine, feed, now, onGoverned, onTold = () => {}, onFault } = parts;
  const stopping = new AbortController();
  setMaxListeners(0, stopping.signal); // whatever is tried again waits with it
  const aside = new Set<Promise<void>>();
  const underWay = new Set<Promise<void>>();

  async function drain(): Promise<void> {
    let failures = 0;
    let batch: readonly Queued[] = [];
    while (!stopping.signal.aborted) {
      if (batch.length === 0) batch = await queue.take(ENTRIES_MAX);
      if (batch.length === 0 || stopping.signal.aborted) continue; // woken to end
      try {
        await takeEntries(batch);
        batch = [];
        if (failures > 0) onFault(null);
        failures = 0;
      } catch (error) {
        failures += 1;
        onFault(`the table takes no writes: ${(error as Error).message}`);
        await pause(Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** failures), stopping.signal);
      }
    }
  }

  /** Throws for a fault of the store: the same entries are then taken again. */
  async function takeEntries(batch: readonly Queued[]): Promise<void> {
    const told: Told[] = [];
    const refused: Quarantined[] = [];
    const oversized = new Set<string>();
    for (const { entry } of batch) {
      const parsed = parseEntry(entry, "bus");
      for (const one of parsed.told) told.push(one);
      for (const one of parsed.quarantined) refused.push(one);
      if (parsed.oversized !== null) oversized.add(parsed.oversized);
    }
    if (refused.length > 0) await quarantineAll(refused);
    if (oversized.size > 0) {
      const at = now();
      tellAlerts(
        await raiseAlerts(
          store,
          [...oversized].map((source) => oversizedCause(source, at)),
          at,
        ),
      );
    }
    const late = await takeFacts(told);
    if (late.length === 0) return queue.ack(batch);
    // Some fail by themselves: their neighbours are in the table, and the next entries do not wait for them.
    const retrying = Promise.all(late.map(retry)).then(
      () => queue.ack(batch),
      (error) => onFault(`the table takes no writes: ${(error as Error).message}`), // not acknowledged: next start
    );
    aside.add(retrying);
    void retrying.finally(() => aside.delete(retrying));
  }

  /** Commits; answers what failed though the store is well. Halves until the culprit is alone. */
  async function takeFacts(told: readonly Told[]): Promise<readonly Late[]> {
    if (told.length === 0) return [];
    try {
      const outcome = await counted(ingest(store, world, told, now()));
      const { changed, failed, heads } = outcome;
      show(changed);
      onGoverned(outcome);
      onTold(failed.length === 0 ? told : told.filter((_, place) => !failed.includes(place)));
      for (const [chainId, head] of heads) await moveHeads(chainId, head);
      return failed.map((place) => ({ told: told[place] as Told, reason: "others kept writing the same payment" }));
    } catch (error) {
      if (error instanceof StoreError && error.fault !== "limit") throw error;
      if (told.length === 1) return [{ told: told[0] as Told, reason: (error as Error).message }];
      const half = Math.ceil(told.length / 2);
      return [...(await takeFacts(told.slice(0, half))), ...(await takeFacts(told.slice(half)))];
    }
  }

  /** Work that writes under the budgets as they stood when it began. */
  function counted<T>(work: Promise<T>): Promise<T> {
    const done = work.then(
      () => {},
      () => {},
    );
    underWay.add(done);
    void done.then(() => underWay.delete(done));
    return work;
  }

  async function retry(late: Late): Promise<void> {
    let { reason } = late;
    for (let attempt = 1; attempt < ATTEMPTS_MAX; attempt++) {
      await pause(Math.min(PAUSE_MS_MAX, PAUSE_MS * 2 ** (attempt - 1)), stopping.signal);
      if (stopping.signal.aborted) throw new Error("stopping");
      const [again] = await takeFacts([late.told]);
      if (again === undefined) return;
      reason = again.reason;
    }
    const { source, event } = late.told;
    const name =
      source.kind === "agent" || source.kind === "api"
        ? producerSource(source.kind, source.id)
        : `bursar.${source.kind}`;
    await quarantineAll([
      { source: name, eventId: event.id, reason: `could not be taken in ${ATTEMPTS_MAX} tries: ${reason}`, event },
    ]);
  }

  async function quarantineAll(refused: readonly Quarantined[]): Promise<void> {
    const at = now();
    const puts = refused.map((one) => quarantinePut(one as unknown as { [key: string]: Json }, at));
    const known = await store.get(puts);
    await store.putAll(puts);
    // All of them, those that were there too: whoever put them may have died before they were told.
    const causes = puts.map(({ sk }, i) => quarantine.cause(refused[i] as Quarantined, sk, at));
    const fresh = new Set<string>();
    for (const [i, put] of puts.entries()) {
      if (known[i] !== undefined || fresh.has(put.sk)) continue;
      fresh.add(put.sk);
      const one = refused[i] as Quarantined;
      quarantine.add(one);
      feed.emit({ kind: "quarantined", at, data: one });
    }
    tellAlerts(await raiseAlerts(store, causes, at));
  }

  function show(changed: readonly Changed[]): void {
    if (changed.length === 0) return;
    const at = now();
    for (const change of changed) {
      const payment = shapeOf(change, world);
      overview.take(change, payment, at);
      if (payment !== null) feed.emit({ kind: "payment", at, data: payment, before: change.before.assessed });
    }
  }

  function tellAlerts(alerts: readonly Alert[]): void {
    for (const data of alerts) feed.emit({ kind: "alert", at: data.updatedAt, data });
  }

  async function moveHeads(chainId: number, heads: Heads): Promise<void> {
    const before = world.heads.get(chainId);
    world.heads.set(chainId, heads);
    if (before?.latest === heads.latest && before.safe === heads.safe && before.final === heads.final) return;
    const at = now();
    feed.emit({ kind: "heads", at, data: { chainId, ...heads } });
    const risen = overview.moveHeads(chainId, heads);
    for (const id of risen) {
      const payment = await showById(store, world, at, id);
      if (payment === null) continue;
      const state = payment.state === "final" ? "safe" : "settled";
      feed.emit({
        kind: "payment",
        at,
        data: payment,
        before: { state, verdict: payment.verdict, breaks: payment.breaks },
      });
    }
  }

  async function sweeping(): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        const at = now();
        const changed = await counted(worldAt(store, world, at).then((under) => sweep(store, under, at)));
        show(changed);
        tellAlerts((await judgeAlerts(store, touchedBy(changed), at)).map(({ alert }) => alert));
      } catch (error) {
        onFault(`deadlines cannot be judged: ${(error as Error).message}`);
      }
      await pause(SWEEP_MS, stopping.signal);
    }
  }

  const loops = [drain(), sweeping()];
  return {
    async tell(told) {
      const late = await takeFacts(told);
      await Promise.all(late.map(retry));
    },
    show,
    async settled() {
      await Promise.all(underWay);
    },
    async stop() {
      stopping.abort();
      await Promise.all([...loops, ...aside]);
    },
  };
}

/** One alert for a source and a day. */
function oversizedCause(source: string, at: string): Cause {
  return {
    rule: "oversized_entry",
    subject: `source:${source}`,
    severity: "warning",
    sample: "an entry with more than 50 events",
    until: windowOf("day", at).end,
  };
}

/** What could not be committed, and why. */
interface Late {
  readonly told: Told;
  readonly reason: string;
}

/** The public shape after a change; null where it is in no list. */
export function shapeOf({ id, after, findings }: Changed, world: World): Payment | null {
  if (after.assessed === null || after.listed === null) return null;
  if (!isRow(id)) return findings === null ? null : showPayment(findings, after.assessed);
  if (!makesRow(after.payment) || Object.keys(after.payment.siblings).length > 0) return null;
  return showRow(after.payment, after.assessed, world.directory);
}
