/** `lock.mjs` finds what would make `npm ci` refuse the lock, or bind it to one registry, and repairs it. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const script = fileURLToPath(new URL("lock.mjs", import.meta.url));
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "bursar-lock-"));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function lockWith(packages: Record<string, unknown>): string {
  const file = join(folder, `${Object.keys(packages).length}-lock.json`);
  writeFileSync(file, JSON.stringify({ name: "x", lockfileVersion: 3, packages: { "": { name: "x" }, ...packages } }));
  return file;
}

test("a platform's package that is missing is found, and added as npm itself would write it", () => {
  const file = lockWith({
    "node_modules/tool": {
      version: "1.2.3",
      dev: true,
      optionalDependencies: {
        "@tool/linux-x64-musl": "1.2.3",
        "@tool/win32-amd64": "1.2.3",
        "@tool/linux-x64": "1.2.3",
      },
    },
    "node_modules/tool/node_modules/@tool/linux-x64": { version: "1.2.3", optional: true },
    "packages/zeal": { name: "zeal" },
  });
  const { status, stdout } = spawnSync(process.execPath, [script, file], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stdout).toContain("@tool/linux-x64-musl@1.2.3 has no entry");
  expect(stdout).toContain("@tool/win32-amd64@1.2.3 has no entry");
  expect(stdout).toContain("2 to repair");

  execFileSync(process.execPath, [script, "--fix", file]);
  const { packages } = JSON.parse(readFileSync(file, "utf8"));
  expect(Object.keys(packages)).toEqual([
    "",
    "node_modules/@tool/linux-x64-musl",
    "node_modules/@tool/win32-amd64",
    "node_modules/tool",
    "node_modules/tool/node_modules/@tool/linux-x64",
    "packages/zeal",
  ]);
  expect(packages["node_modules/@tool/linux-x64-musl"]).toEqual({
    version: "1.2.3",
    cpu: ["x64"],
    dev: true,
    libc: ["musl"],
    optional: true,
    os: ["linux"],
  });
  expect(packages["node_modules/@tool/win32-amd64"]).toMatchObject({ cpu: ["x64"], os: ["win32"] });
  expect(spawnSync(process.execPath, [script, file]).status).toBe(0);
});

test("a registry's host is found and taken out; a workspace's link stays", () => {
  const file = lockWith({
    "node_modules/tool": { version: "1.2.3", resolved: "https://packages.example.com/tool-1.2.3.tgz" },
    "node_modules/zeal": { resolved: "packages/zeal", link: true },
  });
  expect(spawnSync(process.execPath, [script, file]).status).toBe(1);
  execFileSync(process.execPath, [script, "--fix", file]);
  expect(JSON.parse(readFileSync(file, "utf8")).packages).toEqual({
    "": { name: "x" },
    "node_modules/tool": { version: "1.2.3" },
    "node_modules/zeal": { resolved: "packages/zeal", link: true },
  });
});

test("a name that tells no platform is not guessed", () => {
  const file = lockWith({
    "node_modules/a": { version: "1.0.0", optionalDependencies: { fsevents: "~2.3.3" } },
    "node_modules/b": { version: "1.0.0" },
    "node_modules/c": { version: "1.0.0" },
  });
  const { status, stderr } = spawnSync(process.execPath, [script, "--fix", file], { encoding: "utf8" });
  expect(status).toBe(1);
  expect(stderr).toContain("fsevents@~2.3.3: neither exact version nor platform can be read");
});
