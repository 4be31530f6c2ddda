/** `bursar actions`: what Bursar did, and why, the latest first. */
import type { Action } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { actionNotes, actionTable } from "../terminal/action-table.ts";
import { plural } from "../terminal/figures.ts";
import { painter } from "../terminal/style.ts";

const OUTCOMES = ["due", "done", "failed", "skipped"] as const;
const LIMIT_DEFAULT = 20;

export async function run(input: Input, io: Io): Promise<number> {
  const outcome = input.choice("outcome", OUTCOMES);
  const agent = input.text("agent");
  const limit = input.integer("limit", 1, 100_000);
  const { client } = await openMachine(input, io);
  const answer = (await client.get("/api/actions")) as { readonly actions: readonly Action[] };
  const found = answer.actions.filter(
    (action) =>
      (outcome === null || action.outcome === outcome) && (agent === null || action.agentIds?.includes(agent) === true),
  );
  if (input.flag("json")) printJson(io, { ...answer, actions: limit === null ? found : found.slice(0, limit) });
  else printLines(io, linesOf(found, limit ?? LIMIT_DEFAULT, answer.actions.length, io));
  return EXIT.done;
}

function linesOf(found: readonly Action[], limit: number, all: number, io: Io): string[] {
  if (found.length === 0)
    return [all === 0 ? "Bursar has done nothing: no budget asked for it." : "No action passes these filters."];
  const screen = io.screen();
  const shown = found.slice(0, limit);
  const notes = actionNotes(shown, screen);
  const more = shown.length < found.length ? [`the latest ${shown.length} of ${plural(found.length, "action")}`] : [];
  return [
    ...actionTable(shown, io.now().toISOString(), screen),
    ...(notes.length === 0 ? [] : ["", ...notes]),
    ...(more.length === 0 ? [] : ["", ...more.map((line) => painter(screen)("dim", line))]),
  ];
}
