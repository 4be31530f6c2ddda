/** What AgentCore says when it is asked: sessions that no event named, figures that differ, and how it is asked. */
import type { ConfigInput } from "@bursar/events/config";
import { describe, expect, test } from "vitest";
import { govern } from "../src/govern.ts";
import { listPayments } from "../src/lists.ts";
import { emptyPolls, hurry, type PollState, poll } from "../src/poll.ts";
import type { Sessions } from "../src/ports.ts";
import { readSessions } from "../src/session-reads.ts";
import { SessionsError } from "../src/sessions-error.ts";
import { agentCoreModel } from "./agentcore-model.ts";
import { day, FREEZE, type GovernedOptions, governed } from "./governed.ts";
import { ARN, agent, at, chain, key, session, settled, signed, verified, wallet } from "./story.ts";

async function polled(sessions: Sessions, budgets = [day()], options: GovernedOptions = {}) {
  const g = await governed(budgets, options);
  const state: PollState = emptyPolls();
  return {
    ...g,
    state,
    /** One round, and the judgement of what it found, as a shell does. */
    async round(now: string) {
      const found = await poll({ store: g.store, sessions, base: g.base, now: () => now }, state);
      const moved = { counters: [], sessions: found.sessions, findings: [] };
      return { ...found, due: (await govern(g.store, await g.world(now), moved, now)).due.map(({ target }) => target) };
    },
  };
}

const open = (sessionId: string, userId = "u") => ({ managerArn: ARN, sessionId, userId });

describe("sessions that no event named", () => {
  test("are found, and stopped where a level stands against their agent, but once", async () => {
    const model = agentCoreModel();
    model.open(open("silent"), 5_000_000n);
    const g = await polled(model.sessions);
    await g.tell([settled("7", "4", 1)], at(1)); // over the limit, in silence
    expect((await g.round(at(2))).due).toEqual(["silent"]);
    await g.enforce(at(3), model.sessions);
    expect(model.deleted).toEqual(["silent"]);
    expect((await g.round(at(20))).due).toEqual([]);
  });

  test("are looked for every 10 s while somebody is stopped, every 3 minutes else, and at once when asked to hurry", async () => {
    const model = agentCoreModel();
    const asked: string[] = [];
    const counting = {
      ...model.sessions,
      list: (managerArn: string, userId: string, after: string | null) => {
        asked.push(userId);
        return model.sessions.list(managerArn, userId, after);
      },
    };
    const g = await polled(counting, [day({ scope: { agent: "research" }, thresholds: [FREEZE] })]);
    for (let s = 0; s < 200; s++) await g.round(at(s));
    expect(asked).toEqual(["u", "t", "u", "t"]);
    await g.tell([signed("7", 200, { session: session("s1") })], at(200));
    hurry(g.state, g.base.agents, ["research"]);
    asked.length = 0;
    for (let s = 200; s < 230; s++) await g.round(at(s));
    expect(asked).toEqual(["u", "u", "u"]);
  });

  test("of a frozen agent are revoked, and a frozen agent's that AgentCore still lists is revoked again", async () => {
    const model = agentCoreModel();
    const g = await polled(model.sessions, [day({ thresholds: [FREEZE] })]);
    await g.tell([signed("7", 0, { session: session("s1") })], at(0));
    await g.enforce(at(1), model.sessions); // finds none: as good as deleted
    expect((await g.action("s1"))?.outcome).toBe("done");
    model.open(open("s1")); // AgentCore had it all the same
    expect((await g.round(at(30))).due).toEqual(["s1"]);
    await g.enforce(at(31), model.sessions);
    expect(model.deleted).toEqual(["s1"]);
    model.open(open("s1")); // and has it again
    const { again } = await g.round(at(60));
    expect(again.map(({ target }) => target)).toEqual(["s1"]);
  });

  test("what somebody else deleted is over", async () => {
    const model = agentCoreModel();
    model.open(open("s1"));
    const g = await polled(model.sessions, []);
    await g.round(at(0));
    await model.sessions.delete(open("s1"), "u");
    await g.round(at(200));
    expect(await readSessions(g.store, at(201))).toMatchObject([{ id: "s1", status: "expired", agentId: "research" }]);
  });

  test("a user that two agents share is named, and its sessions are both's", async () => {
    const model = agentCoreModel();
    model.open(open("s1"));
    const agents: ConfigInput["agents"] = {
      research: { wallets: [wallet.research], paymentManagerArn: ARN, userId: "u" },
      trader: { wallets: [wallet.trader], paymentManagerArn: ARN, userId: "u" },
    };
    const g = await polled(model.sessions, [day()], { agents });
    expect((await g.round(at(0))).alerts.map(({ rule }) => rule)).toContain("shared_user_id");
    expect((await g.tell([settled("7", "4", 1)], at(1))).due).toEqual([]); // trader is not over
  });
});

describe("faults", () => {
  test("one user's are told, wait longer each time, and keep nobody else from being asked", async () => {
    const model = agentCoreModel();
    model.open(open("s1"));
    const asked: number[] = [];
    let now = 0;
    const failing: Sessions = {
      ...model.sessions,
      async list(managerArn, userId, after) {
        if (userId !== "t") return model.sessions.list(managerArn, userId, after);
        asked.push(now);
        throw new SessionsError("unavailable", "throttled");
      },
    };
    const g = await polled(failing);
    const faults = new Set<string | null>();
    for (now = 0; now < 400; now++) faults.add((await g.round(at(now))).fault);
    expect(asked).toEqual([0, 10, 30, 70, 150, 310]);
    expect([...faults]).toEqual(["throttled"]); // it is not over because nobody asks
    expect(await g.open(at(400))).toContain("sessions_unlisted/agent:trader/-");
    expect(await readSessions(g.store, at(400))).toMatchObject([{ id: "s1", status: "open" }]);
  });
});

describe("figures", () => {
  test("limit, what is left, the end and the exposure of a session", async () => {
    const model = agentCoreModel();
    model.open(open("s1"), 5_000_000n);
    model.use(open("s1"), 1000n);
    const g = await polled(model.sessions, []);
    await g.tell([signed("7", 0, { session: session("s1") })], at(0));
    await g.round(at(1));
    expect(await readSessions(g.store, at(2))).toEqual([
      {
        id: "s1",
        managerArn: ARN,
        agentId: "research",
        userId: "u",
        status: "open",
        expiresAt: "2026-11-20T17:00:00.000Z",
        revokedAt: null,
        limit: "5000000",
        available: "4999000",
        exposure: "1000",
        exposedUntil: null,
        drift: "0",
        driftCause: null,
      },
    ]);
  });

  test("a gap that stays is told with its cause: signed and never settled; and is over when it closes", async () => {
    const model = agentCoreModel();
    model.open(open("s1"), 5_000_000n);
    model.use(open("s1"), 1000n);
    const g = await polled(model.sessions, []);
    const expired = chain("expired", 9, { payment: key("7"), blockNumber: 9, validBefore: "1795172400" });
    await g.tell([signed("7", 0, { session: session("s1") }), expired], at(9));
    expect((await g.round(at(10))).alerts).toEqual([]);
    const { alerts } = await g.round(at(200));
    expect(alerts.map(({ id }) => id)).toEqual(["drift/session:s1/-"]);
    expect(alerts[0]?.text).toContain("signed and never settled");
    expect(await readSessions(g.store, at(201))).toMatchObject([{ drift: "1000" }]);
    model.use(open("s1"), -1000n); // AgentCore gives it back
    expect((await g.round(at(400))).alerts).toMatchObject([{ id: "drift/session:s1/-", status: "resolved" }]);
  });

  test("silence: AgentCore signed for what no agent has told", async () => {
    const model = agentCoreModel();
    model.open(open("s1"), 5_000_000n);
    model.use(open("s1"), 700n);
    const g = await polled(model.sessions, []);
    await g.round(at(0));
    const { alerts } = await g.round(at(200));
    expect(alerts[0]?.text).toContain("of $0.0007 no agent has told");
  });

  test("a session without a cap, and one that is about to end", async () => {
    const model = agentCoreModel();
    model.open(open("s1"));
    const g = await polled(model.sessions, []);
    expect((await g.round(at(0))).alerts.map(({ rule }) => rule)).toEqual(["uncapped_session"]);
    const soon = "2026-11-20T16:55:00.000Z";
    expect((await g.round(soon)).alerts.map(({ id }) => id)).toEqual(["session_expiring/session:s1/-"]);
    expect(await g.open("2026-11-20T17:00:00.000Z")).toEqual([]); // both are over with the session
  });
});

describe("wallets", () => {
  const drifter = { drifter: { paymentManagerArn: ARN, userId: "d" } };

  test("of AgentCore's users are their agents', whoever else signs with them", async () => {
    const model = agentCoreModel();
    model.keep("d", wallet.nobody);
    const g = await polled(model.sessions, [], { agents: { ...drifter, other: {} } });
    expect((await g.round(at(0))).walletsChanged).toBe(true);
    expect((await g.round(at(700))).walletsChanged).toBe(false);
    await g.tell([settled("7", "4", 1, {}, wallet.nobody), signed("7", 0, {}, "other", wallet.nobody)], at(1));
    const world = await g.world(at(2));
    const { payments } = await listPayments(g.store, world, at(2), {}, { limit: 10 });
    expect(payments).toMatchObject([{ agentIds: ["drifter"], breaks: ["foreign_wallet"] }]);
  });

  test("the config has the first word, and what two users have is nobody's", async () => {
    const model = agentCoreModel();
    for (const userId of ["d", "e"]) model.keep(userId, wallet.nobody);
    model.keep("d", wallet.research);
    const agents: ConfigInput["agents"] = {
      research: { wallets: [wallet.research] },
      ...drifter,
      echo: { paymentManagerArn: ARN, userId: "e" },
    };
    const g = await polled(model.sessions, [], { agents });
    await g.round(at(0));
    expect([...(await g.world(at(1))).directory.walletOwner]).toEqual([[wallet.research, "research"]]);
  });
});

describe("what agents say", () => {
  test("an authorization that lives longer than its offer needs, a large payment, and a session that is over", async () => {
    const g = await governed([]);
    const accepted = {
      scheme: "exact",
      network: "eip155:42161",
      asset: key("7").asset,
      amount: "1000",
      payTo: wallet.nobody,
      maxTimeoutSeconds: 60,
    };
    const story = [
      signed("7", 0, { accepted, validBefore: "1795168921" }), // 61 s beyond what it needs
      signed("8", 0, { accepted, validBefore: "1795168920" }), // within the slack
      signed("6", 0, { amount: "100000001" }),
      verified("6", 0, { amount: "100000001" }),
      agent("trader")("payment_failed", 0, { requestId: "r1", reason: "session_expired", message: "Session expired" }),
    ];
    const { alerts } = await g.tell(story, at(0));
    expect(alerts.map(({ id, count }) => `${id} ${count}`)).toEqual([
      "payee_mismatch/agent:research/2026-11-20 2",
      "long_authorization/agent:research/2026-11-20 1",
      "large_payment/agent:research/2026-11-20 1",
      "session_expired/agent:trader/2026-11-20 1",
    ]);
  });
});
