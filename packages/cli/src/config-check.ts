/** What doctor says of the config: whether it can be read, and which of its names mean nothing. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import { type Config, ConfigError } from "@bursar/events/config-schema";
import { type Check, type CheckOptions, fail, ok, warn } from "./check.ts";
import { loadConfig } from "./config-file.ts";
import { nearest } from "./nearest.ts";
import { demoConfigFile } from "./reader.ts";
import { plural } from "./terminal/figures.ts";

export async function checkConfig({
  config,
  cwd,
  data,
}: CheckOptions): Promise<{ config: Config | null; check: Check }> {
  try {
    const loaded = await loadConfig(config, cwd);
    const { agents, apis, budgets } = loaded.config;
    const counts = [
      plural(Object.keys(agents).length, "agent"),
      plural(Object.keys(apis).length, "API"),
      plural(budgets.length, "budget"),
    ];
    const said = counts.join(", ");
    if (loaded.file !== null) {
      const demo = config === null && existsSync(resolve(cwd, demoConfigFile(data)));
      const also = demo ? ` (the demo in ${data} runs by its own)` : "";
      const strangers = [...strangersOf(loaded.config), ...percentsOf(loaded.config)];
      const check =
        strangers.length === 0
          ? ok("config", `${loaded.file}: ${said}${also}`)
          : warn(
              "config",
              [`${loaded.file}: ${said}${also}`, ...strangers].join("\n"),
              "A budget of a name that nobody has, or a threshold that nobody reaches, holds nobody back: check each.",
            );
      return { config: loaded.config, check };
    }
    const remedy = "Write bursar.config.ts, or name a file with --config. The demo brings its own.";
    return {
      config: loaded.config,
      check: warn("config", "there is none: nothing has a budget and no wallet an owner", remedy),
    };
  } catch (error) {
    const fields = error instanceof ConfigError ? error.message : `cannot be read: ${(error as Error).message}`;
    return {
      config: null,
      check: fail("config", fields, "Each line names a field, what it holds and what it should hold."),
    };
  }
}

/** Thresholds that were probably meant as percents, in words. */
function percentsOf({ budgets }: Config): string[] {
  return budgets.flatMap(({ thresholds }, i) =>
    thresholds.flatMap(({ at }, j) =>
      at <= SHARE_LIKELY_MAX
        ? []
        : [`budgets[${i}].thresholds[${j}].at is ${at}, and that is ${at * 100} %: 0.8 is 80 %`],
    ),
  );
}

/** Nobody waits for ten times a limit. */
const SHARE_LIKELY_MAX = 10;

/** Scopes of budgets that name no agent or API of the config, in words. */
function strangersOf({ agents, apis, budgets }: Config): string[] {
  return budgets.flatMap(({ scope: { kind, id } }, i) => {
    if (id === "*" || (kind !== "agent" && kind !== "api")) return [];
    const known = kind === "agent" ? agents : apis;
    if (Object.hasOwn(known, id)) return [];
    const meant = nearest(id, Object.keys(known));
    const hint = meant === null ? "" : `, did you mean "${meant}"?`;
    return [`budgets[${i}].scope names the ${kind === "api" ? "API" : "agent"} "${id}", and there is none${hint}`];
  });
}
