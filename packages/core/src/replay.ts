/** `bursar replay`: events in file order through the same steps, offline; verdicts are judged once, at the end. */
import type { Config } from "@bursar/events/config-schema";
import { parseEntryText, type Quarantined, type Told } from "@bursar/events/envelope";
import type { Action, Alert, Budget, Payment } from "@bursar/events/shapes";
import { type Cause, openAlerts, paymentCauses, quarantineCauses } from "./alerts.ts";
import type { Heads } from "./assess.ts";
import { budgetRows } from "./budgets.ts";
import { correlate } from "./correlate.ts";
import { addEffects } from "./counters.ts";
import { quarantinePut } from "./items.ts";
import { eachPayment } from "./lists.ts";
import type { Json, Store } from "./ports.ts";
import { governReplay } from "./replay-govern.ts";
import { worldOf } from "./world.ts";

export interface Replayed {
  readonly payments: readonly Payment[];
  readonly budgets: readonly Budget[];
  readonly alerts: readonly Alert[];
  readonly actions: readonly Action[];
  readonly quarantined: readonly Quarantined[];
}

/** One line as it was read: its text, or the refusal of a line that is no text (broken UTF-8, far too long). */
export type Line = string | Quarantined;

export interface ReplayOptions {
  /** ISO-8601; default the latest `at` of the events taken. */
  readonly now?: string;
  /** Called after each chunk with the events taken so far. */
  readonly onProgress?: (events: number) => void;
}

/** Lines that go through the steps together. They come out as if each had come alone. */
const CHUNK_LINES = 512;

/** How much of an ISO time names its hour, the shortest window. */
const HOUR = "2026-11-20T10".length;

/** `batches` are the file's lines in order, however they are cut: one await per line would cost more than parsing it. */
export async function replay(
  store: Store,
  config: Config,
  batches: AsyncIterable<readonly Line[]>,
  options: ReplayOptions = {},
): Promise<Replayed> {
  const heads = new Map<number, Heads>();
  const world = worldOf(config, heads);
  const quarantined = new Map<string, Quarantined>();
  const causes: Cause[] = [];
  let latest = "";
  let events = 0;
  let chunk: Told[] = [];
  let count = 0;
  const governor = governReplay(config, world.directory);
  const drain = async (): Promise<void> => {
    const outcome = await correlate(store, world, chunk, latest);
    if (outcome.failed.length > 0)
      throw new Error(`${outcome.failed.length} events could not be committed: is another process writing here?`);
    for (const [chainId, head] of outcome.heads) heads.set(chainId, head);
    governor.take(chunk, outcome.changed, latest);
    events += chunk.length;
    chunk = [];
    count = 0;
    options.onProgress?.(events);
  };

  const refuse = async (bad: Quarantined): Promise<void> => {
    const put = quarantinePut(bad as unknown as { [key: string]: Json }, latest);
    if (!quarantined.has(put.sk)) quarantined.set(put.sk, bad);
    await store.putAll([put]);
  };

  for await (const batch of batches) {
    for (const line of batch) {
      if (typeof line !== "string") {
        await refuse(line);
        continue;
      }
      if (line === "" || line.trim() === "") continue;
      const parsed = parseEntryText(line, "replay");
      let judged = false;
      for (const one of parsed.told) {
        if (one.event.at > latest) {
          // A window may turn: what stands is judged in the old one first.
          if (governor.judges && one.event.at.slice(0, HOUR) !== latest.slice(0, HOUR) && chunk.length > 0)
            await drain();
          latest = one.event.at;
        }
        judged ||= governor.isMoved(one);
        chunk.push(one);
      }
      for (const bad of parsed.quarantined) await refuse(bad);
      if (parsed.oversized !== null) {
        causes.push({
          rule: "oversized_entry",
          subject: `source:${parsed.oversized}`,
          severity: "warning",
          sample: "more than 50 events",
        });
      }
      if (++count >= CHUNK_LINES || judged) await drain();
    }
  }
  await drain();

  const now = options.now ?? (latest === "" ? new Date(0).toISOString() : latest);
  const payments: Payment[] = [];
  const figures = new Map<string, bigint>();
  for await (const { payment, findings, applied } of eachPayment(store, world, now, null, null)) {
    payments.push(payment);
    addEffects(figures, applied);
    causes.push(...paymentCauses(payment, findings, world.directory));
  }
  causes.push(...quarantineCauses([...quarantined.values()]), ...governor.causes());
  return {
    payments,
    budgets: budgetRows(config.budgets, Object.fromEntries(figures), config.org, now),
    alerts: openAlerts(causes, now),
    actions: governor.actions(),
    quarantined: [...quarantined.values()],
  };
}
