/** `bursar alerts show`: one alert with its samples, since when it stands, and what to do about it. */
import { subjectOf, textOf } from "@bursar/core/alert-mail";
import type { KeptAlert } from "@bursar/core/alert-shape";
import { blocksOf } from "@bursar/core/alert-slack";
import type { AlertNotice } from "@bursar/events/alert-notice";
import type { Input } from "../args.ts";
import { CommandError, EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { nameOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { alertPage } from "../terminal/alert-page.ts";
import { safe } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const name = nameOf(input, "alert", "bursar alerts show not_on_chain/agent:research");
  const as = input.choice("as", FORMS);
  const { client } = await openMachine(input, io);
  const path = as === null ? "alerts" : "notices";
  const found = await client.get(`/api/${path}/${encodeURIComponent(name)}`);
  if (found === null) {
    const { alerts } = (await client.get("/api/alerts")) as { readonly alerts: readonly KeptAlert[] };
    const fits = alerts.map(({ id }) => id).filter((id) => id.toLowerCase().startsWith(name.toLowerCase()));
    const listed = fits.slice(0, LISTED_MAX).map((id) => `  ${safe(id)}`);
    throw new CommandError(
      fits.length === 0
        ? `No alert's id begins with "${safe(name)}". See: bursar alerts`
        : [`"${safe(name)}" fits ${fits.length} alerts; give more of it:`, ...listed].join("\n"),
    );
  }
  if (as !== null) {
    printAs(as, (found as { readonly notice: AlertNotice }).notice, io);
    return EXIT.done;
  }
  const alert = found as KeptAlert;
  if (input.flag("json")) printJson(io, alert);
  else printLines(io, alertPage(alert, io.screen()));
  return EXIT.done;
}

const FORMS = ["email", "slack", "json"] as const;

/** The alert as a channel would tell it. */
function printAs(as: (typeof FORMS)[number], notice: AlertNotice, io: Io): void {
  if (as === "email") printLines(io, [`Subject: ${subjectOf(notice)}`, "", ...textOf(notice).trimEnd().split("\n")]);
  else printJson(io, as === "slack" ? blocksOf(notice) : notice);
}

/** Alerts that are named where a beginning fits many. */
const LISTED_MAX = 10;
