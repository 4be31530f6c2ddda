/** The real command in a real process: exit codes, pipes that close, signals, and what replay makes of a damaged file. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, describe, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../bin/bursar.mjs", import.meta.url));
const EXAMPLES = fileURLToPath(new URL("../../../test/fixtures/examples/", import.meta.url));
const EVENTS = join(EXAMPLES, "honest-full-flow", "events.ndjson");
const CONFIG = join(EXAMPLES, "honest-full-flow", "config.json");

const directory = mkdtempSync(join(tmpdir(), "bursar-bin-"));
const started: ChildProcess[] = [];
afterAll(() => {
  // A test that failed half way must not leave a machine behind.
  for (const child of started) child.kill("SIGKILL");
  rmSync(directory, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly signal: string | null;
  readonly out: string;
  readonly err: string;
}

function start(argv: readonly string[]): ChildProcess {
  // A temp directory of its own: what is left in it was left by us.
  const env = { ...process.env, TMPDIR: directory, FORCE_COLOR: "", NO_COLOR: "" };
  const child = spawn(process.execPath, [BIN, ...argv], { cwd: directory, env });
  started.push(child);
  return child;
}

async function ended(child: ChildProcess): Promise<Ended> {
  let [out, err] = ["", ""];
  child.stdout?.on("data", (text) => {
    out += text;
  });
  child.stderr?.on("data", (text) => {
    err += text;
  });
  const [code, signal] = (await once(child, "close")) as [number | null, string | null];
  return { code, signal, out, err };
}

const run = (...argv: string[]): Promise<Ended> => ended(start(argv));
const left = () => readdirSync(directory).filter((name) => name.startsWith("bursar-"));

test("--version and --help answer from anywhere", async () => {
  const [version, help, none, wrong] = await Promise.all([run("--version"), run("--help"), run(), run("repaly")]);
  expect(version).toMatchObject({ code: 0, out: "0.1.0\n", err: "" });
  expect(help).toMatchObject({ code: 0, err: "" });
  expect(none).toMatchObject({ code: 0, out: help.out });
  expect(wrong).toMatchObject({ code: 2, out: "" });
  expect(wrong.err).toContain('Did you mean "bursar replay"?');
});

describe("replay", () => {
  test("prints exactly the five lists, from a file and from a pipe", async () => {
    const options = ["--config", CONFIG, "--now", "2026-11-20T10:01:00.000Z", "--json"];
    const file = await run("replay", EVENTS, ...options);
    expect(file).toMatchObject({ code: 0, err: "" });
    const replayed = JSON.parse(file.out);
    expect(Object.keys(replayed)).toEqual(["payments", "budgets", "alerts", "actions", "quarantined"]);
    expect(replayed.payments).toMatchObject([{ verdict: "matched", amount: "1000000" }]);
    const child = start(["replay", "-", ...options]);
    child.stdin?.end(readFileSync(EVENTS));
    expect(await ended(child)).toMatchObject({ code: 0, out: file.out });
    expect(left()).toEqual([]);
  });

  test("what cannot be read is quarantined, and its neighbours go on", async () => {
    const lines = readFileSync(EVENTS);
    const damaged = join(directory, "damaged.ndjson");
    const long = Buffer.alloc(10_000_000, "y");
    const cut = lines.subarray(lines.indexOf("\n") + 1, lines.indexOf("\n") + 200);
    const broken = Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x7d]);
    const newline = Buffer.from("\r\n");
    const bom = Buffer.from([0xef, 0xbb, 0xbf]);
    writeFileSync(damaged, Buffer.concat([bom, broken, newline, long, newline, newline, lines, newline, cut]));
    const { code, out } = await run("replay", damaged, "--config", CONFIG, "--json");
    expect(code).toBe(0);
    const { payments, quarantined } = JSON.parse(out);
    expect(payments).toMatchObject([{ verdict: "matched" }]);
    expect(quarantined.map(({ reason }: { reason: string }) => reason)).toEqual([
      "line is no UTF-8: byte 3 of 7 does not belong to a character",
      "entry is 10000001 bytes: at most 262144 are taken",
      expect.stringMatching(/^entry is no JSON/),
    ]);
    expect(quarantined[1].event).toMatchObject({ bytes: 10_000_001, head: "y".repeat(1024) });
    const summary = await run("replay", damaged, "--config", CONFIG);
    expect(summary.out).toContain("3 events or lines quarantined: not taken, not lost");
  });

  test("a reader that goes away ends it quietly", async () => {
    const malformed = join(EXAMPLES, "malformed-events-are-quarantined-one-by-one", "events.ndjson");
    const child = start(["replay", malformed, "--json"]);
    child.stdout?.destroy();
    const [code, err] = await Promise.all([once(child, "exit").then(([exit]) => exit), text(child.stderr)]);
    expect({ code, err }).toEqual({ code: 0, err: "" });
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("%s leaves nothing behind", async (signal, code) => {
    const child = start(["replay", "-"]);
    child.stdin?.write(readFileSync(EVENTS));
    await until(() => left().length > 0);
    child.kill(signal);
    expect((await ended(child)).code).toBe(code);
    expect(left()).toEqual([]);
  });
});

describe("start", () => {
  test("with --json each event is a line; SIGTERM ends it within two seconds, and a second start goes on", async () => {
    const data = join(directory, "machine");
    for (const round of ["first", "second"]) {
      const child = start(["start", "--port", "0", "--data", data, "--config", CONFIG, "--json"]);
      const ready = JSON.parse(await firstLine(child)) as { kind: string; url: string };
      expect(ready.kind, round).toBe("ready");
      const health = (await (await fetch(`${ready.url}/api/health`)).json()) as { edition: string };
      expect(health.edition).toBe("one-machine");
      const asked = performance.now();
      child.kill("SIGTERM");
      expect(await ended(child)).toMatchObject({ code: 0 });
      expect(performance.now() - asked).toBeLessThan(2500);
    }
  });

  test("a taken port is named, with the way out", async () => {
    const first = start(["start", "--port", "0", "--data", join(directory, "one"), "--config", CONFIG, "--json"]);
    const { url } = JSON.parse(await firstLine(first)) as { url: string };
    const { port } = new URL(url);
    const second = await run("start", "--port", port, "--data", join(directory, "two"), "--config", CONFIG);
    expect(second.code).toBe(1);
    expect(second.err).toContain(port);
    const third = await run("start", "--port", "0", "--data", join(directory, "one"), "--config", CONFIG);
    expect(third.code).toBe(1);
    expect(third.err).toContain(join(directory, "one"));
    first.kill("SIGINT");
    expect((await ended(first)).code).toBe(0);
  });
});

/** By hand: leaving an iteration over stdout would close it, and the process would end for want of a reader. */
function firstLine(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let seen = "";
    child.stdout?.on("data", (chunk) => {
      seen += chunk;
      const end = seen.indexOf("\n");
      if (end !== -1) resolve(seen.slice(0, end));
    });
    child.once("close", () => reject(new Error(`it ended before its first line: ${seen}`)));
  });
}

async function text(stream: NodeJS.ReadableStream | null): Promise<string> {
  let all = "";
  for await (const chunk of stream ?? []) all += chunk;
  return all;
}

/** Asks again until it is so; the test's own timeout ends what never is. */
async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setImmediate(resolve));
}
