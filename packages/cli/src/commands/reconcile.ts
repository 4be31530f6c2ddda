/** `bursar reconcile`: one day's three-way balance, and what does not add up. */
import type { Input } from "../args.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openReader } from "../reader.ts";
import type { Reading, Reconciled } from "../reconcile.ts";
import { dayFor } from "../reconcile-days.ts";
import { count, duration } from "../terminal/figures.ts";
import { reconcileLines } from "../terminal/reconcile-lines.ts";
import { cut } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const name = input.text("day") ?? "today";
  const day = dayFor(name, io.now().toISOString());
  if (typeof day === "string") throw new UsageError(`--day is ${day}.`);
  const reader = await openReader(input, io);
  const progress = progressOn(io);
  try {
    // By its date: it may be another day when the machine is asked.
    const found = await reader.reconcile(day.name, progress.show).finally(progress.clear);
    if (input.flag("json")) printJson(io, found);
    else printLines(io, reconcileLines(found, reader.health === null ? reader.from : null, io.screen()));
    return isDone(found) ? EXIT.done : EXIT.failed;
  } finally {
    await reader.close();
  }
}

/** The day adds up, as far as it is over; or nobody has named a chain to compare with, and the counters are right. */
function isDone({ equal, chain, chainFailed, counters }: Reconciled): boolean {
  if (chainFailed || counters.wrong.length > 0) return false;
  return equal !== false && !(chain?.isOver === true && chain.unread > 0);
}

/** One line on a terminal, gone when the work is done. */
function progressOn(io: Io): { show(reading: Reading): void; clear(): void } {
  const screen = io.errScreen();
  if (!screen.live) return { show() {}, clear() {} };
  let started: number | null = null;
  return {
    show({ step, done, whole }) {
      if (step === "chain") started ??= performance.now();
      const seconds = started === null ? 0 : (performance.now() - started) / 1000;
      const left =
        whole !== null && done > 0 && done < whole
          ? `, about ${duration(Math.ceil((seconds * (whole - done)) / done))} left`
          : "";
      const line =
        step === "books"
          ? `Reading the books: ${count(done)} payments ...`
          : `Reading the chain: ${whole === null ? "looking for the day's blocks" : `${count(done)} of ${count(whole)} blocks${left}`} ...`;
      io.err.write(`\r\u001b[K${cut(line, screen.columns - 1, "")}`);
    },
    clear: () => void io.err.write("\r\u001b[K"),
  };
}
