/** `bursar budgets`: what is spent and held of every limit. */
import type { Budget } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import type { PolicyInForce } from "../reads.ts";
import { budgetLines } from "../terminal/budget-lines.ts";
import { stamp, usd } from "../terminal/figures.ts";
import { painter } from "../terminal/style.ts";
import { safe, wrap } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const { client } = await openMachine(input, io);
  const window = input.flag("all") ? "all" : "current";
  const answer = (await client.get("/api/budgets", { window })) as { budgets: readonly Budget[] };
  const { policies } = (await client.get("/api/policies")) as { policies: readonly PolicyInForce[] };
  if (input.flag("json")) printJson(io, { ...answer, policies });
  else printLines(io, [...linesOf(answer.budgets, window, io), ...quietLines(answer.budgets, policies, io)]);
  return EXIT.done;
}

/** Budgets under which nothing is spent or held, so that nobody takes them for gone; and why a limit is raised. */
function quietLines(budgets: readonly Budget[], policies: readonly PolicyInForce[], io: Io): string[] {
  const width = Math.min(io.screen().columns, 100);
  const quiet = policies.filter(({ id }) => !budgets.some(({ policy }) => policy === id)).map(({ id }) => id);
  const raised = policies.flatMap(({ id, raise }) =>
    raise === null
      ? []
      : wrap(`${id} is raised to ${usd(raise.to)} until ${stamp(raise.until)}: ${safe(raise.reason)}`, width),
  );
  const said = quiet.length === 0 ? [] : wrap(`nothing yet under ${quiet.map(safe).join(", ")}`, width);
  return raised.length + said.length === 0 ? [] : ["", ...raised, ...said];
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
