/** `bursar alerts show`: one alert with its samples, since when it stands, and what to do about it. */
import type { KeptAlert } from "@bursar/core/alert-shape";
import type { Input } from "../args.ts";
import { CommandError, EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { nameOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { alertPage } from "../terminal/alert-page.ts";
import { safe } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const name = nameOf(input, "alert", "bursar alerts show not_on_chain/agent:research");
  const { client } = await openMachine(input, io);
  const found = await client.get(`/api/alerts/${encodeURIComponent(name)}`);
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
  const alert = found as KeptAlert;
  if (input.flag("json")) printJson(io, alert);
  else printLines(io, alertPage(alert, io.screen()));
  return EXIT.done;
}

/** Alerts that are named where a beginning fits many. */
const LISTED_MAX = 10;
