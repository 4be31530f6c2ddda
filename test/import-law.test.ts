/** Each rule of biome.json bites: one lint over a small mirror of the repository, with a breach a file. */
import { execFile } from "node:child_process";
import { cp, mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const root = fileURLToPath(new URL("..", import.meta.url));
const imported = (from: string) => `import { a } from "${from}";\nexport const b = a;\n`;
const LAW = "style/noRestrictedImports";

/** [folder, what it may import, what it may not]. */
const law: readonly [string, readonly string[], readonly string[]][] = [
  [
    "packages/events/src",
    ["zod", "node:crypto", "./y.ts"],
    ["viem", "node:fs", "@bursar/core/fold", "@aws-sdk/client-dynamodb", "../../core/src/ports.ts", "fast-check"],
  ],
  [
    "packages/core/src",
    ["@bursar/events/money", "node:crypto", "./y.ts"],
    ["zod", "viem", "viem/actions", "node:fs", "node:timers/promises", "lmdb", "@aws-sdk/client-dynamodb"],
  ],
  ["packages/core/src", [], ["@bursar/store/lmdb", "@bursar/cli/main", "../../events/src/money.ts"]],
  [
    "packages/store/src",
    ["@bursar/core/ports", "@bursar/events/ids", "lmdb", "@aws-sdk/client-dynamodb", "node:fs", "node:fs/promises"],
    ["viem", "@bursar/chain/scan", "@aws-sdk/client-eventbridge", "../../core/src/ports.ts"],
  ],
  [
    "packages/chain/src",
    ["@bursar/core/ports", "@bursar/events/chains", "viem", "viem/actions"],
    ["lmdb", "@bursar/store/lmdb", "node:fs", "@aws-sdk/client-dynamodb", "../../core/src/ports.ts"],
  ],
  [
    "packages/agentcore/src",
    ["@bursar/core/ports", "@bursar/events/money", "@aws-sdk/client-bedrock-agentcore", "node:crypto"],
    ["viem", "lmdb", "@bursar/store/lmdb", "@aws-sdk/client-dynamodb", "../../core/src/ports.ts"],
  ],
  [
    "packages/sdk/src",
    ["@bursar/events/contract", "@aws-sdk/client-eventbridge", "@x402/core/client", "node:fs/promises"],
    ["@bursar/core/fold", "viem", "lmdb", "@aws-sdk/client-dynamodb", "../../events/src/money.ts"],
  ],
  ["packages/demo/src", ["@bursar/sdk/emitter", "viem", "node:fs"], ["@bursar/core/fold", "../../core/src/ports.ts"]],
  ["packages/cli/src", ["@bursar/core/fold", "@bursar/store/lmdb", "viem"], ["../../core/src/ports.ts"]],
  ["packages/core/test", ["../src/fold.ts", "@bursar/store/lmdb"], ["../../store/src/lmdb.ts"]],
  ["test", ["@bursar/core/fold", "node:fs"], ["../packages/core/src/ports.ts"]],
];

/** [what is wrong, file, text, rule]; a null rule is a text that must pass. */
const others: readonly [string, string, string, string | null][] = [
  ["a re-export", "packages/core/src/o1.ts", 'export { a } from "viem";\n', LAW],
  ["a dynamic import", "packages/core/src/o2.ts", 'export const a = await import("viem");\n', LAW],
  ["a type import", "packages/core/src/o3.ts", 'import type { a } from "viem";\nexport type b = a;\n', LAW],
  ["a bare builtin", "packages/core/src/o4.ts", imported("fs"), LAW],
  ["a builtin without node:", "packages/cli/src/o5.ts", imported("fs"), "style/useNodejsImportProtocol"],
  ["an import cycle", "packages/core/src/o6.ts", `${imported("./o7.ts")}`, "suspicious/noImportCycles"],
  [
    "its other half",
    "packages/core/src/o7.ts",
    'import { b } from "./o6.ts";\nexport const a = b;\n',
    "suspicious/noImportCycles",
  ],
  [
    "a floating promise",
    "packages/core/src/o8.ts",
    "async function f(): Promise<void> {}\nexport function g(): void {\n  f();\n}\n",
    "nursery/noFloatingPromises",
  ],
  ["a focused test", "packages/core/test/o9.test.ts", 'test.only("x", () => {});\n', "suspicious/noFocusedTests"],
  ["a skipped test", "packages/core/test/o10.test.ts", 'test.skip("x", () => {});\n', "suspicious/noSkippedTests"],
  ["a default export", "packages/core/src/o11.ts", "export default 1;\n", "style/noDefaultExport"],
  ["a config's default export", "vitest.config.ts", "export default {};\n", null],
  ["a package's config file", "packages/demo/bursar.config.ts", "export default {};\n", null],
  ["any", "packages/core/src/o12.ts", "export const a: any = 1;\n", "suspicious/noExplicitAny"],
  ["the clock in core", "packages/core/src/o15.ts", "export const a = Date.now();\n", "plugin"],
  ["the clock in core, spelled otherwise", "packages/core/src/o16.ts", "export const a = new Date();\n", "plugin"],
  ["chance in events", "packages/events/src/o17.ts", "export const a = Math.random();\n", "plugin"],
  ["a time that was handed in", "packages/core/src/o18.ts", "export const a = (at: string) => new Date(at);\n", null],
  ["the clock in a shell", "packages/cli/src/o19.ts", "export const a = Date.now();\n", null],
  ["a timer in core", "packages/core/src/o20.ts", "setTimeout(() => {}, 5);\n", "style/noRestrictedGlobals"],
  ["the environment in core", "packages/core/src/o21.ts", "export const a = process;\n", "style/noRestrictedGlobals"],
  ["a function that is called fit", "packages/cli/src/o22.ts", "function fit(): void {}\nfit();\n", null],
  ["a missing extension", "packages/core/src/o13.ts", imported("./y"), "correctness/useImportExtensions"],
  [
    "a value import of types",
    "packages/core/src/o14.ts",
    'import { a } from "./y.ts";\nexport type b = typeof a;\n',
    "style/useImportType",
  ],
];

let mirror: string;
const said = new Map<string, Set<string>>();

beforeAll(async () => {
  mirror = await mkdtemp(join(tmpdir(), "bursar-law-"));
  for (const file of ["biome.json", "test/pure.grit"]) await cp(join(root, file), join(mirror, file));
  const put = async (file: string, text: string) => {
    await mkdir(dirname(join(mirror, file)), { recursive: true });
    await writeFile(join(mirror, file), text);
  };
  for (const [i, [folder, may, mayNot]] of law.entries()) {
    await put(`${folder}/y.ts`, "export const a = 1;\n");
    for (const [j, from] of may.entries()) await put(`${folder}/may${i}x${j}.ts`, imported(from));
    for (const [j, from] of mayNot.entries()) await put(`${folder}/not${i}x${j}.ts`, imported(from));
  }
  for (const [, file, text] of others) await put(file, text);
  const biome = join(root, "node_modules/@biomejs/biome/bin/biome");
  const args = [biome, "lint", "--vcs-enabled=false", "--max-diagnostics=none", "--reporter=github", "."];
  const output = await new Promise<string>((resolve) => {
    execFile(process.execPath, args, { cwd: mirror, maxBuffer: 1 << 24 }, (_, out, err) => resolve(`${out}${err}`));
  });
  for (const [, rule, file] of output.matchAll(/title=(?:lint\/)?([^,]+),file=([^,]+),/g)) {
    const path = (file as string).replaceAll("\\", "/").replace(/^.*bursar-law-[^/]+\//, "");
    said.set(path, (said.get(path) ?? new Set()).add(rule as string));
  }
}, 60_000);

afterAll(() => rm(mirror, { recursive: true, force: true }));

describe("the import law", () => {
  for (const [i, [folder, may, mayNot]] of law.entries()) {
    for (const [j, from] of may.entries()) {
      test(`${folder} may import ${from}`, () => {
        expect([...(said.get(`${folder}/may${i}x${j}.ts`) ?? [])]).not.toContain(LAW);
      });
    }
    for (const [j, from] of mayNot.entries()) {
      test(`${folder} may not import ${from}`, () => {
        expect([...(said.get(`${folder}/not${i}x${j}.ts`) ?? [])]).toContain(LAW);
      });
    }
  }
});

describe("the other rules", () => {
  test.each(others)("%s", (_, file, __, rule) => {
    const rules = [...(said.get(file) ?? [])];
    if (rule === null) expect(rules).toEqual([]);
    else expect(rules).toContain(rule);
  });
});
