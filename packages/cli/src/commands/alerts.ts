/** `bursar alerts`: what somebody should look at, the gravest and latest first; what somebody has seen stands apart. */
import type { Quiet } from "@bursar/core/alert-settings";
import type { KeptAlert } from "@bursar/core/alert-shape";
import type { Severity } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import type { Client } from "../client.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openMachine } from "../reader.ts";
import { alertLines, quietLines } from "../terminal/alert-lines.ts";
import { painter } from "../terminal/style.ts";

const STATUSES = ["open", "acknowledged", "resolved"] as const;
const GRAVITY: readonly Severity[] = ["critical", "warning", "info"];

interface AlertPage {
  readonly alerts: readonly KeptAlert[];
  readonly quiets: readonly Quiet[];
}

export async function run(input: Input, io: Io): Promise<number> {
  const status = input.choice("status", STATUSES);
  const { client } = await openMachine(input, io);
  const wanted = status === null ? (["open", "acknowledged"] as const) : ([status] as const);
  const pages = await Promise.all(wanted.map((one) => pageOf(client, one)));
  const alerts = pages.flatMap((page) => page.alerts);
  const quiets = pages[0]?.quiets ?? [];
  if (input.flag("json")) {
    printJson(io, { alerts, quiets, nextCursor: null });
    return EXIT.done;
  }
  const screen = io.screen();
  const [first, acknowledged] = pages;
  const lines = [
    ...(first === undefined || first.alerts.length === 0
      ? [`No alert is ${status ?? "open"}.`]
      : alertLines(first.alerts, screen)),
    ...(acknowledged === undefined || acknowledged.alerts.length === 0
      ? []
      : ["", painter(screen)("dim", "Acknowledged, until it changes:"), ...alertLines(acknowledged.alerts, screen)]),
    ...(quiets.length === 0 ? [] : ["", ...quietLines(quiets, screen)]),
  ];
  printLines(io, lines);
  return EXIT.done;
}

async function pageOf(client: Client, status: string): Promise<AlertPage> {
  const page = (await client.get("/api/alerts", { status })) as AlertPage;
  const alerts = [...page.alerts].sort(
    (a, b) => GRAVITY.indexOf(a.severity) - GRAVITY.indexOf(b.severity) || (a.updatedAt < b.updatedAt ? 1 : -1),
  );
  return { ...page, alerts };
}
