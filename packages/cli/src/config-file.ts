/** Finds, loads and checks the config: `bursar.config.ts`, `.mjs` or `.json`. */
import { existsSync, readFileSync } from "node:fs";
import { basename, extname, resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { ALERT_RULES } from "@bursar/core/alert-rules";
import { type Config, ConfigError, parseConfig } from "@bursar/events/config-schema";
import { nearest } from "./nearest.ts";

/** Looked for in this order where no file is named. */
const DEFAULT_FILES = ["bursar.config.ts", "bursar.config.mjs", "bursar.config.json"] as const;

export interface LoadedConfig {
  readonly config: Config;
  /** Null where no file was named and none of the default ones is there: the config is empty then. */
  readonly file: string | null;
}

/**
 * The config in `file`, else in the first default file in `directory`, else an empty one of the organisation "local".
 * @throws {ConfigError} that names the file, and the fields that are wrong
 */
export async function loadConfig(file: string | null = null, directory = process.cwd()): Promise<LoadedConfig> {
  if (file !== null) {
    const path = resolve(directory, file);
    if (!existsSync(path)) {
      throw new ConfigError(file, ["no such file: name an existing one with --config, or leave --config away"]);
    }
    return { config: checked(await read(path, file), file), file: path };
  }
  for (const name of DEFAULT_FILES) {
    const path = resolve(directory, name);
    if (existsSync(path)) return { config: checked(await read(path, name), name), file: path };
  }
  return { config: parseConfig({ org: "local" }), file: null };
}

/** What the file holds, not yet checked. */
async function read(path: string, shown: string): Promise<unknown> {
  const extension = extname(path);
  if (extension === ".json") {
    try {
      return JSON.parse(readFileSync(path, "utf8").replace(/^\uFEFF/, ""));
    } catch (error) {
      throw new ConfigError(shown, [`is no JSON: ${(error as Error).message}`]);
    }
  }
  if (![".ts", ".mts", ".mjs", ".js"].includes(extension)) {
    throw new ConfigError(shown, [`is no config: "${basename(path)}" must end in .ts, .mjs or .json`]);
  }
  let module: { default?: unknown };
  try {
    module = extension.endsWith("ts") ? await importTypeScript(path) : await import(pathToFileURL(path).href);
  } catch (error) {
    throw new ConfigError(shown, [`cannot be loaded: ${loadFault(error as Error)}`]);
  }
  // A .ts file in a package without "type": "module" is loaded as CommonJS, one level deeper.
  const exported = module.default as { __esModule?: boolean; default?: unknown } | undefined;
  const config = exported?.__esModule === true && "default" in exported ? exported.default : exported;
  if (config === undefined) {
    throw new ConfigError(shown, ["has no default export: write `export default defineConfig({ ... })`"]);
  }
  return config;
}

/** A slip in a rule's name would leave the rule as it is, and say nothing. */
function checked(input: unknown, shown: string): Config {
  const config = parseConfig(input, shown);
  const rules = Object.keys(ALERT_RULES);
  const unknown = Object.keys(config.alerts.rules).filter((name) => !rules.includes(name));
  if (unknown.length === 0) return config;
  throw new ConfigError(
    shown,
    unknown.map((name) => {
      const meant = nearest(name, rules);
      const hint = meant === null ? `rules are ${rules.join(", ")}` : `did you mean "${meant}"?`;
      return `alerts.rules.${name}: there is no such rule: ${hint}`;
    }),
  );
}

/** Outside of Bursar's own directory there is no `@bursar/events`, and a config does not need it. */
function loadFault({ message }: Error): string {
  return /^Cannot find (?:package|module) '@bursar\/events/.test(message)
    ? "@bursar/events is in Bursar's own directory only: leave its import away and write `export default { ... }`"
    : message;
}

/** Loads tsx only for who has a config in TypeScript; `tsconfig: false`, so that no paths of theirs reach our imports. */
async function importTypeScript(path: string): Promise<{ default?: unknown }> {
  const { tsImport } = await import("tsx/esm/api");
  return tsImport(pathToFileURL(path).href, { parentURL: import.meta.url, tsconfig: false });
}
