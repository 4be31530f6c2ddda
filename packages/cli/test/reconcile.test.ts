/** `bursar reconcile` against machines on a real chain: one that saw all of the day, and one that came too late. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { dayBefore, dayOf } from "@bursar/core/chain-day";
import { addsOf, spentCounter } from "@bursar/core/counters";
import { changeSession } from "@bursar/core/session-registry";
import { worldOf } from "@bursar/core/world";
import { signAuthorization } from "@bursar/demo/authorization";
import { type Devnet, startDevnet } from "@bursar/demo/devnet";
import { transfer } from "@bursar/demo/usdc";
import { parseConfig } from "@bursar/events/config-schema";
import { paymentId } from "@bursar/events/ids";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type ApiParts, createApi } from "../src/api.ts";
import type { Machine } from "../src/machine.ts";
import { createReconciler, type Reading, type Reconciled } from "../src/reconcile.ts";
import { dayFor } from "../src/reconcile-days.ts";
import { createReconcileDesk } from "../src/reconcile-desk.ts";
import { directoryForTest, machineForTest } from "./machines.ts";
import { clientOf, entryOf, put, USDC } from "./producers.ts";
import { type Ran, typed } from "./typed.ts";

const SLOW = 240_000;
let devnet: Devnet;
let directory: string;
let configFile: string;
/** Started when two of three payments were made, and reads from its own start. */
let late: Machine;
/** Reads the chain from its first block. */
let whole: Machine;
/** The payments that were made before either machine was there: settled, and sent without an authorization. */
let early: { settled: string; sent: string };
const data = (name: string) => join(directory, name);

beforeAll(async () => {
  directory = directoryForTest();
  devnet = await startDevnet();
  const [payer, shop] = [devnet.account(0), devnet.account(1)];
  const config = {
    org: "acme",
    chains: [{ id: 42161, rpcUrls: [devnet.rpcUrl] }],
    agents: { research: { wallets: [payer.address] } },
    apis: { reports: { payTo: [shop.address] } },
  };
  configFile = join(directory, "config.json");
  writeFileSync(configFile, JSON.stringify(config));
  await devnet.fund(payer.address, 1_000_000n);
  const hidden = await signAuthorization(payer, { to: shop.address, value: 30_000n });
  await devnet.settle(hidden);
  const sent = await transfer(devnet.client, payer, devnet.account(2).address, 7n);
  await devnet.mine(3); // a machine begins with the newest block
  early = {
    settled: paymentId(keyOf(hidden)),
    sent: `transfer:42161:${sent.transactionHash}:${sent.logs[0]?.logIndex}`,
  };

  const options = (name: string, startBlock?: number) => ({
    data: data(name),
    config: parseConfig(config),
    watch: { rpcUrls: [devnet.rpcUrl], intervalMs: 100, startBlock },
  });
  late = await machineForTest(options("late"));
  whole = await machineForTest(options("whole", 0));
  await vi.waitFor(async () => {
    for (const one of [late, whole]) expect((await one.health()).chain.latest).not.toBeNull();
  }, SLOW);
  const open = await signAuthorization(payer, { to: shop.address, value: 10_000n });
  const { transactionHash } = await devnet.settle(open);
  for (const machine of [late, whole]) {
    await put(clientOf(machine.url), report(open, transactionHash));
    await vi.waitFor(async () => expect((await reconciled(machine)).total.books.count).toBeGreaterThan(0), {
      timeout: SLOW,
      interval: 200,
    });
  }
}, SLOW);
afterAll(async () => {
  await late?.stop();
  await whole?.stop();
  await devnet?.stop();
});

type Signed = Awaited<ReturnType<typeof signAuthorization>>;

function keyOf({ authorization: { from, nonce } }: Signed) {
  const payer = from.toLowerCase();
  return { method: "eip3009" as const, chainId: 42161, asset: USDC, payer, nonce: nonce.toLowerCase() };
}

/** What agent and API tell of a payment that settled. */
function report(signed: Signed, txHash: string) {
  const payment = keyOf(signed);
  const { nonce, to, value, validBefore } = signed.authorization;
  const at = new Date().toISOString();
  const claim = { payment, amount: value.toString(), payTo: to.toLowerCase(), validBefore: validBefore.toString() };
  return [
    entryOf("bursar.agent.research", [
      { type: "agent.authorization_signed", id: `${nonce}-1`, at, ...claim },
      { type: "agent.response_received", id: `${nonce}-2`, at, payment, status: 200, settled: true, txHash },
    ]),
    entryOf("bursar.api.reports", [
      { type: "api.verification_started", id: `${nonce}-3`, at, ...claim },
      { type: "api.content_returned", id: `${nonce}-4`, at, payment, status: 200 },
    ]),
  ];
}

async function reconciled(machine: Machine): Promise<Reconciled> {
  return (await (await fetch(`${machine.url}/api/reconcile`)).json()) as Reconciled;
}

const bursar = (argv: readonly string[], answer?: string): Promise<Ran> =>
  typed(["reconcile", ...argv], { cwd: directory, ...(answer === undefined ? {} : { answer }) });
const at = (machine: Machine, ...argv: string[]) => bursar([...argv, "--port", String(machine.port)]);

describe("bursar reconcile", () => {
  test(
    "of a machine that saw the whole day is equal to the unit, proved by USDC's own balances",
    async () => {
      const { code, out, err } = await at(whole);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toContain("Chain and books are equal to the unit: 3 payments, $0.040007.");
      expect(out).toContain("USDC's own balances agree for each wallet: $0.00 + $1.00 in - $0.040007 out = $0.959993.");
      expect(out).toMatch(/research +\$0\.01 +\$0\.01 +\$0\.040007 +\$0\.040007 +equal/);
      expect(out).toContain("Agents have told nothing of 2 payments, $0.030007.");
      expect(out).toContain("Your APIs have told nothing of 1 payment, $0.03.");
      expect(out).toContain("Paid to others than your APIs, who do not report: 1 payment, $0.000007.");
      expect(out).toContain("2 counters of agents and organisation, each the sum of its payments.");
      for (const line of out.split("\n")) expect(line.length).toBeLessThanOrEqual(100);
    },
    SLOW,
  );

  test(
    "of one that came too late names what it missed, and where to read again",
    async () => {
      const { code, out } = await at(late);
      expect(code).toBe(1);
      expect(out).toContain("Chain and books differ in 2 payments.");
      expect(out).toMatch(/research +\$0\.01 +\$0\.01 +\$0\.040007 +\$0\.01 +\+\$0\.030007/);
      expect(out).toMatch(/not in the books +0x\S+ +research +\S+ \S+ +\$0\.03 +–/);
      const found = JSON.parse((await at(late, "--json")).out) as Reconciled;
      expect(found).toMatchObject({ equal: false, total: { difference: "30007" }, notAsked: null });
      expect(found.differences.map(({ kind, id }) => [kind, id])).toEqual([
        ["missing_in_books", early.settled],
        ["missing_in_books", early.sent],
      ]);
      expect(found.wallets[0]?.usdc).toMatchObject({ unexplained: "0" });
      expect(out.replace(/\s+/g, " ")).toContain(`bursar backfill --from ${found.differences[0]?.blockNumber}`);
    },
    SLOW,
  );

  test(
    "looks at a difference twice while the table is written to, because one that is gone then was none",
    async () => {
      const parsed = parseConfig(JSON.parse(readFileSync(configFile, "utf8")));
      const looksOf = async (machine: Machine, isLive: boolean): Promise<number> => {
        let looks = 0;
        const world = async () => {
          looks++;
          return worldOf(parsed);
        };
        const now = () => new Date().toISOString();
        const parts = { store: machine.store, world, rpcUrls: [devnet.rpcUrl], now, isLive };
        await createReconciler(parts).run(dayOf(now()), () => {});
        return looks;
      };
      expect(await looksOf(late, true)).toBe(2);
      expect(await looksOf(late, false)).toBe(1);
      expect(await looksOf(whole, true)).toBe(1);
    },
    SLOW,
  );

  test(
    "has nothing of a day in which nothing was paid, and refuses one that has not begun",
    async () => {
      const before = await at(whole, "--day", "2026-01-01");
      expect(before).toMatchObject({ code: 0 });
      expect(before.out).toContain("2026-01-01 (UTC): the chain has no block of it");
      expect(before.out).toContain("1 wallet without a payment");
      for (const day of ["2999-01-01", "2026-02-30", "tomorrow"]) {
        const wrong = await at(whole, "--day", day);
        expect(wrong).toMatchObject({ code: 2, out: "" });
        expect(wrong.err).toMatch(/^bursar: --day is .*(?:write a day like|has not begun)/);
        expect((await fetch(`${whole.url}/api/reconcile?day=${day}`)).status).toBe(400);
      }
    },
    SLOW,
  );

  test(
    "reads the directory and the chain itself where no machine runs, and shows progress on a terminal",
    async () => {
      await whole.stop();
      const { code, out, err } = await bursar(["--data", data("whole"), "--config", configFile], "y");
      expect(code).toBe(0);
      expect(out.replace(/\s+/g, " ")).toContain(`read from ${data("whole")} (no machine runs)`);
      expect(out).toContain("Chain and books are equal to the unit: 3 payments, $0.040007.");
      expect(err).toContain("Reading the books");
      expect(err).toContain("Reading the chain");
    },
    SLOW,
  );

  test(
    "shows books and stories where the chain does not answer or none is named, and fails only for the first",
    async () => {
      const { chains: _none, ...config } = JSON.parse(readFileSync(configFile, "utf8"));
      const silent = join(directory, "silent.json");
      writeFileSync(silent, JSON.stringify(config));
      const unasked = await bursar(["--data", data("whole"), "--config", silent]);
      expect(unasked.code).toBe(0);
      expect(unasked.out).toContain("The chain was not asked, so that nothing is proved.");
      await devnet.stop();
      const failed = await bursar(["--data", data("whole"), "--config", configFile]);
      expect(failed.code).toBe(1);
      expect(failed.out).toContain("The chain did not answer, so that nothing is proved.");
      expect(failed.out).toMatch(/research +\$0\.01 +\$0\.01 +– +\$0\.040007 +–/);
    },
    SLOW,
  );
});

describe("a machine", () => {
  const today = dayOf("2026-11-20T10:00:00.000Z");
  const answer = { day: today.name } as unknown as Reconciled;

  test("reconciles one day at a time: who asks for the same shares the answer", async () => {
    let finish = (_: Reconciled): void => {};
    let hear = (_: Reading): void => {};
    const desk = createReconcileDesk({
      run(_day, onReading) {
        hear = onReading;
        return new Promise((resolve) => {
          finish = resolve;
        });
      },
    });
    const first = desk.ask(today);
    expect(desk.ask(today)).toBe(first);
    expect(desk.ask(dayBefore(today))).toBeNull();
    hear({ step: "chain", done: 1, whole: 2 });
    expect(desk.reading()).toEqual({ step: "chain", done: 1, whole: 2 });
    finish(answer);
    expect(await first).toBe(answer);
    expect(desk.reading()).toBeNull();
    expect(desk.ask(dayBefore(today))).not.toBeNull();
    void desk.stop();
    expect(() => hear({ step: "books", done: 0, whole: null })).toThrow(/abort/);
  });

  test("that is busy with another day says so", async () => {
    const desk = { ask: () => null, reading: () => null, stop: async () => {} };
    const now = () => "2026-11-20T10:00:00.000Z";
    const api = createApi({
      desk,
      now,
      ready: Promise.resolve(),
      orders: { taken: {} },
      alertOrders: { taken: {} },
    } as unknown as ApiParts);
    const response = await api.request("/api/reconcile?day=yesterday");
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ error: { code: "busy" } });
  });
});

test("AgentCore's drift is shown of the sessions that lived in the day, and a counter that somebody changed is named", async () => {
  const store = await openLmdbStore(join(directoryForTest(), "store"));
  try {
    const at = "2026-11-20T10:00:00.000Z";
    const live = (sessionId: string, since: string, drift: string | null) =>
      changeSession(store, { managerArn: "arn:m", sessionId }, since, (kept) => ({
        ...kept,
        ...{ limit: "1000", available: "0", readAt: since, expiresAt: since.replace("T10", "T11") },
        drift: drift === null ? null : { amount: drift, cause: "of $0.00025 no agent has told", since },
      }));
    await live("before", "2026-11-19T10:00:00.000Z", "1");
    await live("drifts", at, "250");
    await live("agrees", at, null);
    await live("after", "2026-11-21T10:00:00.000Z", "1");
    const counter = spentCounter("org:acme", "day", "2026-11-20T00:00:00.000Z");
    await store.commit([], addsOf(new Map([[counter, 5n]]), "somebody"));
    const world = worldOf(parseConfig({ org: "acme" }));
    const parts = { store, world: async () => world, rpcUrls: [], now: () => at, isLive: true };
    const found = await createReconciler(parts).run(dayOf(at), () => {});
    expect(found.agentCore).toMatchObject({ sessions: 2, drifts: [{ id: "drifts", drift: "250" }] });
    expect(found.counters.wrong).toEqual([{ counter, kept: "5", counted: "0" }]);
    expect(found).toMatchObject({ equal: null, chainFailed: false });
    expect(found.notAsked).toContain("chains[0].rpcUrls");
  } finally {
    await store.close();
  }
});

test("days are what people call them", () => {
  const now = "2026-03-01T00:00:00.000Z";
  const named = (text: string) => {
    const day = dayFor(text, now);
    return typeof day === "string" ? day : day.name;
  };
  expect(["today", "yesterday", "2026-02-01"].map(named)).toEqual(["2026-03-01", "2026-02-28", "2026-02-01"]);
  expect(named("2026-03-02")).toBe("2026-03-02, and that has not begun: in UTC it is 2026-03-01");
  expect(named("\u001b[2Jx")).toMatch(/^"\[2Jx": write a day like 2026-03-01/);
});
