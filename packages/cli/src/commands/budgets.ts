/** `bursar budgets`: what is spent and held of every limit. */
import type { Budget } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { budgetLines } from "../terminal/budget-lines.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const { client } = await openMachine(input, io);
  const answer = (await client.get("/api/budgets")) as { budgets: readonly Budget[] };
  if (input.flag("json")) printJson(io, answer);
  else if (answer.budgets.length > 0) printLines(io, budgetLines(answer.budgets, io.screen(), io.now().toISOString()));
  else printLines(io, ["Nothing is spent or held under any budget. Budgets stand in bursar.config.ts, under budgets."]);
  return EXIT.done;
}
