import { spawn } from "node:child_process";
import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { EventBridgeClient } from "@aws-sdk/client-eventbridge";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createEmitter, type EmitInput, type EmitterOptions } from "../src/index.ts";
import { SDK } from "../src/version.ts";
import { type Bus, startBus } from "./bus.ts";

let bus: Bus;
let directory: string;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  bus = await startBus();
  directory = fs.mkdtempSync(join(tmpdir(), "bursar-spool-"));
});
afterEach(async () => {
  vi.useRealTimers();
  await Promise.all(closing.splice(0).map((close) => close()));
  await bus.close();
  fs.rmSync(directory, { recursive: true, force: true });
});

function emitterOf(options: Partial<EmitterOptions> = {}) {
  const emitter = createEmitter({ source: { agent: "research" }, endpoint: bus.endpoint, ...options });
  closing.push(() => emitter.close(50));
  return emitter;
}

const sentBy = (requestId: string): EmitInput => ({
  type: "agent.request_sent",
  requestId,
  resource: { url: "https://reports.example/7", method: "GET" },
});
const urgent: EmitInput = { type: "agent.payment_failed", requestId: "urgent", reason: "other", message: "no answer" };
const requestIds = () => bus.told().map(({ event }) => ("requestId" in event ? event.requestId : undefined));
const numbered = (count: number, from = 0) => Array.from({ length: count }, (_, index) => `r-${from + index}`);
const files = () => (fs.existsSync(directory) ? fs.readdirSync(directory).sort() : []);
const DOWN = { do: "status", status: 503, body: "{}" } as const;

describe("batches", () => {
  it("sends many events in few entries of one source, within every limit", async () => {
    const emitter = emitterOf();
    for (const id of numbered(2_000)) emitter.emit(sentBy(id));
    expect(await emitter.flush()).toBe(true);
    expect(requestIds()).toEqual(numbered(2_000));
    expect(bus.taken).toHaveLength(40);
    for (const call of bus.calls) {
      expect(call.length).toBeLessThanOrEqual(10);
      expect(new Set(call.map(({ Source }) => Source))).toEqual(new Set(["bursar.agent.research"]));
      expect(call.reduce((sum, { Detail }) => sum + Buffer.byteLength(Detail), 0)).toBeLessThanOrEqual(256 * 1024);
    }
    expect(JSON.parse(bus.taken[0]?.Detail ?? "").sdk).toEqual(SDK);
  });

  it("sends what governance needs at once, in company of what waits, and lets the rest wait", async () => {
    const emitter = emitterOf({ flushMs: 3_600_000 });
    emitter.emit(sentBy("r-1"));
    expect(bus.calls).toEqual([]);
    emitter.emit(urgent);
    await bus.until(() => bus.taken.length === 1);
    expect(requestIds()).toEqual(["r-1", "urgent"]);
    await vi.waitUntil(() => emitter.stats().sent === 2, 5_000);
    emitter.emit(sentBy("r-2"));
    expect(emitter.stats()).toMatchObject({ queued: 1, sent: 2 });
  });

  it("sends the rest within the time that flushMs gives", async () => {
    emitterOf({ flushMs: 30 }).emit(sentBy("r-1"));
    await bus.until(() => bus.taken.length === 1);
  });

  it("names the bus that was asked for, and its own version as package.json has it", async () => {
    const emitter = emitterOf({ bus: "payments" });
    emitter.emit(urgent);
    await emitter.flush();
    expect(bus.taken[0]?.EventBusName).toBe("payments");
    const { version } = JSON.parse(fs.readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    expect(SDK.version).toBe(version);
  });
});

describe("retries", () => {
  it.each([
    ["refuses connections", null],
    ["answers 500", DOWN],
    ["answers garbage", { do: "status", status: 200, body: "<html>", type: "text/html" }],
    ["answers with too few results", { do: "status", status: 200, body: '{"FailedEntryCount":0,"Entries":[]}' }],
    ["throttles", { do: "status", status: 400, body: '{"__type":"ThrottlingException","message":"slow down"}' }],
    ["resets connections", { do: "reset" }],
    ["hangs", { do: "hang" }],
  ] as const)("with the same ids when the bus %s", async (_, behaviour) => {
    const emitter = emitterOf({ callTimeoutMs: 100 });
    const { endpoint } = bus;
    if (behaviour === null) await bus.close();
    else bus.behave((call) => (call < 2 ? behaviour : { do: "take" }));
    for (const id of numbered(3)) emitter.emit(sentBy(id));
    emitter.emit(urgent);
    if (behaviour === null) {
      await vi.waitUntil(() => emitter.stats().retries > 0, 5_000);
      bus = await startBus(Number(new URL(endpoint).port));
    }
    expect(await emitter.flush(10_000)).toBe(true);
    expect(requestIds()).toEqual([...numbered(3), "urgent"]);
    const ids = bus.calls.map((entries) =>
      entries.flatMap(({ Detail }) => JSON.parse(Detail).events.map(({ id }: { id: string }) => id)),
    );
    for (const call of ids) expect(call).toEqual(ids[0]);
    expect(emitter.stats()).toMatchObject({ sent: 4, queued: 0, refused: 0, dropped: 0 });
    expect(emitter.stats().retries).toBeGreaterThan(0);
  });

  it("only the entries that failed", async () => {
    bus.behave((call) =>
      call === 0 ? { do: "entries", error: (_, index) => (index === 1 ? "InternalFailure" : null) } : { do: "take" },
    );
    const emitter = emitterOf();
    for (const id of numbered(150)) emitter.emit(sentBy(id));
    expect(await emitter.flush()).toBe(true);
    expect(bus.calls.map(({ length }) => length)).toEqual([3, 1]);
    expect(requestIds().sort()).toEqual(numbered(150).sort());
  });

  it("not what can never pass: it is put aside with the reason and the neighbours go on", async () => {
    bus.behave({ do: "entries", error: ({ Detail }) => (Detail.includes("poison") ? "MalformedDetail" : null) });
    const emitter = emitterOf({ spool: directory });
    for (const id of [...numbered(50), "poison", ...numbered(49, 50), ...numbered(20, 99)]) emitter.emit(sentBy(id));
    expect(await emitter.flush()).toBe(true);
    expect(emitter.stats()).toMatchObject({ sent: 70, refused: 50, dropped: 0 });
    const [first] = fs.readFileSync(join(directory, "bursar.agent.research~refused.ndjson"), "utf8").trim().split("\n");
    const { reason, event } = JSON.parse(first ?? "");
    expect(reason).toContain("MalformedDetail");
    expect(JSON.parse(event).requestId).toBe("poison");
  });

  it("entry by entry when the bus blames the whole call", async () => {
    const blame = { do: "status", status: 400, body: '{"__type":"ValidationException"}' } as const;
    bus.behave((call) => (JSON.stringify(bus.calls[call]).includes("poison") ? blame : { do: "take" }));
    const emitter = emitterOf();
    for (const id of [...numbered(50), "poison", ...numbered(10, 50)]) emitter.emit(sentBy(id));
    expect(await emitter.flush()).toBe(true);
    expect(requestIds()).toEqual(numbered(50));
    expect(emitter.stats().refused).toBe(11);
  });

  it("an entry that is refused for an unknown reason for a while, then puts it aside", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
    let refusals = 0;
    const client = {
      send: () => {
        refusals += 1;
        return Promise.resolve({ Entries: [{ ErrorCode: "SomethingNew" }] });
      },
      destroy() {},
    };
    const emitter = createEmitter({ source: { agent: "a" }, client: client as unknown as EventBridgeClient });
    emitter.emit(urgent);
    await vi.advanceTimersByTimeAsync(600_000);
    expect(emitter.stats()).toMatchObject({ refused: 1, queued: 0 });
    expect(refusals).toBe(20);
  });
});

describe("the spool", () => {
  it("keeps events while the bus is away, and a later process sends them in order", async () => {
    bus.behave(DOWN);
    const first = emitterOf({ spool: directory });
    for (const id of numbered(120)) first.emit(sentBy(id));
    expect(await first.close(100)).toBe(true);
    expect(bus.taken).toEqual([]);
    expect(files()).toHaveLength(1);
    bus.behave({ do: "take" });
    const later = emitterOf({ spool: directory, flushMs: 10 });
    await vi.waitUntil(() => later.stats().drained === 120, 5_000);
    expect(requestIds()).toEqual(numbered(120));
    expect(files()).toEqual([]);
  });

  it("takes over after some failures, and empties itself when the bus is back", async () => {
    bus.behave(DOWN);
    const emitter = emitterOf({ spool: directory, flushMs: 10 });
    for (const id of numbered(10)) emitter.emit(sentBy(id));
    await vi.waitUntil(() => emitter.stats().spooled === 10, 10_000);
    emitter.emit(urgent); // also what comes later, without waiting for the next call
    await vi.waitUntil(() => emitter.stats().spooled === 11, 10_000);
    bus.behave({ do: "take" });
    await vi.waitUntil(() => emitter.stats().drained === 11, 10_000);
    expect(requestIds()).toEqual([...numbered(10), "urgent"]);
    expect(files()).toEqual([]);
    expect(await emitter.flush()).toBe(true);
  });

  it("leaves other sources' files alone", async () => {
    bus.behave(DOWN);
    const api = createEmitter({ source: { api: "reports" }, endpoint: bus.endpoint, spool: directory });
    api.emit({ type: "api.transaction_confirmed", txHash: `0x${"ab".repeat(32)}` });
    await api.close(50);
    bus.behave({ do: "take" });
    const emitter = emitterOf({ spool: directory });
    emitter.emit(urgent);
    expect(await emitter.flush()).toBe(true);
    expect(bus.taken.map(({ Source }) => Source)).toEqual(["bursar.agent.research"]);
    expect(files()).toHaveLength(1);
  });

  it("puts a truncated line aside and sends its neighbours", async () => {
    const line = JSON.stringify({ id: "x", at: "2026-11-20T10:00:00.000Z", ...sentBy("r-1") });
    fs.writeFileSync(
      join(directory, "bursar.agent.research~000000000000001-00000001-dead.ndjson"),
      `${line}\n${line.slice(0, 40)}`,
    );
    const emitter = emitterOf({ spool: directory });
    expect(await emitter.flush()).toBe(true);
    await vi.waitUntil(() => emitter.stats().drained === 1, 5_000);
    expect(emitter.stats().refused).toBe(1);
    expect(requestIds()).toEqual(["r-1"]);
  });

  it("takes a claim over from a process that died with it", async () => {
    const line = JSON.stringify({ id: "x", at: "2026-11-20T10:00:00.000Z", ...sentBy("r-1") });
    const stale = join(directory, "bursar.agent.research~000000000000001-00000001-dead.ndjson.0badc0de");
    fs.writeFileSync(stale, `${line}\n`);
    fs.writeFileSync(stale.replace("0001-dead", "0002-busy"), `${line}\n`);
    fs.utimesSync(stale, new Date(0), new Date(0));
    const emitter = emitterOf({ spool: directory });
    await vi.waitUntil(() => emitter.stats().drained === 1, 5_000);
    expect(files()).toEqual(["bursar.agent.research~000000000000001-00000002-busy.ndjson.0badc0de"]);
  });

  it("keeps its bound, oldest out first, and counts them", async () => {
    bus.behave(DOWN);
    const emitter = emitterOf({ spool: directory, spoolBytesMax: 100_000, queueMax: 100 });
    for (const id of numbered(5_000)) emitter.emit(sentBy(id));
    expect(await emitter.close(10)).toBe(false);
    const bytes = files().reduce((sum, name) => sum + fs.statSync(join(directory, name)).size, 0);
    expect(bytes).toBeLessThanOrEqual(100_000);
    const kept = files().flatMap((name) => fs.readFileSync(join(directory, name), "utf8").trim().split("\n"));
    expect(JSON.parse(kept.at(-1) ?? "").requestId).toBe("r-4999");
    expect(kept.length + emitter.stats().dropped).toBe(5_000);
  });

  it("that cannot be written leaves events in memory, up to the cap", async () => {
    const file = join(directory, "a-file");
    fs.writeFileSync(file, "");
    bus.behave(DOWN);
    const errors: string[] = [];
    const emitter = emitterOf({
      spool: join(file, "spool"),
      queueMax: 10,
      flushMs: 5,
      onError: ({ message }) => errors.push(message),
    });
    for (const id of numbered(15)) emitter.emit(sentBy(id));
    await vi.waitUntil(() => emitter.stats().retries > 3, 10_000);
    expect(emitter.stats()).toMatchObject({ queued: 10, dropped: 5, spooled: 0 });
    expect(errors.join()).toContain("ENOTDIR");
    bus.behave({ do: "take" });
    expect(await emitter.flush(10_000)).toBe(true);
    expect(requestIds()).toEqual(numbered(10, 5));
  });

  it("loses nothing between processes that share it, some of which are killed", async () => {
    bus.behave((call) => (call % 3 === 0 ? { do: "take" } : DOWN));
    const children = ["a", "b", "c", "d"].map((name) => child(name, 300));
    for (const { kill } of children.slice(0, 2)) await kill();
    await Promise.all(children.map(({ exited }) => exited));
    bus.behave({ do: "take" });
    for (const name of files().filter((name) => !name.endsWith(".ndjson")))
      fs.utimesSync(join(directory, name), new Date(0), new Date(0));
    emitterOf({ spool: directory });
    await vi.waitUntil(() => files().filter((name) => !name.startsWith(".")).length === 0, 20_000);
    const seen = new Set(requestIds());
    for (const { durable } of children) for (const id of durable) expect(seen).toContain(id);
    expect(children.flatMap(({ durable }) => durable).length).toBeGreaterThan(600);
  }, 60_000);

  /** A process that emits, says what is durable (spooled or sent) after each round, and ends. */
  function child(name: string, count: number) {
    const durable: string[] = [];
    const process_ = spawn(
      process.execPath,
      ["--import", "tsx", new URL("./spooling-process.ts", import.meta.url).pathname],
      {
        env: { ...process.env, ENDPOINT: bus.endpoint, SPOOL: directory, NAME: name, COUNT: String(count) },
        stdio: ["ignore", "pipe", "inherit"],
      },
    );
    let said = () => {};
    const first = new Promise<void>((resolve) => {
      said = resolve;
    });
    process_.stdout.on("data", (chunk: Buffer) => {
      durable.push(
        ...chunk
          .toString()
          .split("\n")
          .filter((line) => line.startsWith(`${name}-`)),
      );
      said();
    });
    const exited = new Promise((resolve) => process_.once("close", resolve));
    return { durable, exited, kill: () => first.then(() => process_.kill("SIGKILL")) };
  }
});

describe("bounds", () => {
  it("holds a million events to the cap without a spool, and counts what went", async () => {
    bus.behave({ do: "hang" });
    const emitter = emitterOf({ queueMax: 1_000 });
    const event = sentBy("r");
    const before = process.memoryUsage().heapUsed;
    for (let index = 0; index < 1_000_000; index += 1) emitter.emit(event);
    expect(emitter.stats()).toMatchObject({ emitted: 1_000_000, queued: 1_000, dropped: 999_000 });
    expect(process.memoryUsage().heapUsed - before).toBeLessThan(200 * 1024 * 1024);
  }, 120_000);

  it("holds large events to a cap of bytes", () => {
    const emitter = emitterOf({ flushMs: 3_600_000 });
    const large = { ...sentBy("r"), labels: { a: "x".repeat(40_000) } } as EmitInput;
    for (let index = 0; index < 2_000; index += 1) emitter.emit(large);
    expect(emitter.stats().queued * 40_000).toBeLessThanOrEqual(16 * 1024 * 1024);
    expect(emitter.stats().dropped).toBeGreaterThan(1_000);
  });

  it("lets the process end while the bus hangs, with the rest on the spool", async () => {
    bus.behave({ do: "hang" });
    const program = `
      import { createEmitter } from ${JSON.stringify(new URL("../src/index.ts", import.meta.url).href)};
      const emitter = createEmitter({ source: { agent: "research" }, endpoint: ${JSON.stringify(bus.endpoint)}, spool: ${JSON.stringify(directory)}, callTimeoutMs: 3600000 });
      emitter.emit(${JSON.stringify(urgent)});
      setTimeout(() => {}, 300);
      const from = performance.now();
      process.on("exit", () => process.stdout.write(String(performance.now() - from)));`;
    const process_ = spawn(process.execPath, ["--import", "tsx", "--input-type=module", "-e", program], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let heldMs = "";
    process_.stdout.on("data", (chunk: Buffer) => {
      heldMs += chunk;
    });
    expect(await new Promise((resolve) => process_.once("close", resolve))).toBe(0);
    // Timers of 3 s in the AWS client would hold it, and so would its socket.
    expect(Number(heldMs)).toBeLessThan(2_500);
    expect(bus.calls).toHaveLength(1);
    expect(files()).toHaveLength(1);
  });
});

describe("emit", () => {
  it("never throws, whatever it is given", async () => {
    const circular: Record<string, unknown> = { type: "agent.request_sent" };
    circular.self = circular;
    const emitter = emitterOf({
      onError: () => {
        throw new Error("a listener's own");
      },
    });
    const strange = [
      circular,
      { type: "agent.x", big: 1n },
      null,
      undefined,
      7,
      {},
      { type: "api.content_returned" },
      { type: 5 },
    ];
    for (const event of [...strange, { ...sentBy("huge"), labels: { a: "x".repeat(70_000) } }])
      emitter.emit(event as EmitInput);
    emitter.emit(sentBy("good"));
    expect(await emitter.flush()).toBe(true);
    expect(requestIds()).toEqual(["good"]);
    expect(emitter.stats()).toMatchObject({ emitted: 10, sent: 1, refused: 9 });
  });

  it("lets no secret out: neither in URLs nor in messages", async () => {
    const emitter = emitterOf();
    const key = "ab".repeat(32);
    emitter.emit({
      ...sentBy("r-1"),
      resource: { url: "https://user:hunter2@api.example/a?token=hunter2#hunter2", method: "GET" },
    } as EmitInput);
    emitter.emit({
      ...urgent,
      message: `GET https://me:hunter2@x.example/p?sig=hunter2 Bearer hunter2.x api_key=hunter2 0x${key} ${key}`,
    } as EmitInput);
    await emitter.flush();
    const said = bus.taken.map(({ Detail }) => Detail).join();
    expect(said).not.toContain("hunter2");
    expect(said).not.toContain(key);
    expect(said).toContain("https://api.example/a");
    expect(said).toContain("https://x.example/p");
  });

  it("survives clocks that step", async () => {
    const emitter = emitterOf();
    vi.setSystemTime(new Date("2030-01-01T00:00:00.000Z"));
    emitter.emit(sentBy("r-1"));
    vi.setSystemTime(new Date("2020-01-01T00:00:00.000Z"));
    emitter.emit(sentBy("r-2"));
    vi.useRealTimers();
    expect(await emitter.flush()).toBe(true);
    expect(bus.told().map(({ event }) => event.at)).toEqual(["2030-01-01T00:00:00.000Z", "2020-01-01T00:00:00.000Z"]);
  });

  it("goes straight to the spool after close, and is neither lost during it", async () => {
    bus.behave(DOWN);
    const emitter = emitterOf({ spool: directory });
    emitter.emit(sentBy("before"));
    const closed = emitter.close(100);
    emitter.emit(sentBy("during"));
    expect(await closed).toBe(true);
    emitter.emit(sentBy("after"));
    expect(emitter.stats()).toMatchObject({ queued: 0, spooled: 3, dropped: 0 });
    expect(await emitter.flush()).toBe(false);
    const lines = files().flatMap((name) => fs.readFileSync(join(directory, name), "utf8").trim().split("\n"));
    expect(lines.map((line) => JSON.parse(line).requestId)).toEqual(["before", "during", "after"]);
  });

  it("uses the client it is given", async () => {
    const client = new EventBridgeClient({
      endpoint: bus.endpoint,
      region: "eu-west-1",
      credentials: { accessKeyId: "a", secretAccessKey: "b" },
    });
    const emitter = createEmitter({ source: { api: "reports" }, client });
    emitter.emit({ type: "api.transaction_confirmed", txHash: `0x${"ab".repeat(32)}` });
    expect(await emitter.close()).toBe(true);
    expect(bus.taken[0]?.Source).toBe("bursar.api.reports");
    client.destroy();
  });

  it("refuses a producer that EventBridge could not name", () => {
    expect(() => createEmitter({ source: { agent: "a b" } })).toThrow('source.agent is "a b"');
  });
});
