/** `bursar sessions`: the payment sessions, and what they may still spend. */
import type { Session } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { plural } from "../terminal/figures.ts";
import { driftLines, latestFirst, sessionTable } from "../terminal/session-table.ts";
import { painter } from "../terminal/style.ts";

const STATUSES = ["open", "revoked", "expired", "unknown"] as const;
const LIMIT_DEFAULT = 20;

export async function run(input: Input, io: Io): Promise<number> {
  const status = input.choice("status", STATUSES);
  const agent = input.text("agent");
  const limit = input.integer("limit", 1, 100_000);
  const { client } = await openMachine(input, io);
  const answer = (await client.get("/api/sessions")) as { readonly sessions: readonly Session[] };
  const found = answer.sessions.filter(
    (session) => (status === null || session.status === status) && (agent === null || session.agentId === agent),
  );
  if (input.flag("json")) printJson(io, { ...answer, sessions: limit === null ? found : found.slice(0, limit) });
  else printLines(io, linesOf(found, limit ?? LIMIT_DEFAULT, answer.sessions.length, io));
  return EXIT.done;
}

function linesOf(found: readonly Session[], limit: number, all: number, io: Io): string[] {
  if (found.length === 0)
    return [
      all === 0 ? "No sessions were seen: agents name theirs when they sign." : "No session passes these filters.",
    ];
  const screen = io.screen();
  const shown = latestFirst(found).slice(0, limit);
  const drifts = driftLines(shown, screen);
  const more = shown.length < found.length ? `the latest ${shown.length} of ${plural(found.length, "session")}. ` : "";
  return [
    ...sessionTable(shown, io.now().toISOString(), screen),
    ...(drifts.length === 0 ? [] : ["", ...drifts]),
    "",
    painter(screen)("dim", `${more}Delete one: bursar revoke SESSION --reason TEXT`),
  ];
}
