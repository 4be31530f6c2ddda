/** `bursar budgets set`: puts a budget in force, changes one, or takes one away. */
import { clean } from "@bursar/events/text";
import type { Input } from "../args.ts";
import { EXIT, UsageError } from "../errors.ts";
import { type Io, printJson, printLines } from "../io.ts";
import { nameOf, SCOPE_KINDS, scopeOf, usdOf } from "../orders-input.ts";
import { openMachine } from "../reader.ts";
import { type ChangedBudget, changedLines } from "../terminal/changed-budget.ts";

const WINDOWS = ["hour", "day", "week", "month", "total"] as const;
const MODES = ["enforce", "observe"] as const;
const DEEDS = ["alert", "revoke", "freeze"] as const;
const MEMBERS = ["scope", "window", "limit", "mode", "threshold"] as const;

export async function run(input: Input, io: Io): Promise<number> {
  const id = nameOf(input, "budget", "bursar budgets set research-day --limit 8.00");
  const given = membersOf(input);
  const removes = input.flag("remove");
  if (removes && Object.keys(given).length > 0)
    throw new UsageError("--remove takes the budget away: give nothing else with it.");
  if (!removes && Object.keys(given).length === 0)
    throw new UsageError(`Say what of ${clean(id, 80)} to set: ${MEMBERS.map((name) => `--${name}`).join(", ")}.`);
  const { client } = await openMachine(input, io);
  const path = removes ? "/api/orders/remove-budget" : "/api/orders/set-budget";
  const changed = (await client.post(path, { id, ...given })) as ChangedBudget;
  if (input.flag("json")) printJson(io, changed);
  else printLines(io, changedLines(changed, io.now().toISOString(), io.screen()));
  return EXIT.done;
}

/** What was typed, as the config writes it. Members that were not are left out, and stay as they are. */
function membersOf(input: Input): object {
  const scope = scopeOf(input, SCOPE_KINDS);
  const window = input.choice("window", WINDOWS);
  const limit = usdOf(input, "limit");
  const mode = input.choice("mode", MODES);
  const thresholds = input.texts("threshold");
  return {
    ...(scope === null ? {} : { scope: { [scope.kind]: scope.id } }),
    ...(window === null ? {} : { window }),
    ...(limit === null ? {} : { limitUsd: limit }),
    ...(mode === null ? {} : { mode }),
    ...(thresholds.length === 0 ? {} : { thresholds: thresholdsOf(thresholds) }),
  };
}

/** Nobody waits for ten times a limit: a larger share was meant as percents. */
const SHARE_LIKELY_MAX = 10;

function thresholdsOf(texts: readonly string[]): readonly object[] {
  if (texts.length === 1 && texts[0] === "none") return [];
  return texts.map((text) => {
    const [, number, percent, deed] = /^(\d+(?:\.\d+)?)\s?(%?)=([a-z]+)$/.exec(text) ?? [];
    const known = DEEDS.find((one) => one === deed);
    const at = Number(number) / (percent === "%" ? 100 : 1);
    if (known !== undefined && at > SHARE_LIKELY_MAX)
      throw new UsageError(
        `--threshold is "${clean(text, 80)}", and that is ${at * 100} %: write ${at}%=${known}, or ${at / 100}=${known}.`,
      );
    if (known !== undefined && at > 0) return { at, do: known };
    throw new UsageError(
      `--threshold is "${clean(text, 80)}": write a share of the limit and what to do, like 0.5=alert, 1=revoke or 1=freeze.`,
    );
  });
}
