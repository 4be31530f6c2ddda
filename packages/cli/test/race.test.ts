/** Payments in flight against a budget that stops them: how far it is overshot has a bound, and nobody else is touched. */
import type { ConfigInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import type { Action, Alert, Budget } from "@bursar/events/shapes";
import { afterEach, expect, test, vi } from "vitest";
import {
  accounts,
  MANAGER,
  openRacePlane,
  PAY_TO,
  type RacePlane,
  type Racer,
  race,
  racerOf,
  type Signed,
  USDC,
} from "../bench/racing.ts";
import type { Machine } from "../src/machine.ts";
import { machineForTest } from "./machines.ts";

const AMOUNT = 1_000_000n;
/** Machine, AgentCore and agents share one process here: signing alone must not fill it. */
const PAUSE_MS = 400;
const PATIENCE = { timeout: 20_000, interval: 20 };
const WALLETS = accounts(42);

const opened: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Field {
  readonly machine: Machine;
  readonly plane: RacePlane;
  /** Those whose budget it is, and those whose it is not. */
  readonly racers: readonly Racer[];
  readonly others: readonly Racer[];
}

/** A machine, a data plane, and `agents` with `sessions` each; two of another team beside them. */
async function field(
  agents: number,
  sessions: number,
  budgets: ConfigInput["budgets"],
  revocationsPerMinute: number,
): Promise<Field> {
  const plane = await openRacePlane(WALLETS);
  opened.push(() => plane.close());
  const enter = async (agentId: string, place: number, count: number): Promise<Racer> => {
    const racer = await racerOf(plane, agentId, WALLETS[place] as (typeof WALLETS)[number], count);
    opened.push(() => racer.close());
    return racer;
  };
  const racers = await Promise.all(Array.from({ length: agents }, (_, n) => enter(`racer-${n}`, n, sessions)));
  const others = await Promise.all([0, 1].map((n) => enter(`other-${n}`, agents + n, 1)));
  const agentOf = ({ agentId, payer }: Racer, team: string) => [
    agentId,
    { wallets: [payer.address], paymentManagerArn: MANAGER, userId: agentId, labels: { team } },
  ];
  const config = parseConfig({
    org: "acme",
    agents: Object.fromEntries([
      ...racers.map((one) => agentOf(one, "race")),
      ...others.map((one) => agentOf(one, "calm")),
    ]),
    apis: { reports: { payTo: [PAY_TO] } },
    budgets: budgets ?? [],
    limits: { revocationsPerMinute },
  } as ConfigInput);
  const machine = await machineForTest({ config, agentCoreUrl: plane.url });
  return { machine, plane, racers, others };
}

const get = async <T>(machine: Machine, path: string): Promise<T> =>
  (await (await fetch(`${machine.url}${path}`)).json()) as T;
const revocations = async (machine: Machine): Promise<Action[]> =>
  (await get<{ actions: Action[] }>(machine, "/api/actions")).actions.filter(({ kind }) => kind === "revoke_session");
const idsOf = (racers: readonly Racer[]): string[] =>
  racers.flatMap(({ sessions }) => sessions.map(({ sessionId }) => sessionId)).sort();
const total = (signed: readonly Signed[]): bigint => signed.reduce((sum, { amount }) => sum + amount, 0n);
const run = ({ machine }: Field, racers: readonly Racer[], inFlight: number, paymentsMax: number) =>
  race({ url: machine.url, racers, amount: AMOUNT, inFlight, paymentsMax, pauseMs: PAUSE_MS });

/** In the end every session of the scope is deleted once, is recorded once and signs no more; the others go on. */
async function expectStopped(of: Field, signed: readonly Signed[], policy: string, limit: bigint): Promise<void> {
  const { machine, plane, racers, others } = of;
  const raced = idsOf(racers);
  await vi.waitFor(async () => {
    const actions = await revocations(machine);
    expect(actions.filter(({ outcome }) => outcome === "done")).toHaveLength(raced.length);
  }, PATIENCE);
  await machine.drained();
  const actions = await revocations(machine);
  expect(actions.map(({ target }) => target).sort()).toEqual(raced);
  expect(new Set(actions.map(({ key }) => key)).size).toBe(raced.length);
  expect([...plane.deletions.keys()].sort()).toEqual(raced);
  expect([...plane.deletions.values()].filter((times) => times.length !== 1)).toEqual([]);
  expect([...plane.open()].sort()).toEqual(idsOf(others));

  const offer = { scheme: "exact", network: "eip155:42161", asset: USDC, amount: "1", payTo: PAY_TO };
  for (const { payer, sessions } of racers)
    for (const session of sessions)
      await expect(payer.pay(session, { ...offer, maxTimeoutSeconds: 60 })).rejects.toThrow("session not found");

  const ofRacers = signed.filter(({ agentId }) => agentId.startsWith("racer-"));
  const { budgets } = await get<{ budgets: Budget[] }>(machine, "/api/budgets");
  const budget = budgets.find((one) => one.policy === policy);
  expect(budget?.held).toBe(String(total(ofRacers)));
  expect(total(ofRacers)).toBeGreaterThanOrEqual(limit);
  expectBounded(ofRacers, plane, limit);
}

/** What was signed past the limit was asked for before its session's deletion was answered: that is all the overshoot. */
function expectBounded(signed: readonly Signed[], plane: RacePlane, limit: bigint): void {
  const order = [...signed].sort((a, b) => a.signedAt - b.signedAt);
  const last = Math.max(...[...plane.deletions.values()].flat());
  let sum = 0n;
  let late = 0n;
  for (const { amount, sessionId, askedAt } of order) {
    expect(askedAt).toBeLessThan(plane.deletions.get(sessionId)?.[0] ?? 0);
    if (sum >= limit && askedAt < last) late += amount;
    sum += amount;
  }
  expect(sum - limit).toBeLessThanOrEqual(late + AMOUNT);
}

const stopAt = (id: string, scope: Record<string, string>, limitUsd: string) =>
  [{ id, scope, window: "day", limitUsd, thresholds: [{ at: 1, do: "revoke" }] }] as unknown as ConfigInput["budgets"];

test("40 agents with payments in flight against one budget: all are stopped, and nobody else", async () => {
  const of = await field(40, 1, stopAt("team", { label: "team=race" }, "60.00"), 1_000);
  const [signed] = await Promise.all([run(of, of.racers, 1, 1_000), run(of, of.others, 1, 3)]);
  await expectStopped(of, signed, "team", 60_000_000n);
});

test("one agent with 10 sessions: all are stopped, those that had not paid yet too", async () => {
  const of = await field(1, 10, stopAt("racer", { agent: "racer-0" }, "30.00"), 1_000);
  const [signed] = await Promise.all([run(of, of.racers, 1, 1_000), run(of, of.others, 1, 3)]);
  await expectStopped(of, signed, "racer", 30_000_000n);
});

test("more stops than a minute may have: so many, one critical alert, and a human orders the rest", async () => {
  const of = await field(40, 1, stopAt("team", { label: "team=race" }, "60.00"), 5);
  const { machine, plane, racers } = of;
  const signed = await run(of, racers, 1, 4);
  await machine.drained();
  await vi.waitFor(async () => {
    const outcomes = (await revocations(machine)).map(({ outcome }) => outcome);
    expect(outcomes.filter((outcome) => outcome === "done")).toHaveLength(5);
    expect(outcomes.filter((outcome) => outcome === "skipped")).toHaveLength(35);
  }, PATIENCE);
  expect(plane.deletions.size).toBe(5);
  const { alerts } = await get<{ alerts: Alert[] }>(machine, "/api/alerts");
  expect(alerts.filter(({ rule }) => rule === "revocations_held_back")).toMatchObject([
    { severity: "critical", status: "open" },
  ]);

  const answer = await fetch(`${machine.url}/api/orders/revoke`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ scope: "label:team=race", reason: "the budget of the day is spent" }),
  });
  expect(answer.status).toBe(200);
  expect(((await answer.json()) as { ordered: Action[] }).ordered).toHaveLength(35);
  await expectStopped(of, signed, "team", 60_000_000n);
});
