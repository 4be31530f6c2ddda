/** `bursar doctor`: what is in place and what is not, each with its remedy. */
import type { Input } from "../args.ts";
import type { Check } from "../check.ts";
import { checkAll } from "../checks.ts";
import { PORT_DEFAULT } from "../client.ts";
import { EXIT } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { DATA_DEFAULT } from "../reader.ts";
import { plural } from "../terminal/figures.ts";
import { type Color, painter } from "../terminal/style.ts";
import { padEnd, safe, wrap } from "../terminal/text.ts";

export async function run(input: Input, io: Io): Promise<number> {
  const checks = await checkAll({
    port: input.integer("port", 1, 65_535) ?? PORT_DEFAULT,
    data: input.text("data") ?? DATA_DEFAULT,
    config: input.text("config"),
    cwd: io.cwd,
    env: io.env,
  });
  const failed = checks.filter(({ outcome }) => outcome === "fail").length;
  if (input.flag("json")) printJson(io, { ok: failed === 0, checks });
  else printLines(io, doctorLines(checks, io));
  return failed === 0 ? EXIT.done : EXIT.failed;
}

const COLORS: { readonly [outcome in Check["outcome"]]: Color } = { ok: "green", warn: "yellow", fail: "red" };

function doctorLines(checks: readonly Check[], io: Io): string[] {
  const screen = io.screen();
  const paint = painter(screen);
  const width = Math.min(screen.columns, 100) - 18;
  const lines = checks.flatMap(({ name, outcome, said, remedy }) => {
    const text = safe(said).length === 0 ? [""] : said.split("\n").flatMap((line) => wrap(safe(line), width));
    const head = `${paint(COLORS[outcome], padEnd(outcome, 6))}${padEnd(name, 12)}`;
    const rest = [...text.slice(1), ...(remedy === null ? [] : wrap(safe(remedy), width))];
    return [`${head}${text[0] ?? ""}`, ...rest.map((line) => `${" ".repeat(18)}${line}`)];
  });
  const count = (outcome: Check["outcome"]) => checks.filter((check) => check.outcome === outcome).length;
  const [warned, failed] = [count("warn"), count("fail")];
  const verdict =
    failed > 0
      ? `${plural(failed, "check")} failed.`
      : warned > 0
        ? `Ready, with ${plural(warned, "warning")}.`
        : "Everything is in place.";
  return [...lines, "", verdict];
}
