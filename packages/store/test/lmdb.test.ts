/** The LMDB adapter: the contract in each of its modes, and what only a file on a disk can suffer. */
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { open } from "lmdb";
import { afterEach, describe, expect, test } from "vitest";
import { type LmdbOptions, openLmdbStore } from "../src/lmdb.ts";
import { storeContract } from "./contract.ts";

const directories: string[] = [];
const closers: (() => Promise<unknown>)[] = [];

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), "bursar-store-"));
  directories.push(made);
  return made;
}

async function opened(at: string, options: LmdbOptions = {}) {
  const store = await openLmdbStore(at, options);
  closers.push(() => store.close());
  return store;
}

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
  for (const made of directories.splice(0)) rmSync(made, { recursive: true, force: true });
});

for (const [name, options] of [
  ["LMDB", {}],
  ["LMDB, flushed late", { durability: "flush" }],
  ["LMDB, hardly any memory", { cacheItems: 2 }],
  ["LMDB, flushed often, hardly any memory", { durability: "flush", cacheItems: 2, groupWrites: 3 }],
] as const) {
  storeContract(name, async () => {
    const at = mkdtempSync(join(tmpdir(), "bursar-store-"));
    const store = await openLmdbStore(at, options);
    return { store, dispose: async () => rmSync(at, { recursive: true, force: true }) };
  });
}

const payment = { pk: "PAY#1", sk: ".", data: "first", expected: null };

describe("reopening", () => {
  test("all is there again: items, facts, counters, indexes, the feed and its order", async () => {
    const at = directory();
    const index = { list: { partition: "all", sort: "1" } };
    const first = await openLmdbStore(at);
    await first.putAll([{ pk: "AL#1", sk: "F#1", data: 1, at: "2026-01-01T00:00:00.000Z" }]);
    await first.commit([{ ...payment, index }], [{ pk: "CTR#1", sk: "HELD", amount: -(10n ** 60n) }]);
    await first.close();
    const again = await opened(at);
    expect(await again.get([payment])).toEqual([{ pk: "PAY#1", sk: ".", data: "first", version: 1, index }]);
    expect((await again.facts("AL#1", "F#")).items[0]?.at).toBe("2026-01-01T00:00:00.000Z");
    expect(await again.counters([{ pk: "CTR#1", sk: "HELD" }])).toEqual([-(10n ** 60n)]);
    await again.commit([{ ...payment, data: "second", expected: 1 }], []);
    expect((await again.index("list", "all")).items).toEqual([]);
    expect((await again.changes(null, 10)).changes.map(({ after }) => after.data)).toEqual(["first", "second"]);
  });

  test("close flushes what no caller waited for, and a closed store refuses", async () => {
    const at = directory();
    const store = await openLmdbStore(at, { durability: "flush", feedLength: 0 });
    await store.commit([payment], [{ pk: "CTR#1", sk: "HELD", amount: 3n }]);
    await store.close();
    await store.close();
    await expect(store.get([payment])).rejects.toMatchObject({ fault: "closed" });
    const again = await opened(at);
    expect((await again.get([payment]))[0]?.data).toBe("first");
    expect(await again.counters([{ pk: "CTR#1", sk: "HELD" }])).toEqual([3n]);
    expect((await again.changes(null, 10)).changes).toEqual([]);
  });

  test("the feed keeps its last changes only, and a cursor from before goes on with the oldest", async () => {
    const at = directory();
    const store = await opened(at, { feedLength: 3 });
    for (let i = 0; i < 10; i += 1) await store.commit([{ ...payment, data: i, expected: i === 0 ? null : i }], []);
    const { changes, next } = await store.changes("2", 100);
    expect(changes.map(({ after }) => after.data)).toEqual([7, 8, 9]);
    expect(await store.changes(next, 100)).toEqual({ changes: [], next });
  });
});

describe("who sees what, when", () => {
  test("other callers see a write at once, and wait for its group before they answer", async () => {
    const store = await opened(directory());
    const order: string[] = [];
    const write = store.commit([payment], []).then(() => order.push("committed"));
    const repeat = store.commit([payment], []).then((answer) => order.push(answer));
    const read = store.get([payment]).then(([item]) => order.push(`read ${item?.version}`));
    await Promise.all([write, repeat, read]);
    expect(order).toEqual(["conflict", "committed", "read 1"]);
  });

  test("a reader beside the writer sees what is flushed, and cannot write", async () => {
    const at = directory();
    await expect(openLmdbStore(at, { readOnly: true })).rejects.toMatchObject({ fault: "missing" });
    const writer = await opened(at);
    await writer.commit([{ ...payment, index: { list: { partition: "all", sort: "1" } } }], []);
    const reader = await opened(at, { readOnly: true });
    expect((await reader.get([payment]))[0]?.data).toBe("first");
    await writer.putAll([{ pk: "AL#1", sk: "F#1", data: 1 }]);
    await writer.commit(
      [{ ...payment, data: "second", expected: 1, index: { list: { partition: "all", sort: "2" } } }],
      [],
    );
    await expect.poll(async () => (await reader.get([payment]))[0]?.data).toBe("second");
    expect((await reader.facts("AL#1", "F#")).items.length).toBe(1);
    expect((await reader.index("list", "all")).items.map(({ data }) => data)).toEqual(["second"]);
    expect((await reader.changes(null, 10)).changes.length).toBe(2);
    await expect(reader.commit([], [])).rejects.toMatchObject({ fault: "readonly" });
    await expect(reader.putAll([])).rejects.toMatchObject({ fault: "readonly" });
  });
});

/** A child that writes until it is killed; resolves with what it had acknowledged by then. */
async function killWhileWriting(at: string, rounds: number): Promise<Map<number, number>> {
  const script = new URL("./killed-writer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, ["--import", "tsx", script, at], { stdio: ["ignore", "pipe", "inherit"] });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (output.split("\n").length > rounds) child.kill("SIGKILL");
  });
  const [code, signal] = await once(child, "close");
  expect([code, signal]).toEqual([null, "SIGKILL"]);
  const acknowledged = new Map<number, number>();
  for (const line of output.split("\n").slice(0, -1)) {
    const [writer, round] = line.split(" ").map(Number) as [number, number];
    acknowledged.set(writer, round);
  }
  return acknowledged;
}

describe("kill -9", () => {
  test.each([10, 300, 2000])("after %s rounds: nothing acknowledged is lost, nothing is half there", async (rounds) => {
    const at = directory();
    const acknowledged = await killWhileWriting(at, rounds);
    expect(existsSync(join(at, "bursar.lock"))).toBe(true);
    const store = await opened(at); // takes the dead process's lock over
    expect(acknowledged.size).toBeGreaterThan(0);
    const due = (await store.index("due", "due")).items;
    for (const [writer, round] of acknowledged) {
      const [a, b] = await store.get([
        { pk: `PAY#${writer}`, sk: "a" },
        { pk: `PAY#${writer}`, sk: "b" },
      ]);
      expect(a?.data).toBeGreaterThanOrEqual(round);
      expect(a?.data).toBe(b?.data);
      expect(a?.version).toBe(a?.data);
      const last = BigInt(a?.data as number);
      expect(await store.counters([{ pk: `CTR#${writer}`, sk: "HELD" }])).toEqual([last * 10n ** 30n]);
      const facts = (await store.facts(`AL#${writer}`, "F#", { limit: 100_000 })).items;
      expect(facts.length).toBeGreaterThanOrEqual(Number(last));
      expect(due.filter((item) => item.pk === a?.pk)).toEqual([a]);
    }
    const { changes } = await store.changes(null, 10_000);
    const versions = changes
      .filter(({ key }) => key.pk === "PAY#0" && key.sk === "a")
      .map(({ after }) => after.version);
    const first = versions[0] as number;
    expect(versions).toEqual(versions.map((_, i) => first + i));
  });
});

describe("the lock", () => {
  test("a second writer is refused with the pid and the remedy; after close the directory is free", async () => {
    const at = directory();
    const store = await openLmdbStore(at);
    await expect(openLmdbStore(at)).rejects.toThrow(
      new RegExp(`open for writing in this process \\(pid ${process.pid}\\): stop it`),
    );
    await store.close();
    await opened(at);
  });

  test("a writer in another process is refused", async () => {
    const at = directory();
    await opened(at);
    const script = `import { openLmdbStore } from ${JSON.stringify(new URL("../src/lmdb.ts", import.meta.url).href)};
      await openLmdbStore(process.argv[1]).catch((error) => { console.log(error.fault, error.message); process.exit(3); });`;
    const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, at], {
      encoding: "utf8",
    });
    expect(child.status).toBe(3);
    expect(child.stdout).toMatch(new RegExp(`^locked .* open for writing in process ${process.pid}: stop it first`));
  });

  const me = { pid: process.pid, host: hostname() };
  test.each([
    ["of a dead process", { ...me, pid: 2 ** 22 - 1, started: null }],
    ["of an earlier process with our pid", { ...me, started: "another boot/1" }],
    ["of an earlier process with a pid that lives again", { ...me, pid: process.ppid, started: "another boot/1" }],
    ["that is empty", null],
  ])("a stale lock %s is taken over", async (_, holder) => {
    const at = directory();
    writeFileSync(join(at, "bursar.lock"), holder === null ? "" : JSON.stringify(holder));
    await opened(at);
    await expect(openLmdbStore(at)).rejects.toMatchObject({ fault: "locked" });
  });

  test("of many that find a stale lock at once, one gets it", async () => {
    const at = directory();
    writeFileSync(join(at, "bursar.lock"), JSON.stringify({ ...me, started: "another boot/1" }));
    const module = JSON.stringify(new URL("../src/lmdb-lock.ts", import.meta.url).href);
    // Each tells when it is loaded, tries when told to, and keeps the lock until its input ends.
    const script = `import { takeLock } from ${module};
      process.stdout.write("ready ");
      process.stdin.once("data", () => takeLock(process.argv[1]).then(() => "taken", (error) => error.fault).then(console.log));`;
    const children = Array.from({ length: 4 }, () =>
      spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, at], {
        stdio: ["pipe", "pipe", "inherit"],
      }),
    );
    await Promise.all(children.map((child) => once(child.stdout, "data")));
    const answers = children.map((child) => once(child.stdout, "data"));
    for (const child of children) child.stdin.write("go");
    const words = (await Promise.all(answers)).map(String);
    for (const child of children) child.stdin.end();
    expect(words.map((word) => word.trim()).sort()).toEqual(["locked", "locked", "locked", "taken"]);
    await Promise.all(children.map((child) => once(child, "close")));
  });

  test("a lock of another machine is left to a person", async () => {
    const at = directory();
    writeFileSync(join(at, "bursar.lock"), JSON.stringify({ pid: 7, host: "elsewhere", started: null }));
    await expect(openLmdbStore(at)).rejects.toThrow(
      /process 7 on elsewhere: if that is gone for good, delete .*bursar\.lock/,
    );
  });
});

describe("a directory that is not ours, or damaged", () => {
  async function written(): Promise<string> {
    const at = directory();
    const store = await openLmdbStore(at);
    await store.putAll(Array.from({ length: 500 }, (_, i) => ({ pk: `AL#${i}`, sk: "F#", data: "x".repeat(500) })));
    await store.close();
    return at;
  }

  test("another program's LMDB database is refused and left as it was", async () => {
    const at = directory();
    const other = open({ path: at, noSubdir: false });
    await other.put("key", "value");
    await other.close();
    await expect(openLmdbStore(at)).rejects.toMatchObject({ fault: "foreign" });
    await expect(openLmdbStore(at, { readOnly: true })).rejects.toMatchObject({ fault: "foreign" });
    const again = open({ path: at, noSubdir: false });
    closers.push(() => again.close());
    expect([...again.getKeys()]).toEqual(["key"]);
    expect(existsSync(join(at, "bursar.lock"))).toBe(false);
  });

  test("a later format names the remedy", async () => {
    const at = directory();
    const later = open<string, Buffer>({ path: at, noSubdir: false, keyEncoding: "binary", encoding: "string" });
    await later.put(Buffer.from("m"), "bursar-store 2");
    await later.close();
    await expect(openLmdbStore(at)).rejects.toThrow(
      /has the format "bursar-store 2" and this version reads "bursar-store 1"/,
    );
  });

  test("an empty data file, as a crash at the very first start leaves it, is a new one", async () => {
    const at = directory();
    writeFileSync(join(at, "data.mdb"), "");
    const store = await opened(at);
    expect(await store.commit([payment], [])).toBe("done");
  });

  test.each([
    ["garbage", (file: string) => writeFileSync(file, Buffer.alloc(100_000, "garbage"))],
    ["a few bytes", (file: string) => writeFileSync(file, "x")],
    ["zeros", (file: string) => writeFileSync(file, Buffer.alloc(100_000))],
    ["a data file cut in its first page", (file: string) => truncateSync(file, 100)],
    ["a data file cut behind its headers", (file: string) => truncateSync(file, 8192)],
    ["a data file cut in the middle", (file: string) => truncateSync(file, Math.floor(statSync(file).size / 2))],
    [
      "a data file whose first header is overwritten",
      (file: string) => writeSync(openSync(file, "r+"), "garbage".repeat(8), 0),
    ],
  ])("%s is refused by name, not wiped, and kills nobody", async (_, damage) => {
    const at = await written();
    const file = join(at, "data.mdb");
    damage(file);
    const before = readFileSync(file);
    for (const options of [{}, { readOnly: true }]) {
      await expect(openLmdbStore(at, options)).rejects.toMatchObject({
        fault: "corrupt",
        message: /restore .* from a backup/,
      });
    }
    expect(readFileSync(file).equals(before)).toBe(true);
    expect(existsSync(join(at, "bursar.lock"))).toBe(false);
  });

  test("a copied data file opens", async () => {
    const [at, copy] = [await written(), directory()];
    copyFileSync(join(at, "data.mdb"), join(copy, "data.mdb"));
    const store = await opened(copy);
    expect((await store.facts("AL#499", "")).items.length).toBe(1);
  });
});

test("a long index lets others have their turn between its pages", async () => {
  const store = await opened(directory());
  for (let n = 0; n < 30; n++) {
    const index = { list: { partition: "research", sort: String(n).padStart(2, "0") } };
    await store.commit([{ pk: `PAY#${n}`, sk: ".", data: n, expected: null, index }], []);
  }
  const order: string[] = [];
  setImmediate(() => order.push("other"));
  let after: string | null = null;
  do {
    after = (await store.index("list", "research", { after, limit: 10 })).next;
    order.push("page");
  } while (after !== null);
  expect(order).toEqual(["page", "other", "page", "page"]);
});

test("a directory that this user may not write to is refused with what to do", async () => {
  const at = directory();
  const script = `import { openLmdbStore } from ${JSON.stringify(new URL("../src/lmdb.ts", import.meta.url).href)};
    if (process.getuid() === 0) process.setuid(65534);
    await openLmdbStore(process.argv[1]).catch(({ fault, message }) => console.log(JSON.stringify({ fault, message })));`;
  chmodSync(at, 0o555);
  const child = spawnSync(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script, at], {
    encoding: "utf8",
  });
  chmodSync(at, 0o755);
  expect(JSON.parse(child.stdout)).toEqual({
    fault: "failed",
    message: `${at} takes no writes (this user may not write there): make it so, or name another one`,
  });
});

describe("a disk that is full", () => {
  test("waiting callers are told, nothing more is taken, what was acknowledged is there", async () => {
    const at = directory();
    const script = `import { openLmdbStore } from ${JSON.stringify(new URL("../src/lmdb.ts", import.meta.url).href)};
      const store = await openLmdbStore(process.argv[1]);
      let done = 0, fault = null;
      while (fault === null && done < 20000) {
        const put = (i) => ({ pk: "PAY#" + i, sk: ".", data: "x".repeat(5000), expected: null });
        await store.commit([put(done)], [{ pk: "CTR#1", sk: "HELD", amount: 1n }]).then(() => { done += 1; }, (error) => { fault = error.fault; });
      }
      const later = await store.putAll([{ pk: "AL#1", sk: "F#", data: 1 }]).catch((error) => error.fault);
      const read = await store.get([{ pk: "PAY#0", sk: "." }]).catch((error) => error.fault);
      // lmdb-js has promises of its own for a failed write; one that nobody catches would end the process.
      await new Promise((resolve) => setTimeout(resolve, 300));
      console.log(JSON.stringify({ done, fault, later, read }));
      process.exit(0);`;
    // ulimit -f stands in for the full disk: a write beyond it fails (EFBIG; node ignores the signal).
    const command = `ulimit -f 4096; exec "$0" --import tsx --input-type=module -e "$1" "$2"`;
    const child = spawnSync("sh", ["-c", command, process.execPath, script, at], { encoding: "utf8" });
    const { done, ...faults } = JSON.parse(child.stdout.trim().split("\n").at(-1) as string);
    expect(faults).toEqual({ fault: "failed", later: "failed", read: "failed" });
    expect(done).toBeGreaterThan(10);
    const store = await opened(at);
    expect(await store.counters([{ pk: "CTR#1", sk: "HELD" }])).toEqual([BigInt(done)]);
    expect((await store.get([{ pk: `PAY#${done - 1}`, sk: "." }]))[0]?.version).toBe(1);
    expect(await store.commit([{ ...payment, pk: "PAY#new" }], [])).toBe("done");
  });
});
