/**
 * The laws of governance: what is judged live is what a replay plans, whatever else happens the books are right, and no
 * revocation is missing, without cause, or done twice.
 */
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Action } from "@bursar/events/shapes";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { listAlerts } from "../src/alert-book.ts";
import { alertOf, TELL_DUE } from "../src/alert-items.ts";
import type { KeptAlert } from "../src/alert-shape.ts";
import { readBudgets } from "../src/budget-reads.ts";
import { enforceDue } from "../src/enforce.ts";
import { govern, governAll } from "../src/govern.ts";
import { baseOf, type GovernBase, worldAt } from "../src/govern-world.ts";
import { ingest, movedBy } from "../src/ingest.ts";
import { knownCounters, SCOPE_KINDS } from "../src/known-books.ts";
import { eachAction } from "../src/outbox.ts";
import { all } from "../src/pages.ts";
import { applyConfig, noteBooked, raisePolicy, readPolicies, removePolicy, setPolicy } from "../src/policies.ts";
import { load } from "../src/record.ts";
import { recount } from "../src/recount.ts";
import { refold } from "../src/refold.ts";
import { worldOf } from "../src/world.ts";
import { type AgentCoreModel, agentCoreModel } from "./agentcore-model.ts";
import { config as plain, SESSIONS, SHARED, spendings } from "./history.ts";
import { interleave } from "./interleave.ts";
import { judgedBy } from "./judged-by.ts";
import { emptyMemory, type Memory, memoryStore } from "./memory-store.ts";
import { snapshot } from "./snapshot.ts";

const NOW = "2026-11-20T10:30:00.000Z";
const RUNS = Number(process.env.LAW_RUNS ?? 300);
const revoke = { at: 1, do: "revoke" } as const;
const freeze = { at: 1, do: "freeze" } as const;

/** Every kind of scope, limits that some histories reach and others do not. */
const BUDGETS = [
  {
    id: "agents",
    scope: { agent: "*" },
    window: "day",
    limitUsd: "0.000003",
    thresholds: [{ at: 0.5, do: "alert" }, revoke],
  },
  { id: "org", scope: { org: "*" }, window: "month", limitUsd: "0.00001", thresholds: [revoke] },
  { id: "research", scope: { agent: "research" }, window: "total", limitUsd: "0.000005", thresholds: [freeze] },
  { id: "sessions", scope: { session: "*" }, window: "total", limitUsd: "0.000002", thresholds: [revoke] },
  { id: "payees", scope: { payee: "*" }, window: "hour", limitUsd: "0.000005", thresholds: [revoke] },
  { id: "desk", scope: { label: "team=desk" }, window: "week", limitUsd: "0.000005", thresholds: [revoke] },
  { id: "x", scope: { label: "team=x" }, window: "week", limitUsd: "0.000002", thresholds: [revoke] },
  { id: "wallets", scope: { wallet: "*" }, window: "day", limitUsd: "0.0001", thresholds: [revoke] },
  { id: "apis", scope: { api: "*" }, window: "day", limitUsd: "0.000005", mode: "observe", thresholds: [revoke] },
] as const;

const configOf = (budgets: readonly unknown[]) =>
  parseConfig({
    org: plain.org,
    agents: Object.fromEntries(
      Object.entries(plain.agents).map(([id, agent]) => [id, { wallets: agent.wallets, labels: agent.labels }]),
    ),
    apis: plain.apis,
    budgets,
    limits: { revocationsPerMinute: 1000 },
  });
const config = configOf(BUDGETS);

/** Some budgets of all: where one stops everything the others never show. */
const someBudgets = fc.subarray([...BUDGETS], { minLength: 1, maxLength: 3 });

describe("live and replayed", () => {
  test(`one event after the other, live judgement orders what a replay plans (${RUNS} histories)`, async () => {
    let orders = 0;
    await fc.assert(
      fc.asyncProperty(spendings(24), someBudgets, async (events, budgets) => {
        const under = configOf(budgets);
        const store = memoryStore();
        await noteBooked(store, (await applyConfig(store, under.budgets)).edition);
        const base = baseOf(worldOf(under), under);
        for (const event of events) await ingest(store, base, [event], NOW);
        const live = await ordered(store);
        const planned = await judgedBy(under, events);
        expect(live).toEqual(planned.actions.map(named).sort());
        orders += live.length;
        const alerts = (await listAlerts(store, NOW)).map(({ id }) => id);
        const told = (ids: readonly string[]) =>
          ids.filter((id) => /^(budget_threshold|would_revoke)\//.test(id)).sort();
        expect(told(alerts)).toEqual(told(planned.alerts.map(({ id }) => id)));
        expect(new Set(alerts).size).toBe(alerts.length);
        expect(await readBudgets(store, under.org, NOW, "all")).toEqual(planned.budgets);
      }),
      { numRuns: RUNS },
    );
    expect(orders).toBeGreaterThan(RUNS / 4); // else the histories reach no limit
  }, 240_000);
});

/** What may happen beside events: budgets change, and time goes on. */
type Turn =
  | { readonly kind: "tell"; readonly events: readonly Told[] }
  | { readonly kind: "set"; readonly budget: number; readonly limit: bigint }
  | { readonly kind: "remove"; readonly budget: number }
  | { readonly kind: "raise"; readonly budget: number; readonly to: bigint };

const pick = fc.nat(BUDGETS.length - 1);
const turn: fc.Arbitrary<Turn> = fc.oneof(
  { weight: 6, arbitrary: spendings(6).map((events) => ({ kind: "tell" as const, events })) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("set" as const), budget: pick, limit: fc.bigInt(1n, 12n) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("remove" as const), budget: pick }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("raise" as const), budget: pick, to: fc.bigInt(1n, 30n) }) },
);

describe("after any history", () => {
  test(`writers, crashes between any two steps, budgets that change: the books are right and every stop is made once (${RUNS} histories)`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(turn, { minLength: 2, maxLength: 6 }),
        fc.array(fc.nat(), { minLength: 40, maxLength: 400 }),
        async (turns, choices) => {
          const memory = emptyMemory();
          const agentCore = agentCoreModel();
          for (const session of [...SESSIONS, SHARED]) agentCore.open(session);
          await applyConfig(memoryStore(memory), config.budgets);
          await interleave(
            turns.map((one) => (pause) => run(one, memory, agentCore, pause)),
            memory,
            choices,
            2,
          );
          await recover(memory, agentCore);
          await check(memory, agentCore);
        },
      ),
      { numRuns: RUNS },
    );
  }, 240_000);

  test("judging and enforcing a second time does nothing more", async () => {
    await fc.assert(
      fc.asyncProperty(spendings(16), async (events) => {
        const memory = emptyMemory();
        const store = memoryStore(memory);
        const agentCore = agentCoreModel();
        for (const session of [...SESSIONS, SHARED]) agentCore.open(session);
        await applyConfig(store, config.budgets);
        const base = baseOf(worldOf(config), config);
        await ingest(store, base, events, NOW);
        await recover(memory, agentCore);
        // What AgentCore had not shows only now: who is stopped by nobody is told of, once.
        await ingest(store, baseOf(worldOf(config), config), events, NOW);
        await recover(memory, agentCore);
        const before = versions(memory);
        const deleted = [...agentCore.deleted];
        const again = await ingest(store, baseOf(worldOf(config), config), events, NOW);
        expect([again.due, again.frozen, again.heldBack, again.alerts]).toEqual([[], [], [], []]);
        await recover(memory, agentCore);
        expect(agentCore.deleted).toEqual(deleted);
        expect(versions(memory)).toEqual(before);
      }),
      { numRuns: 100 },
    );
  }, 120_000);
});

async function run(
  one: Turn,
  memory: Memory,
  agentCore: AgentCoreModel,
  pause: (step: string) => Promise<void>,
): Promise<void> {
  const store = memoryStore(memory, pause);
  const base = baseOf(worldOf(config), config);
  const policy = "budget" in one ? (config.budgets[one.budget] as (typeof config.budgets)[number]) : null;
  if (one.kind === "tell") {
    const { failed } = await ingest(store, base, one.events, NOW);
    if (failed.length > 0) throw new Error("others kept writing");
    await enforceAll(store, base, agentCore);
  } else if (one.kind === "set" && policy !== null) await setPolicy(store, { ...policy, limit: one.limit });
  else if (one.kind === "remove" && policy !== null) await removePolicy(store, policy.id);
  else if (one.kind === "raise" && policy !== null)
    await raisePolicy(store, policy.id, { to: one.to, until: "2026-11-20T23:00:00.000Z", reason: "test", at: NOW });
  if (one.kind !== "tell") await governAll(store, await worldAt(store, base, NOW), NOW);
}

/**
 * What shells do when all is quiet: fold under the budgets in force, hear the change feed, do what is due. At last they
 * judge everything, as at each start and where a deletion found no session: that may find something that a crash left
 * untold, and no stop that is missing.
 */
async function recover(memory: Memory, agentCore: AgentCoreModel): Promise<void> {
  const store = memoryStore(memory);
  const base = baseOf(worldOf(config), config);
  const { edition } = await readPolicies(store);
  for await (const _ of refold(store, await worldAt(store, base, NOW), () => NOW));
  await noteBooked(store, edition);
  const { changes } = await store.changes(null, Number.MAX_SAFE_INTEGER);
  await govern(store, await worldAt(store, base, NOW), movedBy(changes, base), NOW);
  await enforceAll(store, base, agentCore);
  const started = await governAll(store, await worldAt(store, base, NOW), NOW);
  expect([started.due, started.frozen, started.heldBack]).toEqual([[], [], []]);
}

async function enforceAll(
  store: ReturnType<typeof memoryStore>,
  base: GovernBase,
  agentCore: AgentCoreModel,
): Promise<void> {
  const tell = async (told: readonly Told[]) => void (await ingest(store, base, told, NOW));
  await enforceDue({ store, sessions: agentCore.sessions, agents: {}, now: () => NOW, tell });
}

async function check(memory: Memory, agentCore: AgentCoreModel): Promise<void> {
  const store = memoryStore(memory);
  const base = baseOf(worldOf(config), config);
  const world = await worldAt(store, base, NOW);
  // Every counter is the sum of what payments have applied, and that is what they do.
  const { kept } = await snapshot(store, memory, world, NOW);
  const applied = new Set(kept.flatMap((one) => Object.keys(one.applied)));
  expect(await recount(store, world, NOW)).toMatchObject({ wrong: [], stale: 0, wrongAlerts: [] });
  checkAlerts(memory, await listAlerts(store, NOW));
  // Nothing more is asked for, and nothing waits.
  for (const kind of SCOPE_KINDS)
    for await (const counter of knownCounters(store, kind, "all")) applied.delete(counter);
  expect([...applied]).toEqual([]); // each counter was noted
  const governed = await governAll(store, world, NOW);
  expect([governed.due, governed.frozen, governed.heldBack, governed.alerts]).toEqual([[], [], [], []]);
  const actions = await all(eachAction(store));
  expect(actions.filter(({ outcome }) => outcome === "due")).toEqual([]);
  // Each deletion was ordered, for a figure that had reached its threshold, and made once.
  const revocations = actions.filter(({ kind }) => kind === "revoke_session");
  const done = revocations.filter(({ outcome }) => outcome === "done").map(({ target }) => target);
  expect([...agentCore.deleted].sort()).toEqual([...new Set(agentCore.deleted)].sort());
  for (const target of agentCore.deleted) expect(done).toContain(target);
  for (const { reason } of actions) {
    const shares = [...reason.matchAll(/is at (\d+) %/g)].map(([, share]) => Number(share));
    expect(shares.length).toBeGreaterThan(0);
    for (const share of shares) expect(share).toBeGreaterThanOrEqual(100);
  }
}

/** An alert stands while a payment stands in it, and whatever was told of one waits to be delivered. */
function checkAlerts(memory: Memory, alerts: readonly KeptAlert[]): void {
  const standing = new Set<string>();
  for (const item of memory.items.values()) {
    if (!item.pk.startsWith("PAY#")) continue;
    const { marks } = load(item.pk.slice("PAY#".length), item);
    for (const [id, mark] of Object.entries(marks)) if (mark.stands) standing.add(id);
  }
  const counted = alerts.filter((alert) => alert.standing !== undefined);
  const open = counted.filter(({ status }) => status !== "resolved").map(({ id }) => id);
  expect(open.sort()).toEqual([...standing].sort());
  const due = [...memory.items.values()].filter(({ index }) => index?.due?.partition === TELL_DUE);
  for (const alert of alerts) {
    const kept = alertOf(memory.items.get(`ALERT#${alert.id}\u0000.`));
    if (kept?.told == null) throw new Error(`nobody was told of ${alert.id}`);
    expect(due.map(({ pk }) => pk)).toContain(`OUT#publish_alert/${alert.id}/open/0`);
  }
}

/** Versions of all but payments, which folding again writes again. */
function versions(memory: Memory): string[] {
  const others = [...memory.items.values()].filter(({ pk }) => !pk.startsWith("PAY#"));
  return others.map(({ pk, version }) => `${pk} ${version}`).sort();
}

async function ordered(store: ReturnType<typeof memoryStore>): Promise<string[]> {
  return (await all(eachAction(store))).map(named).sort();
}

const named = ({ kind, target }: Pick<Action, "kind" | "target">): string => `${kind} ${target}`;
