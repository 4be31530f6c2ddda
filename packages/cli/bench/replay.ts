/**
 * Events per second of the fold alone, and of `replay` into a durable store; beside each, in the same run, what
 * reading the same lines costs: the limit that no amount of work on the steps can pass.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { homeOf } from "@bursar/core/fact";
import { empty, fold } from "@bursar/core/payment";
import { replay } from "@bursar/core/replay";
import type { BudgetInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import { parseEntryText } from "@bursar/events/envelope";
import { openLmdbStore } from "@bursar/store/lmdb";
import { benchConfig, EVENTS_PER_PAYMENT, honestLines } from "./honest-lines.ts";

const BATCH = 500;
const DEFAULT_PAYMENTS = 15_000;

export async function benchReplay(payments = DEFAULT_PAYMENTS): Promise<void> {
  console.log(
    `replay, ${cpus().length} cores (${cpus()[0]?.model.trim()}), ${payments} honest payments of ${EVENTS_PER_PAYMENT} events`,
  );
  const lines = honestLines(payments);
  await replayed(lines.slice(0, 13_000)); // Node compiles what runs often
  report(
    "JSON.parse of the lines alone (limit)",
    lines.length,
    time(() => lines.forEach((line) => void JSON.parse(line))),
  );
  report(
    "parse and check the contract (limit)",
    lines.length,
    time(() => lines.forEach((line) => void parseEntryText(line, "replay"))),
  );
  report("fold, events in memory", lines.length, foldAll(lines));
  report("replay into a durable store", lines.length, await replayed(lines));
  const fewer = lines.slice(0, Math.floor(lines.length / EVENTS_PER_PAYMENT / 3) * EVENTS_PER_PAYMENT);
  report("the same, judging a threshold", fewer.length, await replayed(fewer, [{ at: 0.5, do: "alert" }]));
}

/** Seconds that the fold takes over facts that are parsed and sorted by payment. */
function foldAll(lines: readonly string[]): number {
  const homes = lines.flatMap((line) => parseEntryText(line, "replay").told.map((told) => homeOf(told, 42161)));
  const own = homes.filter((home) => home.paymentId !== null);
  const seconds = time(() => {
    const payments = new Map<string, ReturnType<typeof empty>>();
    for (const { paymentId, fact } of own) {
      const id = paymentId ?? "";
      payments.set(id, fold(payments.get(id) ?? empty(id), fact));
    }
  });
  return (seconds * lines.length) / own.length;
}

/** Seconds from the first line to the last byte on disk. */
async function replayed(lines: readonly string[], thresholds: BudgetInput["thresholds"] = []): Promise<number> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const store = await openLmdbStore(directory, { durability: "flush", feedLength: 0, groupWrites: 32_768 });
  try {
    const start = performance.now();
    const budgets = benchConfig.budgets.map((budget) => ({ ...budget, thresholds }));
    const { payments } = await replay(store, parseConfig({ ...benchConfig, budgets }), batches(lines));
    await store.flush();
    const seconds = (performance.now() - start) / 1000;
    if (payments.some(({ verdict }) => verdict !== "matched")) throw new Error("an honest payment did not match");
    return seconds;
  } finally {
    await store.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function* batches(lines: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let i = 0; i < lines.length; i += BATCH) yield lines.slice(i, i + BATCH);
}

function time(run: () => void): number {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
}

function report(name: string, events: number, seconds: number): void {
  console.log(
    `  ${name.padEnd(40)} ${Math.round(events / seconds)
      .toLocaleString("en")
      .padStart(9)} events/s`,
  );
}
