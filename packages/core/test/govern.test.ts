/** What budgets that bite do, case by case: given these events at this time, then these sessions are stopped. */
import { describe, expect, test } from "vitest";
import { freezeByHuman, revokeByHuman, sessionsByName, sessionsInScope, unfreezeByHuman } from "../src/commands.ts";
import { listPayments } from "../src/lists.ts";
import { order } from "../src/outbox.ts";
import {
  applyConfig,
  inForce,
  noteBooked,
  raisePolicy,
  readPolicies,
  removePolicy,
  setPolicy,
} from "../src/policies.ts";
import { emptyPolls, poll } from "../src/poll.ts";
import { recount } from "../src/recount.ts";
import { refold } from "../src/refold.ts";
import { agentCoreModel } from "./agentcore-model.ts";
import { ALERT, day, FREEZE, governed, tomorrow } from "./governed.ts";
import {
  ARN,
  agent,
  at,
  chain,
  hash,
  key,
  offer,
  payTo,
  session,
  settled,
  signed,
  transferred,
  verified,
  wallet,
} from "./story.ts";

const spend = (nonce: string, seconds: number, sessionId: string, fields: object = {}) =>
  signed(nonce, seconds, { session: session(sessionId), ...fields });
const opens = (id: string, sessionId: string, seconds: number, userId = "u") =>
  agent(id)("authorization_requested", seconds, {
    requestId: sessionId,
    accepted: offer("1"),
    session: { ...session(sessionId), userId },
  });

describe("levels and edges", () => {
  test("a session that is opened later in the same window is revoked too", async () => {
    const g = await governed([day()]);
    await g.tell([spend("7", 0, "s1")], at(0));
    await g.tell([opens("research", "s2", 60)], at(60));
    expect(await g.actions()).toEqual(["revoke_session s1 due", "revoke_session s2 due"]);
  });

  test("one batch that jumps several thresholds tells each, and revokes once", async () => {
    const g = await governed([
      day({ thresholds: [ALERT(0.25), ALERT(0.5), { at: 0.8, do: "revoke" }, { at: 1, do: "revoke" }] }),
    ]);
    const { alerts } = await g.tell([spend("7", 0, "s1"), spend("8", 1, "s1")], at(1));
    expect(alerts.map(({ id }) => id.split("/").pop())).toEqual(["0.25", "0.5", "0.8", "1"]);
    expect(await g.actions()).toEqual(["revoke_session s1 due"]);
    expect((await g.tell([spend("6", 2, "s1")], at(2))).alerts).toEqual([]);
  });

  test("a hold crosses at midnight without a write: the new window alerts, and what is open then is stopped", async () => {
    const g = await governed([day({ thresholds: [ALERT(1)] })]);
    await g.tell([spend("7", 0, "s1")], at(0));
    expect(await g.open(at(0))).toEqual(["budget_threshold/budget:d/agent:research/2026-11-20T00:00:00.000Z/1"]);
    const { alerts } = await g.judgeAll(tomorrow(0));
    expect(alerts.map(({ id }) => id)).toEqual(["budget_threshold/budget:d/agent:research/2026-11-21T00:00:00.000Z/1"]);
    expect(await g.open(tomorrow(0))).toHaveLength(1); // yesterday's is over with its window
  });

  test("spent of yesterday stops nobody today", async () => {
    const g = await governed([day()]);
    await g.tell([spend("7", 0, "s1"), settled("7", "4", 1)], at(1));
    const { due } = await g.tell([opens("research", "s2", 86_400)], tomorrow(0));
    expect(due).toEqual([]);
  });

  test("a reorg takes spend back and it comes again: told once, and who opens meanwhile is let be until then", async () => {
    const g = await governed([day({ thresholds: [ALERT(1), { at: 1, do: "revoke" }] })]);
    const gone = chain("orphaned", 5, {
      payment: key("7"),
      txHash: hash("4"),
      logIndex: 1,
      blockHash: hash("9"),
      seq: 2,
    });
    await g.tell([settled("7", "4", 1, { seq: 1 })], at(1));
    expect(await g.open(at(2))).toHaveLength(1);
    await g.tell([gone], at(5));
    expect((await g.tell([opens("research", "s2", 6)], at(6))).due).toEqual([]);
    const { due, alerts } = await g.tell([settled("7", "4", 7, { seq: 3 })], at(7));
    expect(due.map(({ target }) => target)).toEqual(["s2"]);
    expect(alerts).toEqual([]);
  });

  test("observe tells and does nothing", async () => {
    const g = await governed([day({ mode: "observe", thresholds: [FREEZE] })]);
    const { due, frozen, alerts } = await g.tell([spend("7", 0, "s1")], at(0));
    expect([due, frozen]).toEqual([[], []]);
    expect(alerts.map(({ rule, subject }) => `${rule} ${subject}`)).toEqual([
      "budget_threshold budget:d/agent:research",
      "would_revoke session:s1",
      "would_revoke agent:research",
    ]);
  });

  test("who is over its budget and has no session that anybody knows of is told of: nothing can be revoked", async () => {
    const agents = { research: { wallets: [wallet.research] } };
    const g = await governed([day()], { agents });
    await g.tell([signed("7", 0)], at(0));
    expect(await g.open(at(0))).toContain("revocation_failed/agent:research/2026-11-20T00:00:00.000Z");
    expect(await g.actions()).toEqual([]);
  });
});

describe("freeze", () => {
  test("outlives its window, and whatever is opened is deleted on sight, until a human lets go", async () => {
    const g = await governed([day({ thresholds: [FREEZE] })]);
    const first = await g.tell([spend("7", 0, "s1"), settled("7", "4", 1)], at(1));
    expect(first.frozen.map(({ target }) => target)).toEqual(["research"]);
    await g.tell([opens("research", "s2", 86_400)], tomorrow(0));
    expect(await g.actions()).toEqual(["freeze_agent research done", "revoke_session s1 due", "revoke_session s2 due"]);
    expect((await g.action("s2"))?.reason).toMatch(/^research is frozen: d: agent:research is at 100 %/);
    expect(
      await unfreezeByHuman(g.store, await g.world(tomorrow(1)), "research", "looked at it", tomorrow(1)),
    ).toMatchObject({ standing: [] });
    expect((await g.tell([opens("research", "s3", 86_402)], tomorrow(2))).due).toEqual([]);
    expect(await g.open(tomorrow(2))).not.toContain("agent_frozen/agent:research/-");
  });

  test("let go, the same figure of the same window freezes no more; the next window's does", async () => {
    const g = await governed([day({ thresholds: [FREEZE] })]);
    await g.tell([spend("7", 0, "s1")], at(0));
    await unfreezeByHuman(g.store, await g.world(at(1)), "research", "paid for", at(1));
    const { frozen, due } = await g.tell([opens("research", "s2", 2), spend("8", 3, "s2")], at(3));
    expect([frozen, due]).toEqual([[], []]);
    const next = await g.judgeAll(tomorrow(0));
    expect(next.frozen.map(({ target }) => target)).toEqual(["research"]);
    expect(await g.actions()).toContain("freeze_agent research done");
  });

  test("a human's freeze needs no budget, and is made once", async () => {
    const g = await governed([]);
    await g.tell([opens("research", "s1", 0)], at(0));
    const done = await freezeByHuman(g.store, await g.world(at(1)), "research", "stolen key; call Ann", at(1));
    expect(done.due.map(({ target, by }) => [target, by])).toEqual([["s1", "human"]]);
    const again = await freezeByHuman(g.store, await g.world(at(2)), "research", "again", at(2));
    expect(again).toEqual({ frozen: null, due: [], alerts: [] });
    expect((await g.tell([opens("research", "s2", 3)], at(3))).due.map(({ target }) => target)).toEqual(["s2"]);
  });

  test.each(["constructor", "__proto__"])("an agent may be called %s", async (name) => {
    const g = await governed([day({ thresholds: [FREEZE] })], { agents: {} });
    const story = signed("7", 0, { session: { ...session("s1"), userId: "x" } }, name, wallet.nobody);
    expect((await g.tell([story], at(0))).frozen.map(({ target }) => target)).toEqual([name]);
    expect((await g.tell([opens(name, "s2", 1, "x")], at(1))).due.map(({ target }) => target)).toEqual(["s2"]);
    expect((await g.tell([opens("other", "s3", 1, "y")], at(1))).due).toEqual([]);
    expect(await unfreezeByHuman(g.store, await g.world(at(2)), name, "fine", at(2))).not.toBeNull();
  });
});

describe("budgets that change", () => {
  const policyOf = (g: Awaited<ReturnType<typeof governed>>) =>
    g.config.budgets[0] as (typeof g.config.budgets)[number];

  test("lowered below what is spent, it takes effect at once", async () => {
    const g = await governed([day({ limitUsd: "1.00" })]);
    await g.tell([spend("7", 0, "s1")], at(0));
    await setPolicy(g.store, { ...policyOf(g), limit: 1000n });
    expect((await g.judgeAll(at(1))).due.map(({ target }) => target)).toEqual(["s1"]);
  });

  test("raised until a time, it lets go until then", async () => {
    const g = await governed([day()]);
    await raisePolicy(g.store, "d", { to: 1_000_000n, until: at(100), reason: "launch", at: at(0) });
    expect((await g.tell([spend("7", 0, "s1")], at(0))).due).toEqual([]);
    expect((await g.judgeAll(at(100))).due.map(({ target }) => target)).toEqual(["s1"]);
  });

  test("removed, it stops nobody; the config brings it back only when it says something else", async () => {
    const g = await governed([day()]);
    await removePolicy(g.store, "d");
    expect((await g.tell([spend("7", 0, "s1")], at(0))).due).toEqual([]);
    expect(inForce(await applyConfig(g.store, g.config.budgets), at(1)).policies).toEqual([]);
    const changed = [{ ...policyOf(g), limit: 999n }];
    expect(inForce(await applyConfig(g.store, changed), at(1)).policies).toEqual(changed);
  });

  test("set by command it stands over a start, until the config says something else of it", async () => {
    const g = await governed([day()]);
    const own = { ...policyOf(g), limit: 5n };
    const other = { ...policyOf(g), id: "mine" };
    await setPolicy(g.store, own);
    await setPolicy(g.store, other);
    expect(inForce(await applyConfig(g.store, g.config.budgets), at(0)).policies).toEqual([own, other]);
    expect(inForce(await applyConfig(g.store, []), at(0)).policies).toEqual([other]);
  });

  test("what counts what nobody counted is backfilling until payments are folded again; another limit is not", async () => {
    const g = await governed([day()]);
    await g.tell([spend("7", 0, "s1"), settled("7", "4", 1)], at(1));
    const limits = await setPolicy(g.store, { ...policyOf(g), limit: 5n });
    expect([...inForce(limits, at(2)).backfilling]).toEqual([]);
    const month = { ...policyOf(g), id: "m", window: "month" as const };
    const set = await setPolicy(g.store, month);
    expect([...inForce(set, at(2)).backfilling]).toEqual(["m"]);
    expect((await g.judgeAll(at(2))).alerts).toEqual([]); // nothing is counted in the month yet
    for await (const _ of refold(g.store, await g.world(at(3)), () => at(3)));
    await noteBooked(g.store, set.edition);
    expect([...inForce(await readPolicies(g.store), at(3)).backfilling]).toEqual([]);
    expect(await recount(g.store, await g.world(at(3)), at(3))).toMatchObject({ wrong: [], stale: 0 });
    const { alerts } = await g.judgeAll(at(4));
    expect(alerts.map(({ subject }) => subject)).toEqual(["budget:m/agent:research"]);
  });
});

describe("the outbox", () => {
  const one = (target: string, human = false) => ({
    key: `revoke_session/${ARN}/${target}`,
    kind: "revoke_session" as const,
    target,
    managerArn: ARN,
    agentIds: ["research"],
    reason: `b: agent:research is at 100 % of $1.00 ($1.00)`,
    human,
    confirmed: true,
  });

  test("an action is ordered once; a second budget's reason is added", async () => {
    const g = await governed([]);
    expect((await order(g.store, [one("s1"), one("s1")], 20, at(0))).due).toHaveLength(1);
    const again = await order(
      g.store,
      [{ ...one("s1"), reason: "c: org:acme is at 120 % of $9.00 ($10.80)" }],
      20,
      at(1),
    );
    expect([again.due.length, again.known.length]).toEqual([0, 1]);
    expect((await g.action("s1"))?.reason).toBe(`${one("s1").reason}; c: org:acme is at 120 % of $9.00 ($10.80)`);
    const same = { ...one("s1"), reason: "b: agent:research is at 150 % of $1.00 ($1.50)" };
    await order(g.store, [same], 20, at(2));
    expect((await g.action("s1"))?.reason).not.toContain("150 %");
  });

  test("more than the blast radius in a minute waits for a human, who is told once", async () => {
    const budget = day({ scope: { org: "*" }, window: "month" });
    const g = await governed([budget], { limits: { revocationsPerMinute: 3 } });
    const model = agentCoreModel();
    for (const n of ["1", "2", "3", "4", "5"]) model.open({ managerArn: ARN, sessionId: `s${n}`, userId: "u" });
    await poll({ store: g.store, sessions: model.sessions, base: g.base, now: () => at(0) }, emptyPolls());
    const first = await g.tell([settled("7", "4", 1)], at(1));
    expect([first.due.length, first.heldBack.length]).toEqual([3, 2]);
    expect(first.alerts.map(({ rule, severity }) => `${rule} ${severity}`)).toContain("revocations_held_back critical");
    // They wait for a human, not for the next minute; who opens then is another's matter.
    const later = await g.judgeAll(at(90));
    expect([later.due, later.heldBack]).toEqual([[], []]);
    expect((await g.tell([opens("research", "s6", 91)], at(91))).due.map(({ target }) => target)).toEqual(["s6"]);
    const found = await sessionsInScope(g.store, await g.world(at(92)), { kind: "agent", id: "research" }, at(92));
    const human = await revokeByHuman(g.store, await g.world(at(92)), found, "all of them", at(92));
    expect(human.due).toHaveLength(2);
  });

  test("a blast radius of nothing holds back everything, and freezes all the same", async () => {
    const g = await governed([day({ thresholds: [FREEZE] })], { limits: { revocationsPerMinute: 0 } });
    const { due, heldBack, frozen } = await g.tell([spend("7", 0, "s1")], at(0));
    expect([due.length, heldBack.length, frozen.length]).toEqual([0, 1, 1]);
  });
});

describe("enforce", () => {
  const known = [{ managerArn: ARN, sessionId: "s1", userId: "u" }];

  test("deletes, tells the payments, counts down what may still settle, and closes it by the chain's word", async () => {
    const model = agentCoreModel();
    for (const one of known) model.open(one);
    const g = await governed([day()], { sessions: model.sessions });
    await g.tell([spend("7", 0, "s1")], at(0));
    const [done] = await g.enforce(at(1));
    expect(done?.action).toMatchObject({
      outcome: "done",
      doneAt: at(1),
      latencyMs: 1000,
      by: "budget",
      agentIds: ["research"],
    });
    expect(model.deleted).toEqual(["s1"]);
    expect(await g.open(at(1))).toEqual(
      expect.arrayContaining(["exposure/session:s1/-", "session_revoked/session:s1/-"]),
    );
    const [kept] = await sessionsByName(g.store, "s1", null);
    expect(kept).toMatchObject({ revokedAt: at(1), exposedUntil: "1795172400" });
    await g.tell([settled("7", "4", 3)], at(3));
    expect(await g.open(at(3))).not.toContain("exposure/session:s1/-");
    expect((await sessionsByName(g.store, "s1", null))[0]?.exposedUntil).toBeNull();
    expect(await g.enforce(at(4))).toEqual([]);
  });

  test("a session that is gone is as good as deleted", async () => {
    const model = agentCoreModel();
    const g = await governed([day()], { sessions: model.sessions });
    await g.tell([spend("7", 0, "s1")], at(0));
    const [done] = await g.enforce(at(1));
    expect(done?.action).toMatchObject({ outcome: "done", detail: "AgentCore had no such session" });
  });

  test("what AgentCore denies is a critical alert, is tried again, and heals when the policy is mended", async () => {
    const model = agentCoreModel();
    for (const one of known) model.open(one);
    const denying = {
      ...model.sessions,
      delete: async () => ({ outcome: "refused", fault: "denied", message: "no" }) as const,
    };
    const g = await governed([day()]);
    await g.tell([spend("7", 0, "s1")], at(0));
    const [failed] = await g.enforce(at(1), denying);
    expect(failed?.action).toMatchObject({ outcome: "failed", detail: "no" });
    expect(failed?.alerts.map(({ rule, severity }) => `${rule} ${severity}`)).toEqual(["revocation_failed critical"]);
    expect(await g.enforce(at(2), model.sessions)).toEqual([]); // not yet
    expect((await g.enforce(at(6), model.sessions))[0]?.action.outcome).toBe("done");
    expect(await g.open(at(7))).not.toContain("revocation_failed/session:s1/-");
  });

  test("a passing fault is tried again at growing distances", async () => {
    const down = {
      ...agentCoreModel().sessions,
      delete: async () => {
        throw new Error("down");
      },
    };
    const g = await governed([day()]);
    await g.tell([spend("7", 0, "s1")], at(0));
    const tries: number[] = [];
    for (let s = 1; s < 120; s++) if ((await g.enforce(at(s), down)).length > 0) tries.push(s);
    expect(tries).toEqual([1, 6, 21, 81]);
  });

  test("of two users that a session may be of, the config's is asked, not the one that an event claims", async () => {
    const model = agentCoreModel();
    model.open({ managerArn: ARN, sessionId: "victim", userId: "t" });
    const g = await governed([day()], { sessions: model.sessions });
    // research names trader's session, and claims trader's user.
    await g.tell([spend("7", 0, "victim", { session: { ...session("victim"), userId: "t" } })], at(0));
    await g.enforce(at(1));
    expect(model.deleted).toEqual([]);
    expect(model.isOpen({ managerArn: ARN, sessionId: "victim" })).toBe(true);
  });

  test("naming a session before its owner does neither marks it revoked nor keeps it from being revoked", async () => {
    const model = agentCoreModel();
    model.open({ managerArn: ARN, sessionId: "victim", userId: "t" });
    const g = await governed([day()], { sessions: model.sessions });
    const lie = { ...session("victim"), userId: "u" };
    await g.tell([spend("7", 0, "victim", { session: lie })], at(0));
    expect((await g.enforce(at(1)))[0]?.action.outcome).toBe("done"); // under research's user there is none
    const own = { ...session("victim"), userId: "t" };
    await g.tell([signed("8", 10, { session: own, amount: "1" }, "trader", wallet.trader)], at(10));
    const { payments } = await listPayments(g.store, await g.world(at(10)), at(10), { agent: "trader" }, { limit: 9 });
    expect(payments).toMatchObject([{ breaks: [] }]);
    // AgentCore lists it as trader's; then trader is over too.
    await poll({ store: g.store, sessions: model.sessions, base: g.base, now: () => at(11) }, emptyPolls());
    await g.tell([signed("6", 12, { session: own }, "trader", wallet.trader)], at(12));
    await g.enforce(at(13));
    expect(model.deleted).toEqual(["victim"]);
  });

  test("a payment manager of nobody in the config is not called", async () => {
    const other = ARN.replace("pm-1", "pm-2");
    const model = agentCoreModel();
    model.open({ managerArn: other, sessionId: "s1", userId: "u" });
    const g = await governed([day()], { sessions: model.sessions });
    await g.tell([spend("7", 0, "s1", { session: { managerArn: other, sessionId: "s1", userId: "u" } })], at(0));
    expect((await g.enforce(at(1)))[0]?.action).toMatchObject({
      outcome: "failed",
      detail: expect.stringContaining("it is not called"),
    });
    expect(model.isOpen({ managerArn: other, sessionId: "s1" })).toBe(true);
  });
});

describe("a liar stops only himself", () => {
  const million = (nonce: string, by: string, payer: string, sessionId: string) =>
    signed(
      nonce,
      0,
      { amount: "1000000000000", session: { ...session(sessionId), userId: by === "research" ? "u" : "t" } },
      by,
      payer,
    );
  const budgets = [
    day(),
    day({ id: "org", scope: { org: "*" } }),
    day({ id: "team", scope: { label: "team=growth" } }),
    day({ id: "api", scope: { api: "reports" } }),
    day({ id: "payee", scope: { payee: "*" } }),
    day({ id: "wallet", scope: { wallet: "*" } }),
  ];

  test("by claiming a million dollars", async () => {
    const g = await governed(budgets);
    await g.tell([opens("trader", "t1", 0, "t"), million("7", "research", wallet.research, "s1")], at(0));
    expect(await g.actions()).toEqual(["revoke_session s1 due"]);
  });

  test("not even himself by another's wallet: what he may not know counts nowhere", async () => {
    const g = await governed(budgets);
    await g.tell([opens("trader", "t1", 0, "t"), million("7", "research", wallet.trader, "s1")], at(0));
    expect(await g.actions()).toEqual([]);
  });

  test("by naming another's session, which then is contested and stays open", async () => {
    const g = await governed(budgets.slice(0, 1));
    await g.tell([opens("trader", "t1", 0, "t"), million("7", "research", wallet.research, "t1")], at(0));
    expect(await g.actions()).toEqual([]);
  });

  test("by an old date: held has no window, and what settles is booked at the block's time", async () => {
    const g = await governed([day()]);
    await g.tell([spend("7", -40 * 86_400, "s1")], at(0));
    expect(await g.actions()).toEqual(["revoke_session s1 due"]);
  });

  test("an API that verifies what nobody signed holds its own budget, and stops no agent", async () => {
    const g = await governed(budgets.slice(0, 4));
    await g.tell([opens("research", "s1", 0), verified("7", 0, { amount: "1000000000000" })], at(0));
    expect(await g.actions()).toEqual([]);
    expect(await g.open(at(0))).toEqual([
      "budget_threshold/budget:api/api:reports/2026-11-20T00:00:00.000Z/1",
      "revocation_failed/budget:api/api:reports/2026-11-20T00:00:00.000Z", // nobody has signed it
    ]);
  });
});

describe("scopes that are made of who signed", () => {
  test.each([{ wallet: "*" }, { payee: payTo.reports }, { api: "reports" }])("%j", async (scope) => {
    const g = await governed([day({ scope })]);
    await g.tell([opens("research", "s0", 0), spend("7", 0, "s1"), settled("7", "4", 3)], at(3));
    expect(await g.actions()).toEqual(["revoke_session s1 due"]);
  });

  test("a transfer without an authorization counts against the wallet's owner, whose sessions are stopped", async () => {
    const g = await governed([day()]);
    await g.tell([opens("research", "s0", 0), transferred("4", 1, 3)], at(3));
    expect(await g.actions()).toEqual(["revoke_session s0 due"]);
  });

  test("a session is found by its beginning, and its manager where two have it", async () => {
    const g = await governed([]);
    const other = { managerArn: ARN.replace("pm-1", "pm-2"), sessionId: "s1", userId: "u" };
    await g.tell(
      [opens("research", "s1", 0), spend("7", 0, "s1", { session: other }), opens("research", "t-1", 0)],
      at(0),
    );
    expect((await sessionsByName(g.store, "t", null)).map(({ sessionId }) => sessionId)).toEqual(["t-1"]);
    expect(await sessionsByName(g.store, "s", null)).toHaveLength(2);
    expect(await sessionsByName(g.store, "s1", other.managerArn)).toHaveLength(1);
  });
});
