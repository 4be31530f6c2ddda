/** `bursar recount`: proves that every counter is the sum of its payments. */
import type { Recount } from "@bursar/core/recount";
import type { Input } from "../args.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { openReader } from "../reader.ts";
import { plural, usd } from "../terminal/figures.ts";
import { painter } from "../terminal/style.ts";
import { table } from "../terminal/table.ts";
import { safe, wrap } from "../terminal/text.ts";

/** Differences that are listed; --json has them all. */
const SHOWN = 50;

export async function run(input: Input, io: Io): Promise<number> {
  const reader = await openReader(input, io);
  try {
    const live = io.errScreen().live;
    if (live) io.err.write("Adding up ...");
    const found = await reader.recount().finally(() => {
      if (live) io.err.write("\r\u001b[K");
    });
    if (input.flag("json")) printJson(io, found);
    else printLines(io, linesOf(found, reader.health === null ? reader.from : null, io));
    return found.wrong.length + found.wrongAlerts.length === 0 ? EXIT.done : EXIT.failed;
  } finally {
    await reader.close();
  }
}

function linesOf(
  { payments, counters, wrong, stale, wrongAlerts }: Recount,
  directory: string | null,
  io: Io,
): string[] {
  const screen = io.screen();
  const paint = painter(screen);
  const source = directory === null ? "" : ` (read from ${safe(directory)}; no machine runs)`;
  const counted = `${plural(payments, "payment")}, ${plural(counters, "counter")}`;
  const lines =
    wrong.length === 0
      ? [`${counted}: ${paint("green", "every counter equals the sum of its payments.")}${source}`]
      : [
          `${counted}: ${paint("red", `${plural(wrong.length, "counter")} ${wrong.length === 1 ? "differs" : "differ"}`)} from the sum of its payments.${source}`,
          "",
          ...table(
            [
              { title: "COUNTER", min: 20 },
              { title: "KEPT", align: "right" },
              { title: "SUM", align: "right" },
              { title: "DIFFERENCE", align: "right" },
            ],
            wrong
              .slice(0, SHOWN)
              .map(({ counter, kept, counted: sum }) => [
                counter.replaceAll("|", " "),
                usd(kept),
                usd(sum),
                usd(BigInt(kept) - BigInt(sum)),
              ]),
            screen,
          ),
          ...(wrong.length > SHOWN ? [`and ${wrong.length - SHOWN} more: --json has them all`] : []),
          "",
          "Budgets are judged by what is kept. This is a fault in Bursar: please report it with bursar recount --json.",
        ];
  for (const { alert, kept, counted: sum } of wrongAlerts.slice(0, SHOWN))
    lines.push(`${paint("red", "alert")} ${safe(alert)}: ${plural(kept, "payment")} counted, ${sum} found in it.`);
  const waits = `${plural(stale, "payment")} ${stale === 1 ? "is" : "are"} not counted under the budgets of now yet: ${
    directory === null ? "a running machine does that in the background" : "the next start does that"
  }.`;
  return stale === 0 ? lines : [...lines, ...wrap(waits, Math.min(screen.columns, 100))];
}
