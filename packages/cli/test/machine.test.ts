/** The machine as a whole: starts, refusals, stops, restarts, poison, and a chain that does not answer. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { baseOf } from "@bursar/core/govern-world";
import { worldOf } from "@bursar/core/world";
import { parseConfig } from "@bursar/events/config-schema";
import { openLmdbStore } from "@bursar/store/lmdb";
import { describe, expect, test } from "vitest";
import { createFeed, type MachineEvent } from "../src/feed.ts";
import { createOverview } from "../src/overview.ts";
import { checkKind } from "../src/preflight.ts";
import { readQuarantine } from "../src/quarantine.ts";
import { openQueue } from "../src/queue.ts";
import { startSteps } from "../src/steps.ts";
import { settledOf, toldOf } from "./chain-facts.ts";
import { directoryForTest, machineForTest, nextEvent } from "./machines.ts";
import { agentEvents, apiEvents, clientOf, detailOf, entryOf, idOf, keyOf, PAY_TO, put, WALLET } from "./producers.ts";

const config = parseConfig({
  org: "acme",
  agents: { research: { wallets: [WALLET] } },
  apis: { reports: { payTo: [PAY_TO] } },
  budgets: [{ id: "day", scope: { agent: "research" }, window: "day", limitUsd: "1.00" }],
});

const both = (n: number) => [
  entryOf("bursar.agent.research", agentEvents(n)),
  entryOf("bursar.api.reports", apiEvents(n)),
];
const answerOf = async (url: string) => (await fetch(url)).json() as Promise<Record<string, never>>;

describe("startMachine", () => {
  test("tells each payment as it moves, keeps its books, and goes on after a restart", async () => {
    const data = join(directoryForTest(), "data");
    const machine = await machineForTest({ data, config });
    const seen: string[] = [];
    machine.on((event: MachineEvent) => {
      if (event.kind === "payment")
        seen.push(`${event.before?.verdict ?? "new"} -> ${event.data.state} ${event.data.verdict}`);
    });
    const matched = nextEvent(machine, (event) => event.kind === "payment" && event.data.verdict === "matched");
    await put(clientOf(machine.url), both(1));
    await machine.drained();
    await machine.tell([toldOf(settledOf(keyOf(1)))]);
    await matched;
    expect(seen.at(-1)).toBe("break -> settled matched"); // not_on_chain: the events are of an earlier day
    expect(machine.totals()).toEqual({ payments: 1, matched: 1, pending: 0, breaks: 0 });
    const start = performance.now();
    await machine.stop();
    expect(performance.now() - start).toBeLessThan(2_000);

    const again = await machineForTest({ data, config });
    await again.ready;
    expect(again.totals()).toEqual({ payments: 1, matched: 1, pending: 0, breaks: 0 });
    const { budgets } = await answerOf(`${again.url}/api/budgets`);
    expect(budgets).toMatchObject([
      { policy: "day", scope: "agent:research", held: "0", spent: "10000", remaining: "990000" },
    ]);
    const final = nextEvent(again, (event) => event.kind === "payment");
    await again.tell([
      toldOf({
        type: "chain.heads",
        id: "h",
        at: "2026-11-20T10:01:00.000Z",
        chainId: 42161,
        latest: 9_000,
        safe: 8_000,
        final: 7_000,
      }),
    ]);
    expect(await final).toMatchObject({ before: { state: "safe" }, data: { id: idOf(1), state: "final" } });
  });

  test("a config that changes between two starts: payments, lists and books are as if it had always been so", async () => {
    const data = join(directoryForTest(), "data");
    const agents = { research: { wallets: [WALLET] } };
    const week = { id: "week", scope: { agent: "*" }, window: "week", limitUsd: "9.00" };
    const payees = { id: "payees", scope: { payee: "*" }, window: "day", limitUsd: "9.00" };
    const before = await machineForTest({ data, config });
    await put(
      clientOf(before.url),
      [1, 2, 3].flatMap((n) => both(n)),
    );
    await before.drained();
    await before.tell([toldOf(settledOf(keyOf(1))), toldOf(settledOf(keyOf(2)))]);
    await before.stop();

    const configs = [
      { org: "acme", agents: { trader: { wallets: [WALLET] } }, budgets: [week, payees] },
      { org: "acme", agents: { trader: { wallets: [WALLET] }, ...{ research: {} } }, budgets: [week, payees] },
      { org: "acme", budgets: [week, payees] },
      { org: "acme", agents, apis: { reports: { payTo: [PAY_TO] } }, budgets: [week, payees] },
    ];
    for (const [i, changed] of configs.entries()) {
      const machine = await machineForTest({ data, config: parseConfig(changed) });
      await machine.ready;
      // What a machine says that has never known another config.
      const fresh = await machineForTest({ config: parseConfig(changed) });
      await put(
        clientOf(fresh.url),
        [1, 2, 3].flatMap((n) => both(n)),
      );
      await fresh.drained();
      await fresh.tell([toldOf(settledOf(keyOf(1))), toldOf(settledOf(keyOf(2)))]);
      for (const path of ["payments", "payments?agent=trader", "payments?agent=research", "budgets"]) {
        expect([i, path, await answerOf(`${machine.url}/api/${path}`)]).toEqual([
          i,
          path,
          await answerOf(`${fresh.url}/api/${path}`),
        ]);
      }
      expect(machine.totals()).toEqual(fresh.totals());
      await machine.stop();
    }
  });

  test("an alert is told when it opens and when its cause is gone", async () => {
    const machine = await machineForTest({ config });
    const opened = nextEvent(machine, (event) => event.kind === "alert");
    await put(clientOf(machine.url), both(1));
    expect(await opened).toMatchObject({ data: { rule: "not_on_chain", status: "open", count: 1 } });
    const closed = nextEvent(machine, (event) => event.kind === "alert");
    await machine.drained();
    await machine.tell([toldOf(settledOf(keyOf(1)))]);
    expect(await closed).toMatchObject({ data: { rule: "not_on_chain", status: "resolved", count: 1, standing: 0 } });
    expect((await answerOf(`${machine.url}/api/alerts?status=open`)).alerts).toEqual([]);
    expect((await answerOf(`${machine.url}/api/alerts`)).alerts).toMatchObject([{ rule: "not_on_chain", count: 1 }]);
  });

  test("a restart moves no alert's times, and tells nobody again", async () => {
    const data = join(directoryForTest(), "data");
    const machine = await machineForTest({ data, config });
    await put(clientOf(machine.url), [...both(1), ...both(2)]);
    await machine.drained();
    await expect.poll(async () => (await answerOf(`${machine.url}/api/health`)).alertsUndelivered).toBe(0);
    const before = (await answerOf(`${machine.url}/api/alerts`)).alerts as unknown as { id: string }[];
    expect(before).toMatchObject([{ rule: "not_on_chain", count: 2, standing: 2 }]);
    await machine.stop();

    const again = await machineForTest({ data, config });
    const told: MachineEvent[] = [];
    again.on((event) => event.kind === "alert" && told.push(event));
    await again.ready;
    await put(clientOf(again.url), [...both(1), ...both(2)]);
    await again.drained();
    await again.tell([]);
    expect((await answerOf(`${again.url}/api/alerts`)).alerts).toEqual(before);
    expect(told).toEqual([]);
  });

  test("what is acknowledged stands apart until it changes; what is kept quiet is told of when that ends", async () => {
    const machine = await machineForTest({ config });
    const post = async (path: string, body: object) => {
      const init = { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const response = await fetch(`${machine.url}${path}`, init);
      return { status: response.status, json: (await response.json()) as Record<string, never> };
    };
    await put(clientOf(machine.url), both(1));
    await machine.drained();
    const [alert] = (await answerOf(`${machine.url}/api/alerts?status=open`)).alerts as unknown as { id: string }[];
    const id = alert?.id ?? "";
    const path = `/api/alerts/${encodeURIComponent(id)}/ack`;
    expect(await post(path, { note: "the API is down" })).toMatchObject({
      status: 200,
      json: { alert: { id, status: "acknowledged", acknowledged: { note: "the API is down" } }, already: false },
    });
    expect(await post(`/api/alerts/${id}/ack`, {})).toMatchObject({ status: 200, json: { already: true } });
    expect(await post("/api/alerts/nothing/ack", {})).toMatchObject({
      status: 404,
      json: { error: { code: "not_found" } },
    });
    // More of the same below ten: it stays as it is.
    await put(clientOf(machine.url), both(2));
    await machine.drained();
    expect((await answerOf(`${machine.url}/api/alerts?status=acknowledged`)).alerts).toMatchObject([{ id, count: 2 }]);
    const more = (...numbers: number[]) => numbers.flatMap((n) => both(n));
    await put(clientOf(machine.url), more(3, 4, 5, 6));
    await put(clientOf(machine.url), more(7, 8, 9, 10));
    await machine.drained();
    expect((await answerOf(`${machine.url}/api/alerts?status=open`)).alerts).toMatchObject([
      { id, count: 10, step: 1, acknowledged: null },
    ]);

    const until = new Date(Date.now() + 3_600_000).toISOString();
    const wrong = await post("/api/orders/quiet", { about: "not_on_chian", until, reason: "x" });
    expect(wrong).toMatchObject({ status: 400, json: { error: { message: expect.stringContaining("not_on_chain") } } });
    expect(await post("/api/orders/quiet", { about: "not_on_chain", until, reason: "a known outage" })).toMatchObject({
      status: 200,
    });
    expect(await answerOf(`${machine.url}/api/alerts`)).toMatchObject({
      alerts: [{ id, quietUntil: until }],
      quiets: [{ about: "not_on_chain", until, reason: "a known outage" }],
    });
    expect(await post("/api/orders/quiet", { about: "not_on_chain", until: null })).toMatchObject({ status: 200 });
    expect(await answerOf(`${machine.url}/api/alerts`)).toMatchObject({
      alerts: [{ id, quietUntil: null }],
      quiets: [],
    });
    expect(await post("/api/orders/quiet", { about: "not_on_chain", until: null })).toMatchObject({ status: 409 });
  });

  test("a deadline breaks a story by time alone", async () => {
    const quick = parseConfig({ ...JSON.parse('{"org":"acme"}'), deadlines: { settleSeconds: 1 } });
    const machine = await machineForTest({ config: quick });
    const broken = nextEvent(machine, (event) => event.kind === "payment" && event.data.verdict === "break");
    const at = new Date().toISOString();
    const events = agentEvents(5).map((event) => ({ ...event, at }));
    await put(clientOf(machine.url), [entryOf("bursar.agent.research", events)]);
    expect(await broken).toMatchObject({ before: { verdict: "pending" }, data: { breaks: ["not_on_chain"] } });
  });

  test("a data directory in use, foreign, damaged or no directory is refused with what to do", async () => {
    const data = join(directoryForTest(), "data");
    await machineForTest({ data });
    await expect(machineForTest({ data })).rejects.toMatchObject({
      fault: "locked",
      message: expect.stringContaining("stop it first"),
    });

    const foreign = directoryForTest();
    writeFileSync(join(foreign, "thesis.txt"), "mine");
    await expect(machineForTest({ data: foreign })).rejects.toMatchObject({
      fault: "data",
      message: expect.stringContaining("thesis.txt"),
    });
    await expect(machineForTest({ data: join(foreign, "thesis.txt") })).rejects.toMatchObject({ fault: "data" });
    for (const [below, said] of [
      [join(foreign, "thesis.txt", "data"), "is no directory, or lies below a file"],
      ...(process.platform === "linux" ? [["/proc/bursar/data", "cannot be made"] as const] : []),
    ] as const) {
      await expect(machineForTest({ data: below })).rejects.toMatchObject({
        fault: "data",
        message: expect.stringContaining(said),
      });
    }

    const damaged = directoryForTest();
    mkdirSync(join(damaged, "store"));
    writeFileSync(join(damaged, "store", "data.mdb"), "x".repeat(10_000));
    await expect(machineForTest({ data: damaged })).rejects.toMatchObject({ fault: "corrupt" });
  });

  test("the demo's payments and real ones never share a data directory", async () => {
    const data = directoryForTest();
    for (const demo of [true, false]) expect(() => checkKind(data, demo)).not.toThrow();
    const begun = directoryForTest();
    mkdirSync(join(begun, "demo"));
    expect(() => checkKind(begun, true)).not.toThrow();
    expect(() => checkKind(begun, false)).toThrow("the demo's");
    mkdirSync(join(data, "store"));
    writeFileSync(join(data, "store", "data.mdb"), "");
    expect(() => checkKind(data, false)).not.toThrow();
    expect(() => checkKind(data, true)).toThrow("holds payments of your own: give the demo another directory");
    mkdirSync(join(data, "demo"));
    expect(() => checkKind(data, true)).not.toThrow();
    expect(() => checkKind(data, false)).toThrow("holds the demo's payments, and those are not real");
  });

  test("without a chain that answers it starts, says so, and takes events", async () => {
    const machine = await machineForTest({ config, watch: { rpcUrls: ["http://127.0.0.1:1"], intervalMs: 50 } });
    const notice = await nextEvent(machine, (event) => event.kind === "notice");
    expect(notice).toMatchObject({ data: { message: expect.stringContaining("the chain cannot be read") } });
    expect((await machine.health()).status).toBe("degraded");
    await put(clientOf(machine.url), both(3));
    await machine.drained();
    expect((await answerOf(`${machine.url}/api/payments/${idOf(3)}`)).state).toBe("submitted");
    const start = performance.now();
    await machine.stop();
    expect(performance.now() - start).toBeLessThan(2_000);
  });
});

describe("an event that fails though the store is well", () => {
  test("goes to the quarantine with its reason; its neighbours and the next entries do not wait", async () => {
    const directory = directoryForTest();
    const store = await openLmdbStore(join(directory, "store"));
    const queue = await openQueue(join(directory, "queue"));
    const feed = createFeed();
    const world = { ...worldOf(config), heads: new Map() };
    // A bug in the heart, of one payment: looking it up throws.
    const poisoned: typeof store = {
      ...store,
      get: async (keys) => {
        if (keys.some(({ pk }) => pk.includes(keyOf(13).nonce))) throw new TypeError("a bug");
        return store.get(keys);
      },
    };
    const overview = createOverview(() => world.directory);
    const quarantine = await readQuarantine(store);
    const quarantined = new Promise<MachineEvent>((resolve) =>
      feed.on((event) => event.kind === "quarantined" && resolve(event)),
    );
    const now = () => new Date().toISOString();
    const faults: (string | null)[] = [];
    const steps = startSteps({
      store: poisoned,
      queue,
      base: { ...baseOf(world, config), heads: world.heads },
      overview,
      quarantine,
      feed,
      now,
      onGoverned: () => {},
      onFault: (m) => faults.push(m),
    });
    const offerOf = (n: number) => {
      const detail = JSON.parse(detailOf(agentEvents(n).slice(1, 2)));
      const entry = { source: "bursar.agent.research", "detail-type": "payment.events.v1", detail };
      return queue.offer(entry, JSON.stringify(entry));
    };
    await Promise.all([12, 13, 14].map(offerOf));
    const taken = new Promise<void>((resolve) =>
      feed.on((event) => event.kind === "payment" && event.data.id === idOf(15) && resolve()),
    );
    await offerOf(15);
    await taken;
    expect(quarantine.count()).toBe(0); // still being tried
    expect(await quarantined).toMatchObject({
      data: { source: "bursar.agent.research", eventId: "a13-2", reason: expect.stringContaining("a bug") },
    });
    await queue.drained();
    expect(quarantine.count()).toBe(1);
    expect(overview.totals().payments).toBe(3);
    expect(faults).toEqual([]);
    const stopped = steps.stop();
    queue.wake();
    await stopped;
    await queue.close();
    await store.close();
  });
});
