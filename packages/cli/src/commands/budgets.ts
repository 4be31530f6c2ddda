/** `bursar budgets`: what is spent and held of every limit. */
import type { Budget } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { budgetLines } from "../terminal/budget-lines.ts";
import { painter } from "../terminal/style.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const { client } = await openMachine(input, io);
  const window = input.flag("all") ? "all" : "current";
  const answer = (await client.get("/api/budgets", { window })) as { budgets: readonly Budget[] };
  if (input.flag("json")) printJson(io, answer);
  else printLines(io, linesOf(answer.budgets, window, io));
  return EXIT.done;
}

function linesOf(budgets: readonly Budget[], window: string, io: Io): string[] {
  if (budgets.length === 0)
    return [
      `Nothing is spent or held under any budget${window === "all" ? "" : " in the windows that are now"}.`,
      "Budgets stand in bursar.config.ts, under budgets, or are set: bursar budgets set --help",
    ];
  const screen = io.screen();
  const counting = budgets.some(({ backfilling }) => backfilling === true)
    ? ["", painter(screen)("yellow", "counting: payments from before the budget are still being added to its figure.")]
    : [];
  return [...budgetLines(budgets, screen, io.now().toISOString()), ...counting];
}
