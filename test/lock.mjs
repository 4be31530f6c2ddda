#!/usr/bin/env node
/**
 * Keeps package-lock.json installable everywhere: `npm run lock:check`, and `npm run lock:check -- --fix` to repair it.
 *
 * npm leaves a package for another platform out of the lock when the registry at hand does not carry it, and the next
 * `npm ci` then refuses that lock. So each optional dependency of a locked package must have an entry; what is missing
 * is written from its parent's range and the platform in its name. And no entry may name a registry's host: the lock
 * would bind whoever clones it to that host. Plain Node, because it runs where `npm ci` does not.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const SYSTEMS = new Set(["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "sunos", "win32"]);
const CPUS = {
  amd64: "x64",
  x64: "x64",
  arm64: "arm64",
  aarch64: "arm64",
  arm: "arm",
  ia32: "ia32",
  ppc64: "ppc64",
  riscv64: "riscv64",
  s390x: "s390x",
};

const args = process.argv.slice(2);
const fix = args.includes("--fix");
const file =
  args.find((arg) => !arg.startsWith("--")) ?? fileURLToPath(new URL("../package-lock.json", import.meta.url));

const text = readFileSync(file, "utf8");
const lock = JSON.parse(text);
const problems = [];
const added = {};

for (const [path, entry] of Object.entries(lock.packages)) {
  // A workspace's link is resolved to its folder; everything else would be a host.
  if (entry.resolved !== undefined && !entry.link) {
    problems.push(`${path}: resolved names a host (${entry.resolved})`);
    if (fix) delete entry.resolved;
  }
  for (const [name, range] of Object.entries(entry.optionalDependencies ?? {})) {
    if (find(path, name) !== null) continue;
    const platform = platformOf(name);
    problems.push(`${path}: its optional dependency ${name}@${range} has no entry`);
    if (!/^\d+\.\d+\.\d+[\w.+-]*$/.test(range) || platform === null) {
      throw new Error(`${name}@${range}: neither exact version nor platform can be read; add its entry by hand`);
    }
    added[`node_modules/${name}`] = {
      version: range,
      ...(platform.cpu && { cpu: [platform.cpu] }),
      ...(entry.dev && { dev: true }),
      ...(platform.libc && { libc: [platform.libc] }),
      optional: true,
      ...(platform.os && { os: [platform.os] }),
    };
  }
}

if (fix && problems.length > 0) {
  const [root, ...rest] = Object.entries({ ...lock.packages, ...added });
  // npm's own order, so that the next install leaves these lines where they are.
  rest.sort(([a], [b]) => a.localeCompare(b, "en"));
  lock.packages = Object.fromEntries([root, ...rest]);
  writeFileSync(file, `${JSON.stringify(lock, null, 2)}\n`);
}
for (const problem of problems) console.log(`${fix ? "fixed" : "wrong"}  ${problem}`);
console.log(
  problems.length === 0
    ? `package-lock.json: ${Object.keys(lock.packages).length} packages, every optional one listed, no registry host`
    : `package-lock.json: ${problems.length} ${fix ? "repaired" : "to repair: npm run lock:check -- --fix"}`,
);
process.exitCode = problems.length > 0 && !fix ? 1 : 0;

/** The entry that `name` resolves to from `path`, as Node would look it up; null where there is none. */
function find(path, name) {
  for (let folder = path; ; ) {
    const key = `${folder === "" ? "" : `${folder}/`}node_modules/${name}`;
    if (lock.packages[key] !== undefined) return key;
    if (folder === "") return null;
    const above = folder.lastIndexOf("node_modules/");
    folder = above <= 0 ? "" : folder.slice(0, above - 1);
  }
}

/** Operating system, processor and C library as the package's name tells them; null where it tells none. */
function platformOf(name) {
  const words = name.slice(name.lastIndexOf("/") + 1).split("-");
  const os = words.map((word) => (word === "windows" ? "win32" : word)).find((word) => SYSTEMS.has(word));
  const cpu = words.map((word) => CPUS[word]).find((word) => word !== undefined);
  const libc = words.includes("musl") ? "musl" : words.includes("gnu") ? "glibc" : undefined;
  return os === undefined || cpu === undefined ? null : { os, cpu, libc };
}
