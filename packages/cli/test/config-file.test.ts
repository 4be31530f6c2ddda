/** The config file: found, loaded, checked, and refused with the file and the field. */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { loadConfig } from "../src/config-file.ts";
import { directoryForTest } from "./machines.ts";

function directoryWith(files: Readonly<Record<string, string>>): string {
  const directory = directoryForTest();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
  return directory;
}

describe("loadConfig", () => {
  test.each([
    ["bursar.config.ts", 'export default { org: "acme" as string };'],
    ["bursar.config.mjs", 'export default { org: "acme" };'],
    ["bursar.config.json", '\uFEFF{ "org": "acme" }'],
    ["mine.json", '{ "org": "acme" }'],
  ])("reads %s", async (name, text) => {
    const directory = directoryWith({ [name]: text });
    const named = await loadConfig(name, directory);
    expect(named).toMatchObject({ config: { org: "acme" }, file: join(directory, name) });
    if (name.startsWith("bursar.config")) expect((await loadConfig(null, directory)).file).toBe(join(directory, name));
  });

  test("none at all is an empty one of the organisation local", async () => {
    expect(await loadConfig(null, directoryForTest())).toMatchObject({
      config: { org: "local", budgets: [] },
      file: null,
    });
  });

  test.each([
    ["a named file that is not there", "absent.ts", {}, "absent.ts: no such file"],
    [
      "a slip in a rule's name",
      "a.json",
      { "a.json": '{ "org": "acme", "alerts": { "rules": { "unreported_by_apii": { "tell": false } } } }' },
      'a.json: alerts.rules.unreported_by_apii: there is no such rule: did you mean "unreported_by_api"?',
    ],
    ["no JSON", "a.json", { "a.json": "{" }, "a.json: is no JSON"],
    ["a syntax error", "a.mjs", { "a.mjs": "export default {" }, "a.mjs: cannot be loaded"],
    ["one that throws", "a.mjs", { "a.mjs": 'throw new Error("no");' }, "a.mjs: cannot be loaded: no"],
    [
      "an import that only Bursar's own directory has",
      "a.mjs",
      {
        "a.mjs": 'import { defineConfig } from "@bursar/events/config"; export default defineConfig({ org: "acme" });',
      },
      "leave its import away and write `export default { ... }`",
    ],
    [
      "the same in TypeScript",
      "a.ts",
      { "a.ts": 'import { defineConfig } from "@bursar/events/config"; export default defineConfig({ org: "acme" });' },
      "leave its import away",
    ],
    ["no default export", "a.mjs", { "a.mjs": "export const a = 1;" }, "a.mjs: has no default export"],
    ["another ending", "a.yaml", { "a.yaml": "org: acme" }, "must end in .ts, .mjs or .json"],
    ["a typo", "a.json", { "a.json": '{ "org": "acme", "bugdets": [] }' }, "a.json: bugdets: no such field"],
    [
      "a wrong amount",
      "a.json",
      {
        "a.json":
          '{ "org": "a", "budgets": [{ "id": "d", "scope": { "org": "*" }, "window": "day", "limitUsd": "5,00" }] }',
      },
      'a.json: budgets[0].limitUsd is "5,00": write dollars with a point',
    ],
  ])("%s names the file and what is wrong", async (_name, file, files, said) => {
    const loading = loadConfig(file, directoryWith(files as Record<string, string>));
    await expect(loading).rejects.toMatchObject({ name: "ConfigError", message: expect.stringContaining(said) });
  });
});
