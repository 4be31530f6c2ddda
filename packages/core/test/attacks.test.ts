/** Attacks on governance that once succeeded, and crashes that once lost something: each keeps its number of the review. */
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import { describe, expect, test } from "vitest";
import { listAlerts } from "../src/alert-book.ts";
import { canFindSessions, freezeByHuman, sessionsInScope, unfreezeByHuman } from "../src/commands.ts";
import { readCounters } from "../src/counters.ts";
import { enforce, enforceDue } from "../src/enforce.ts";
import { govern, governAll } from "../src/govern.ts";
import { baseOf, type GovernBase, worldAt } from "../src/govern-world.ts";
import { ingest, movedBy, staleIn } from "../src/ingest.ts";
import { listPayments } from "../src/lists.ts";
import { eachAction } from "../src/outbox.ts";
import { all } from "../src/pages.ts";
import { applyConfig, noteBooked, setPolicy } from "../src/policies.ts";
import { emptyPolls, type PollState, poll } from "../src/poll.ts";
import type { Sessions, Store } from "../src/ports.ts";
import { recount } from "../src/recount.ts";
import { foldAgain, refold } from "../src/refold.ts";
import { SessionsError } from "../src/sessions-error.ts";
import { worldOf } from "../src/world.ts";
import { agentCoreModel } from "./agentcore-model.ts";
import { day, FREEZE, governed } from "./governed.ts";
import { emptyMemory, type Memory, memoryStore } from "./memory-store.ts";
import { ARN, agent, at, offer, payTo, session, settled, signed, verified, wallet } from "./story.ts";

type G = Awaited<ReturnType<typeof governed>>;
const key = (sessionId: string, managerArn = ARN) => ({ managerArn, sessionId });
const spend = (nonce: string, seconds: number, sessionId: string, fields: object = {}) =>
  signed(nonce, seconds, { session: session(sessionId), ...fields });
const traded = (nonce: string, seconds: number, sessionId: string, fields: object = {}) =>
  signed(nonce, seconds, { session: { ...session(sessionId), userId: "t" }, ...fields }, "trader", wallet.trader);
const opens = (id: string, sessionId: string, seconds: number, userId = "u", managerArn = ARN) =>
  agent(id)("authorization_requested", seconds, {
    requestId: sessionId.slice(0, 40),
    accepted: offer("1"),
    session: { managerArn, sessionId, userId },
  });
const policy = (g: G) => g.config.budgets[0] as G["config"]["budgets"][number];
/** A poll and its judgement, as cli/governance.ts does. */
async function round(store: Store, base: GovernBase, sessions: Sessions, now: string, state: PollState) {
  const found = await poll({ store, sessions, base, now: () => now }, state);
  return govern(store, await worldAt(store, base, now), { counters: [], sessions: found.sessions, findings: [] }, now);
}

// 1 ------------------------------------------------------------------------------------------------
describe("a liar who names another's session in his own payment", () => {
  test.each([{ wallet: "*" }, { session: "*" }])(
    "%j: it stays open, though AgentCore lists it as trader's",
    async (scope) => {
      const model = agentCoreModel();
      model.open({ ...key("t1"), userId: "t" });
      const g = await governed([day({ scope, window: "total" })], { sessions: model.sessions });
      await round(g.store, g.base, model.sessions, at(0), emptyPolls());
      await g.tell([opens("trader", "t1", 0, "t")], at(0));
      await g.tell([spend("7", 1, "t1", { amount: "1000000000000" })], at(1));
      await g.enforce(at(2));
      expect(model.deleted).toEqual([]);
    },
  );
  test("freezes nobody else", async () => {
    const g = await governed([day({ scope: { wallet: "*" }, thresholds: [FREEZE] })]);
    await g.tell([opens("trader", "t1", 0, "t")], at(0));
    await g.tell([spend("7", 1, "t1", { amount: "1000000000000" })], at(1));
    expect(await g.actions()).not.toContain("freeze_agent trader done");
  });
});

// 2 ------------------------------------------------------------------------------------------------
describe("a payment that moves more counters than a commit holds", () => {
  const sixty = Array.from({ length: 60 }, (_, i) => spend("7", i, `x${i}`, { amount: "1", requestId: `r${i % 15}` }));
  test("one agent names sixty sessions: the spend is counted all the same", async () => {
    const g = await governed([day()]);
    for (const one of sixty) await g.tell([one], at(60));
    await g.tell([settled("7", "4", 100, { amount: "1000000" })], at(100)).catch(() => {});
    const [spent] = await readCounters(g.store, ["spent|agent:research|day|2026-11-20T00:00:00.000Z"]);
    expect(spent).toBe(1_000_000n);
  });
  test("sixty agents who share a wallet that nobody registered", async () => {
    const g = await governed([day({ limitUsd: "1000" })], { agents: {} });
    for (let i = 0; i < 60; i++) await g.tell([signed("7", i, {}, `agent${i}`, wallet.nobody)], at(i));
    expect((await g.tell([settled("7", "4", 100, {}, wallet.nobody)], at(100))).failed).toEqual([]);
  });
  test("does not keep budgets from being backfilled for ever", async () => {
    const g = await governed([]);
    await g.tell([settled("7", "4", 0, { amount: "1" })], at(0));
    for (const one of sixty) await g.tell([one], at(60));
    for (const window of ["day", "week"] as const)
      await setPolicy(
        g.store,
        parseConfig({ org: "acme", budgets: [day({ id: window, scope: { session: "*" }, window })] })
          .budgets[0] as never,
      );
    const folding = async () => {
      for await (const _ of refold(g.store, await g.world(at(70)), () => at(70)));
    };
    await expect(folding()).resolves.toBeUndefined();
  });
});

// 3 ------------------------------------------------------------------------------------------------
test("a session whose action key reads like another's does not take its place in the outbox", async () => {
  const model = agentCoreModel();
  model.open({ ...key("s1"), userId: "u" });
  const g = await governed([day()], { sessions: model.sessions });
  const cut = ARN.lastIndexOf("/");
  const decoy = { managerArn: ARN.slice(0, cut), sessionId: `${ARN.slice(cut + 1)}/s1`, userId: "u" };
  await g.tell([spend("7", 0, "", { session: decoy })], at(0));
  await g.tell([spend("8", 1, "s1")], at(1));
  await g.enforce(at(2));
  await g.enforce(at(400));
  expect(model.deleted).toEqual(["s1"]);
});

// 4 ------------------------------------------------------------------------------------------------
test("a freeze above a revoke, on a wallet: the agent is frozen though its session is deleted already", async () => {
  const model = agentCoreModel();
  model.open({ ...key("s1"), userId: "u" });
  const thresholds = [{ at: 0.5, do: "revoke" } as const, FREEZE];
  const g = await governed([day({ scope: { wallet: "*" }, thresholds })], { sessions: model.sessions });
  await g.tell([spend("7", 0, "s1", { amount: "600" })], at(0));
  await g.enforce(at(1));
  await g.tell([spend("8", 1, "s1", { amount: "600" })], at(2)); // was in flight
  expect(await g.actions()).toContain("freeze_agent research done");
});

// 5 ------------------------------------------------------------------------------------------------
describe("what AgentCore listed is judged though something else of the round failed", () => {
  test.each(["instruments", "get"] as const)("%s", async (method) => {
    const model = agentCoreModel();
    const g = await governed([]);
    await g.tell([opens("research", "s0", 0)], at(0));
    await freezeByHuman(g.store, await g.world(at(1)), "research", "x", at(1));
    model.open({ ...key("silent"), userId: "u" });
    const failing = {
      ...model.sessions,
      [method]: async () => {
        throw new SessionsError("denied", "no");
      },
    };
    const state = emptyPolls();
    for (let s = 2; s < 700; s++) await round(g.store, g.base, failing, at(s), state);
    expect(await g.actions()).toContain("revoke_session silent due");
  });
});

// 6 ------------------------------------------------------------------------------------------------
describe("a crash at any step", () => {
  const AGENTS = {
    research: { wallets: [wallet.research], paymentManagerArn: ARN, userId: "u" },
    trader: { wallets: [wallet.trader], paymentManagerArn: ARN, userId: "t" },
  };
  const configOf = (
    budgets: Parameters<typeof parseConfig>[0] extends never ? never : readonly object[],
    limits = {},
  ) => parseConfig({ org: "acme", agents: AGENTS, apis: { reports: { payTo: [payTo.reports] } }, budgets, limits });
  type Config = ReturnType<typeof configOf>;
  type Work = (
    store: Store,
    base: GovernBase,
    enforceAt: (t: number, store?: Store) => Promise<unknown>,
  ) => Promise<unknown>;
  /** Dies before the n-th step of `work`, for every n, then does `again`; answers after which steps `missing` says something. */
  async function everyCrash(
    config: Config,
    {
      prepare,
      work,
      again,
      missing,
      open = [],
    }: {
      prepare?: Work;
      work: Work;
      again: Work;
      missing: (store: Store, isOpen: (id: string) => boolean) => Promise<string | null>;
      open?: string[];
    },
  ): Promise<string[]> {
    const bad: string[] = [];
    for (let n = 1; n < 400; n++) {
      const memory: Memory = emptyMemory();
      const whole = memoryStore(memory);
      await noteBooked(whole, (await applyConfig(whole, config.budgets)).edition);
      const model = agentCoreModel();
      for (const id of open) model.open({ ...key(id), userId: "u" });
      const fresh = () => baseOf(worldOf(config), config); // another process: another cache
      const doing = (base: GovernBase, store: Store) => (t: number) =>
        enforceDue({
          store,
          sessions: model.sessions,
          agents: config.agents,
          now: () => at(t),
          tell: async (told: readonly Told[]) => void (await ingest(store, base, told, at(t))),
        });
      (globalThis as never as { model: unknown }).model = model;
      const first = fresh();
      await prepare?.(whole, first, doing(first, whole));
      let steps = 0;
      let died = false;
      const dying = memoryStore(memory, async () => {
        if (++steps >= n) {
          died = true;
          throw new Error("crash");
        }
      });
      const second = fresh();
      await work(dying, second, doing(second, dying)).catch(() => {});
      const third = fresh();
      await again(whole, third, doing(third, whole));
      const { changes } = await whole.changes(null, 1_000_000);
      await govern(whole, await worldAt(whole, third, at(45)), movedBy(changes, third), at(45));
      await governAll(whole, await worldAt(whole, third, at(46)), at(46));
      await doing(third, whole)(47);
      const said = await missing(whole, (id) => model.isOpen(key(id)));
      if (said !== null) bad.push(`step ${n}: ${said}`);
      if (!died) break;
    }
    return bad;
  }
  const lacks = (rule: string) => async (store: Store) =>
    (await listAlerts(store, at(50))).some((alert) => alert.rule === rule) ? null : `no ${rule}`;

  test("of a freeze does not lose its critical alert", async () => {
    const told = [spend("7", 0, "s1")];
    const work: Work = (store, base) => ingest(store, base, told, at(0));
    expect(
      await everyCrash(configOf([day({ thresholds: [FREEZE] })]), {
        work,
        again: work,
        missing: lacks("agent_frozen"),
      }),
    ).toEqual([]);
  });
  test("of a blast radius does not lose its critical alert", async () => {
    const told = [spend("7", 0, "s1"), spend("8", 0, "s2")];
    const work: Work = (store, base) => ingest(store, base, told, at(0));
    expect(
      await everyCrash(configOf([day()], { revocationsPerMinute: 1 }), {
        work,
        again: work,
        missing: lacks("revocations_held_back"),
      }),
    ).toEqual([]);
  });
  test("of a deletion does not lose its critical alert", async () => {
    const missing = lacks("session_revoked");
    expect(
      await everyCrash(configOf([day()]), {
        open: ["s1"],
        missing,
        prepare: (store, base) => ingest(store, base, [spend("7", 0, "s1")], at(0)),
        work: (_store, _base, doing) => doing(1),
        again: (_store, _base, doing) => doing(40),
      }),
    ).toEqual([]);
  });
  test("of a human's freeze: given again, its sessions are revoked and its alert is told", async () => {
    const order: Work = async (store, base) =>
      freezeByHuman(store, await worldAt(store, base, at(1)), "research", "x", at(1));
    expect(
      await everyCrash(configOf([]), {
        prepare: (store, base) => ingest(store, base, [opens("research", "s1", 0)], at(0)),
        work: order,
        again: order,
        missing: async (store) =>
          (await all(eachAction(store))).some(({ target }) => target === "s1")
            ? lacks("agent_frozen")(store)
            : "s1 is not revoked",
      }),
    ).toEqual([]);
  });
  test("of a poll that finds a deleted session listed: it is deleted again", async () => {
    const model = () => (globalThis as never as { model: ReturnType<typeof agentCoreModel> }).model;
    expect(
      await everyCrash(configOf([day()]), {
        open: ["s1"],
        prepare: async (store, base, doing) => {
          await ingest(store, base, [spend("7", 0, "s1")], at(0));
          await doing(1);
          model().open({ ...key("s1"), userId: "u" });
        },
        work: (store, base) => round(store, base, model().sessions, at(30), emptyPolls()),
        again: async (store, base, doing) => {
          await round(store, base, model().sessions, at(40), emptyPolls());
          await doing(41);
        },
        missing: async (_store, isOpen) => (isOpen("s1") ? "s1 stays open for ever" : null),
      }),
    ).toEqual([]);
  });
  test("of a poll that finds a new session: its agent's level stops it", async () => {
    const model = () => (globalThis as never as { model: ReturnType<typeof agentCoreModel> }).model;
    expect(
      await everyCrash(configOf([day()]), {
        open: ["s1"],
        work: (store, base) => round(store, base, model().sessions, at(1), emptyPolls()),
        again: async (store, base, doing) => {
          await round(store, base, model().sessions, at(20), emptyPolls());
          await ingest(store, base, [settled("7", "4", 30)], at(30));
          await round(store, base, model().sessions, at(40), emptyPolls());
          await doing(41);
        },
        missing: async (_store, isOpen) => (isOpen("s1") ? "s1 stays open" : null),
      }),
    ).toEqual([]);
  });
  test("that the process outlives (a throttle): a session named anew is judged at the second try", async () => {
    const config = parseConfig({ org: "acme", agents: { research: { wallets: [wallet.research] } }, budgets: [day()] });
    const bad: number[] = [];
    for (let n = 1; n < 60; n++) {
      const memory = emptyMemory();
      const whole = memoryStore(memory);
      await noteBooked(whole, (await applyConfig(whole, config.budgets)).edition);
      let steps = Number.NEGATIVE_INFINITY;
      const store = memoryStore(memory, async () => {
        if (++steps === n) throw new Error("throttled");
      });
      const base = baseOf(worldOf(config), config);
      await ingest(store, base, [spend("7", 0, "s1")], at(0));
      const heard = (await whole.changes(null, 1_000_000)).next;
      const told = [opens("research", "s2", 60)];
      steps = 0;
      const threw = await ingest(store, base, told, at(60)).then(
        () => false,
        () => true,
      );
      if (!threw) break;
      await ingest(store, base, told, at(61));
      const { changes } = await whole.changes(heard, 1_000_000);
      await govern(whole, await worldAt(whole, base, at(62)), movedBy(changes, base), at(62));
      if (!(await all(eachAction(whole))).some(({ target }) => target === "s2")) bad.push(n);
    }
    expect(bad).toEqual([]);
  });
});

// 7 ------------------------------------------------------------------------------------------------
describe("made-up sessions", () => {
  test("do not use up the blast radius for real ones, the liar's own and others'", async () => {
    const g = await governed([day()], { limits: { revocationsPerMinute: 20 } });
    await g.tell(
      [...Array.from({ length: 60 }, (_, i) => opens("research", `fake${i}`, 0)), spend("7", 1, "real")],
      at(1),
    );
    await g.tell([traded("8", 2, "t1")], at(2));
    expect(await g.actions()).toContain("revoke_session t1 due");
    expect((await g.actions()).filter((one) => one.endsWith("due"))).toHaveLength(6); // five of the liar's
    // The liar's own real session is due when AgentCore lists it: no name that it made up keeps it open.
    const model = agentCoreModel();
    model.open({ ...key("real"), userId: "u" });
    await round(g.store, g.base, model.sessions, at(3), emptyPolls());
    expect(await g.actions()).toContain("revoke_session real due");
  });
  test("two thousand of them do not hide the real one", async () => {
    const g = await governed([day()], { limits: { revocationsPerMinute: 10_000 } });
    for (let i = 0; i < 2000; i += 500)
      await g.tell(
        Array.from({ length: 500 }, (_, k) => opens("research", `fake${i + k}`, -3600)),
        at(-3600),
      );
    await g.tell([spend("7", 0, "real")], at(1));
    expect(await g.action("real")).toBeDefined();
  }, 60_000);
});

// 8 ------------------------------------------------------------------------------------------------
describe("a stop that did not stop is told", () => {
  test("the agent gave a userId that is none, and goes on paying in that session", async () => {
    const model = agentCoreModel();
    model.open({ ...key("s1"), userId: "real" });
    const agents = { research: { wallets: [wallet.research], paymentManagerArn: ARN } };
    const g = await governed([day()], { agents, sessions: model.sessions });
    const lie = { session: { ...session("s1"), userId: "fake" } };
    for (let s = 0; s < 9; s++) {
      await g.tell([spend(String(s), s * 60, "s1", lie)], at(s * 60));
      await g.enforce(at(s * 60 + 1));
    }
    expect((await g.open(at(700))).filter((id) => !id.startsWith("budget_threshold"))).not.toEqual([]);
  });
  test.each([
    ["an agent with a manager and no userId", { agent: "*" }],
    ["a wallet whose payments name no session", { wallet: "*" }],
    ["an org", { org: "*" }],
  ])("%s", async (_name, scope) => {
    const agents = { research: { wallets: [wallet.research], paymentManagerArn: ARN } };
    const g = await governed([day({ scope })], { agents });
    await g.tell([settled("7", "4", 0), signed("7", 0)], at(0));
    expect((await g.open(at(0))).filter((id) => id.startsWith("revocation_failed"))).toHaveLength(1);
  });
});

// 9 ------------------------------------------------------------------------------------------------
describe("unfreeze lifts what stood, and no more", () => {
  test("let go at 50 %, it is frozen at 100 %", async () => {
    const g = await governed([day({ thresholds: [{ at: 0.5, do: "freeze" }, FREEZE] })]);
    await g.tell([spend("7", 0, "s1", { amount: "600" })], at(0));
    await unfreezeByHuman(g.store, await g.world(at(1)), "research", "fine", at(1));
    expect((await g.tell([spend("8", 2, "s2", { amount: "100000" })], at(2))).frozen).toHaveLength(1);
  });
  test("let go once, a budget in total still freezes at a limit that was set anew", async () => {
    const g = await governed([day({ window: "total", thresholds: [FREEZE] })]);
    await g.tell([spend("7", 0, "s1")], at(0));
    await unfreezeByHuman(g.store, await g.world(at(1)), "research", "fine", at(1));
    await setPolicy(g.store, { ...policy(g), limit: 5000n });
    expect((await g.tell([spend("8", 2_600_000, "s2", { amount: "100000" })], at(2_600_000))).frozen).toHaveLength(1);
  });
  test("a wallet's budget that crossed while a human had it frozen does not freeze it again at once", async () => {
    const g = await governed([day({ scope: { wallet: "*" }, thresholds: [FREEZE] })]);
    await g.tell([opens("research", "s1", 0)], at(0));
    await freezeByHuman(g.store, await g.world(at(1)), "research", "x", at(1));
    await g.tell([spend("7", 2, "s1")], at(2));
    await unfreezeByHuman(g.store, await g.world(at(3)), "research", "ok", at(3));
    expect((await g.judgeAll(at(4))).frozen).toEqual([]);
  });
});

// 10 -----------------------------------------------------------------------------------------------
test("more pages than are read: what was not listed is not taken for gone", async () => {
  const model = agentCoreModel();
  for (let i = 0; i < 25; i++) model.open({ ...key(`s${i}`), userId: "u" });
  const paged: Sessions = {
    ...model.sessions,
    async list(arn, userId, after) {
      const { items } = await model.sessions.list(arn, userId, null);
      const from = Number(after ?? 0);
      return { items: items.slice(from, from + 1), next: from + 1 < items.length ? String(from + 1) : null };
    },
  };
  const g = await governed([day()]);
  const state = emptyPolls();
  await round(g.store, g.base, model.sessions, at(0), state);
  await round(g.store, g.base, paged, at(200), state);
  const { due, heldBack } = await g.tell([settled("7", "4", 201)], at(201));
  expect(due.length + heldBack.length).toBe(25);
});

// 11 -----------------------------------------------------------------------------------------------
test("with more stopped users than one round takes, each is asked for", async () => {
  const agents = Object.fromEntries(
    Array.from({ length: 120 }, (_, i) => [`a${i}`, { paymentManagerArn: ARN, userId: `u${i}` }]),
  );
  const model = agentCoreModel();
  const asked = new Set<string>();
  const sessions: Sessions = {
    ...model.sessions,
    list: (managerArn, userId, after) => {
      asked.add(userId);
      return model.sessions.list(managerArn, userId, after);
    },
  };
  const g = await governed([], { agents });
  for (let i = 0; i < 120; i++) await freezeByHuman(g.store, await g.world(at(0)), `a${i}`, "x", at(0));
  const state = emptyPolls();
  for (let s = 1; s < 120; s++) await poll({ store: g.store, sessions, base: g.base, now: () => at(s) }, state);
  expect(asked.size).toBe(120);
});

// 12 -----------------------------------------------------------------------------------------------
test("who signed for a payee in an earlier window only is not stopped in this one", async () => {
  const g = await governed([day({ scope: { payee: "*" }, window: "hour", limitUsd: "0.005" })]);
  await g.tell([spend("7", 0, "s1"), verified("7", 1)], at(1)); // held
  await g.tell([settled("7", "4", 3)], at(3)); // spent, at ten
  const h = 3600;
  await g.tell(
    [traded("8", h, "t1", { amount: "9000" }), verified("8", h, { amount: "9000" }, "reports", wallet.trader)],
    at(h),
  );
  expect(await g.actions()).toEqual(["revoke_session t1 due"]);
});

// 13 -----------------------------------------------------------------------------------------------
test("a refusal, then not found: another's session is not marked as revoked", async () => {
  const model = agentCoreModel();
  model.open({ ...key("victim"), userId: "t" });
  const g = await governed([day()], { sessions: model.sessions });
  await g.tell([spend("7", 0, "victim")], at(0));
  const denying: Sessions = {
    ...model.sessions,
    delete: async () => ({ outcome: "refused", fault: "denied", message: "no" }),
  };
  await g.enforce(at(1), denying);
  await g.enforce(at(10));
  await g.tell([traded("8", 30, "victim", { amount: "1" })], at(30));
  const { payments } = await listPayments(g.store, await g.world(at(31)), at(31), { agent: "trader" }, { limit: 9 });
  expect(payments[0]?.breaks).toEqual([]);
});

// 14 -----------------------------------------------------------------------------------------------
test("two who do one action at once: it counts as deleted, and is told", async () => {
  const g = await governed([day()]);
  const model = agentCoreModel();
  model.open({ ...key("s1"), userId: "u" });
  const { due } = await g.tell([spend("7", 0, "s1")], at(0));
  let second: Promise<unknown> = Promise.resolve();
  let calls = 0;
  const sessions: Sessions = {
    ...model.sessions,
    async delete(one, userId) {
      const isFirst = ++calls === 1;
      const answer = await model.sessions.delete(one, userId);
      if (isFirst) await second; // its answer is slow
      return answer;
    },
  };
  const parts = {
    store: g.store,
    sessions,
    agents: g.config.agents,
    now: () => at(1),
    tell: async (told: readonly Told[]) => void (await g.tell(told, at(1))),
  };
  const first = enforce(parts, due);
  second = enforce(parts, due);
  await Promise.all([first, second]);
  expect(await g.open(at(2))).toContain("session_revoked/session:s1/-");
});

// 15 -----------------------------------------------------------------------------------------------
test("a thousand budgets fit into the table", async () => {
  const thresholds = [{ at: 0.5, do: "alert" } as const, { at: 1, do: "revoke" } as const];
  const g = await governed(Array.from({ length: 1000 }, (_, i) => day({ id: `research-budget-${i}`, thresholds })));
  const [stored] = await g.store.get([{ pk: "POLICY", sk: "." }]);
  expect(Buffer.byteLength(JSON.stringify(stored?.data))).toBeLessThan(390 * 1024);
});

// 16 -----------------------------------------------------------------------------------------------
test("a budget that is backfilled orders no deletion of sessions that have ended long ago", async () => {
  const g = await governed([]);
  const early = -8 * 86_400;
  await g.tell([spend("7", early, "old"), settled("7", "7", early + 1, { blockNumber: 1 })], at(early + 2));
  const month = parseConfig({ org: "acme", budgets: [day({ scope: { wallet: "*" }, window: "month" })] }).budgets[0];
  await setPolicy(g.store, month as never);
  for await (const _ of refold(g.store, await g.world(at(3)), () => at(3)));
  expect((await g.judgeAll(at(4))).due).toEqual([]);
});

// 18 -----------------------------------------------------------------------------------------------
test("names of notes do not run into each other", async () => {
  const g = await governed([day()]);
  await g.tell([opens("research", "s1", 0, "u", `x ${ARN}`)], at(0));
  await g.tell([spend("7", 1, "s1", { session: { ...session("s1"), userId: "u x" } })], at(1));
  expect((await all(eachAction(g.store))).map(({ managerArn }) => managerArn)).toContain(ARN);
});
test("two sessions of one payment whose names read alike hold both", async () => {
  const g = await governed([]);
  const cut = ARN.lastIndexOf("/");
  const decoy = { managerArn: ARN.slice(0, cut), sessionId: `${ARN.slice(cut + 1)}/s1`, userId: "u" };
  await g.tell([spend("7", 0, "s1"), spend("7", 1, "", { session: decoy })], at(1));
  expect(await readCounters(g.store, [`held|session:${ARN}/s1`])).toEqual([1000n]);
});

// 19 -----------------------------------------------------------------------------------------------
test("a human revokes by a label of the config that no budget is about; of a wallet nobody knows then who paid with it", async () => {
  const g = await governed([]);
  await g.tell([spend("7", 0, "s1")], at(0));
  const world = await g.world(at(1));
  expect(await sessionsInScope(g.store, world, { kind: "label", id: "team=growth" }, at(1))).toHaveLength(1);
  expect(canFindSessions(world, { kind: "wallet", id: wallet.research })).toBe(false);
});

// 20 -----------------------------------------------------------------------------------------------
test("a writer of an earlier edition that commits behind the refold is counted under the new one", async () => {
  const config = parseConfig({ org: "acme", agents: { research: { wallets: [wallet.research] } } });
  const memory = emptyMemory();
  const store = memoryStore(memory);
  await noteBooked(store, (await applyConfig(store, config.budgets)).edition);
  let release = () => {};
  let reached = () => {};
  const stopped = new Promise<void>((done) => {
    reached = done;
  });
  const go = new Promise<void>((done) => {
    release = done;
  });
  const slow = memoryStore(memory, async (step) => {
    if (step === "commit") {
      reached();
      await go;
    }
  });
  const base = baseOf(worldOf(config), config);
  const writing = ingest(slow, base, [settled("7", "4", 0)], at(0));
  await stopped;
  const { edition } = await setPolicy(
    store,
    parseConfig({ org: "acme", budgets: [day({ window: "month" })] }).budgets[0] as never,
  );
  for await (const _ of refold(store, await worldAt(store, base, at(3)), () => at(3)));
  await noteBooked(store, edition);
  release();
  await writing;
  const { changes } = await store.changes(null, 100);
  await foldAgain(store, await worldAt(store, base, at(5)), staleIn(changes, edition), at(5));
  expect(await recount(store, await worldAt(store, base, at(6)), at(6))).toMatchObject({ stale: 0 });
});

// 21 -----------------------------------------------------------------------------------------------
test("a threshold that would round to nothing is refused", () => {
  return expect(governed([day({ thresholds: [{ at: 0.00004, do: "revoke" }] })])).rejects.toThrow("at least 0.0001");
});

// The second review -------------------------------------------------------------------------------
const NOUSER = {
  research: { wallets: [wallet.research], paymentManagerArn: ARN },
  trader: { wallets: [wallet.trader], paymentManagerArn: ARN },
};
const throttled = (sessions: Sessions): Sessions => ({
  ...sessions,
  delete: async () => {
    throw new SessionsError("unavailable", "throttled");
  },
});

describe("one throttle, then not found", () => {
  test("is no revocation of a session that AgentCore never listed: who pays on in it is told of", async () => {
    const model = agentCoreModel();
    model.open({ ...key("s1"), userId: "real" });
    const g = await governed([day()], { agents: NOUSER, sessions: model.sessions });
    const lie = { session: { ...session("s1"), userId: "fake" } };
    await g.tell([spend("1", 0, "s1", lie)], at(0));
    await g.enforce(at(1), throttled(model.sessions));
    await g.enforce(at(10));
    for (let s = 2; s < 9; s++) {
      await g.tell([spend(String(s), s * 60, "s1", lie)], at(s * 60));
      await g.enforce(at(s * 60 + 1));
    }
    expect(await g.open(at(600))).toContain("revocation_failed/session:s1/-");
  });
  test("brands nobody else's payments", async () => {
    const model = agentCoreModel();
    model.open({ ...key("victim"), userId: "t" });
    const g = await governed([day()], { sessions: model.sessions });
    await g.tell([spend("7", 0, "victim")], at(0));
    await g.enforce(at(1), throttled(model.sessions));
    await g.enforce(at(10));
    await g.tell([traded("8", 30, "victim", { amount: "1" })], at(30));
    const { payments } = await listPayments(g.store, await g.world(at(30)), at(30), { agent: "trader" }, { limit: 9 });
    expect(payments).toMatchObject([{ breaks: [] }]);
  });
});

test("a judgement in flight does not freeze again what a human just let go", async () => {
  const g = await governed([day({ thresholds: [FREEZE] })]);
  const { counters } = await g.tell([spend("7", 0, "s1")], at(0));
  const world = await g.world(at(1));
  await unfreezeByHuman(g.store, world, "research", "ok", at(2));
  const { frozen, alerts } = await govern(g.store, world, { counters, sessions: [], findings: [] }, at(3));
  expect([frozen, alerts]).toEqual([[], []]);
});

test("an unfreeze holds after many windows of one freeze", async () => {
  const budget = day({ scope: { wallet: "*" }, window: "hour", thresholds: [{ at: 0.5, do: "freeze" }, FREEZE] });
  const g = await governed([budget]);
  await g.tell([spend("7", 0, "s1", { validBefore: "1895172400" })], at(0));
  for (let hour = 1; hour <= 9; hour++) await g.judgeAll(at(hour * 3600));
  const late = at(9 * 3600 + 1);
  await unfreezeByHuman(g.store, await g.world(late), "research", "ok", late);
  expect((await g.judgeAll(at(9 * 3600 + 2))).frozen).toEqual([]);
});

test("who back-dates its signings in a session that is another's is told of all the same", async () => {
  const model = agentCoreModel();
  model.open({ ...key("s1"), userId: "other" });
  const g = await governed([day()], { sessions: model.sessions });
  await g.tell([spend("1", -3600, "s1")], at(0));
  await g.enforce(at(1));
  for (let s = 2; s < 9; s++) await g.tell([spend(String(s), -3600 + s, "s1")], at(s * 61));
  expect(await g.open(at(600))).toContain("revocation_failed/session:s1/-");
});

test("ten sessions that nobody lists are all deleted, as far as each minute allows", async () => {
  const model = agentCoreModel();
  for (let i = 0; i < 10; i++) model.open({ ...key(`s${i}`), userId: "u" });
  const g = await governed([day()], { agents: NOUSER, sessions: model.sessions });
  await g.tell(
    Array.from({ length: 10 }, (_, i) => opens("research", `s${i}`, 0)),
    at(0),
  );
  await g.tell([spend("1", 1, "s0")], at(1));
  for (let minute = 0; minute < 4; minute++) {
    await g.enforce(at(minute * 61 + 2));
    await g.judgeAll(at(minute * 61 + 4));
  }
  expect(model.deleted).toHaveLength(10);
});

test("a critical alert of a session that has ended is over", async () => {
  const model = agentCoreModel();
  model.open({ ...key("s1"), userId: "u" });
  const denying: Sessions = {
    ...model.sessions,
    delete: async () => ({ outcome: "refused", fault: "denied", message: "no" }),
  };
  const g = await governed([day()]);
  await g.tell([spend("1", 0, "s1")], at(0));
  await g.enforce(at(1), denying);
  await g.enforce(at(11 * 3600), denying);
  expect((await g.open(at(11 * 3600))).filter((id) => id.startsWith("revocation_failed"))).toEqual([]);
});

test("many users of one session in one batch are one change of it", async () => {
  const g = await governed([day()]);
  await g.tell(
    Array.from({ length: 40 }, (_, i) => opens("research", "s1", 0, `u${i}`)),
    at(0),
  );
  expect(await sessionsInScope(g.store, await g.world(at(1)), { kind: "agent", id: "research" }, at(1))).toHaveLength(
    1,
  );
});

test("while a large payment is committed in steps nothing counts twice", async () => {
  const memory = emptyMemory();
  const whole = memoryStore(memory);
  const config = parseConfig({ org: "acme", budgets: [day({ limitUsd: "0.0015" })] });
  await noteBooked(whole, (await applyConfig(whole, config.budgets)).edition);
  const base = baseOf(worldOf(config), config);
  for (let i = 0; i < 60; i++)
    await ingest(whole, base, [signed("7", i, { session: session(`s${i}`) }, `agent${i}`, wallet.nobody)], at(i));
  const seen: number[] = [];
  const slow = memoryStore(memory, async (step) => {
    if (step !== "commit") return;
    const moved = { counters: ["held|agent:agent9"], sessions: [], findings: [] };
    seen.push((await govern(whole, await worldAt(whole, base, at(101)), moved, at(101))).due.length);
  });
  await ingest(slow, base, [settled("7", "4", 100, {}, wallet.nobody)], at(100));
  expect(seen.length).toBeGreaterThan(2);
  expect(seen.every((due) => due === 0)).toBe(true);
});
