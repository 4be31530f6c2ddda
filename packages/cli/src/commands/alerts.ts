/** `bursar alerts`: what somebody should look at, the gravest and latest first. */
import type { Alert, Severity } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { alertLines } from "../terminal/alert-lines.ts";

const STATUSES = ["open", "acknowledged", "resolved"] as const;
const GRAVITY: readonly Severity[] = ["critical", "warning", "info"];

export async function run(input: Input, io: Io): Promise<number> {
  const status = input.choice("status", STATUSES) ?? "open";
  const { client } = await openMachine(input, io);
  const answer = (await client.get("/api/alerts", { status })) as { alerts: readonly Alert[] };
  if (input.flag("json")) {
    printJson(io, answer);
    return EXIT.done;
  }
  const alerts = [...answer.alerts].sort(
    (a, b) => GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity) || (a.updatedAt < b.updatedAt ? 1 : -1),
  );
  printLines(io, alerts.length === 0 ? [`No alert is ${status}.`] : alertLines(alerts, io.screen()));
  return EXIT.done;
}
