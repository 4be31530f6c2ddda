/** `bursar budgets raise`: lifts a budget's limit until a time, or takes that back. */
import type { Input } from "../args.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { nameOf, reasonOf, untilOf, usdOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { type ChangedBudget, changedLines } from "../terminal/changed-budget.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const id = nameOf(input, "budget", "bursar budgets raise research-day --to 20.00 --until +2h --reason TEXT");
  const order = input.flag("end") ? endOf(input) : raiseOf(input, io);
  const { client } = await openMachine(input, io);
  const changed = (await client.post("/api/orders/raise-budget", { id, ...order })) as ChangedBudget;
  if (input.flag("json")) printJson(io, changed);
  else printLines(io, changedLines(changed, io.now().toISOString(), io.screen()));
  return EXIT.done;
}

function endOf(input: Input): object {
  if (input.text("to") !== null || input.text("until") !== null)
    throw new UsageError("--end takes the raise back now: give neither --to nor --until with it.");
  return { toUsd: null };
}

function raiseOf(input: Input, io: Io): object {
  const toUsd = usdOf(input, "to");
  const until = untilOf(input, io.now());
  if (toUsd === null)
    throw new UsageError("Say to what limit: --to USD, like --to 20.00; or --end takes a raise back.");
  if (until === null) throw new UsageError("Say until when: --until TIME, like --until +2h. A raise ends by itself.");
  return { toUsd, until, reason: reasonOf(input) };
}
