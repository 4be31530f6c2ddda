/** Thresholds in a replay: what is planned, once, for whom, and what is only told. */

import type { BudgetInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import { describe, expect, test } from "vitest";
import { judgedBy } from "./judged-by.ts";
import { agent, key, payTo, revoked, session, settled, signed, wallet } from "./story.ts";

const FULL = { at: 1, do: "revoke" } as const;
const day = (fields: Partial<BudgetInput> = {}): BudgetInput => ({
  id: "d",
  scope: { agent: "*" },
  window: "day",
  limitUsd: "0.001",
  thresholds: [FULL],
  ...fields,
});

async function planned(story: readonly Told[], ...budgets: BudgetInput[]) {
  const config = parseConfig({
    org: "acme",
    agents: {
      research: { wallets: [wallet.research], labels: { team: "growth" } },
      trader: { wallets: [wallet.trader] },
    },
    apis: { reports: { payTo: [payTo.reports] } },
    budgets,
  });
  const { actions, alerts, quarantined } = await judgedBy(config, story);
  expect(quarantined).toEqual([]);
  expect(new Set(actions.map(({ key: name }) => name)).size).toBe(actions.length);
  return {
    actions: actions.map(({ kind, target }) => `${kind} ${target}`).sort(),
    rules: alerts.map(({ rule, subject }) => `${rule} ${subject}`),
  };
}

const spend = (nonce: string, seconds: number, sessionId: string) =>
  signed(nonce, seconds, { session: session(sessionId) });
const opens = (id: string, sessionId: string, seconds: number) =>
  agent(id)("authorization_requested", seconds, {
    requestId: sessionId,
    accepted: {
      scheme: "exact",
      network: "eip155:42161",
      asset: key("7").asset,
      amount: "1",
      payTo: payTo.reports,
      maxTimeoutSeconds: 60,
    },
    session: session(sessionId),
  });
const DAY = 86_400;

describe("thresholds in a replay", () => {
  test("revoke is a level: the session at hand, and each that is opened while the figure stands", async () => {
    const { actions } = await planned([spend("7", 0, "s1"), opens("research", "s2", 60)], day());
    expect(actions).toEqual(["revoke_session s1", "revoke_session s2"]);
  });

  test("when the window turns, a revoked agent may go on; a frozen one may not", async () => {
    const story = [spend("7", 0, "s1"), settled("7", "4", 3), opens("research", "s2", DAY)];
    expect((await planned(story, day())).actions).toEqual(["revoke_session s1"]);
    const frozen = await planned(story, day({ thresholds: [{ at: 1, do: "freeze" }] }));
    expect(frozen.actions).toEqual(["freeze_agent research", "revoke_session s1", "revoke_session s2"]);
  });

  test("a hold counts in the next window too", async () => {
    const { actions } = await planned([spend("7", 0, "s1"), opens("research", "s2", DAY)], day());
    expect(actions).toEqual(["revoke_session s1", "revoke_session s2"]);
  });

  test("observe tells and does nothing", async () => {
    const { actions, rules } = await planned([spend("7", 0, "s1")], day({ mode: "observe" }));
    expect(actions).toEqual([]);
    expect(rules).toEqual(["budget_threshold budget:d/agent:research", "would_revoke session:s1"]);
  });

  test("an alert is told once per window and threshold", async () => {
    const half = { at: 0.5, do: "alert" } as const;
    const { actions, rules } = await planned(
      [spend("7", 0, "s1"), spend("8", 1, "s1")],
      day({ thresholds: [half, { at: 1, do: "alert" }] }),
    );
    expect(actions).toEqual([]);
    expect(rules).toEqual(["budget_threshold budget:d/agent:research", "budget_threshold budget:d/agent:research"]);
  });

  test("another agent's sessions stay open, and a revoked one is not revoked again", async () => {
    const { actions } = await planned([opens("trader", "t1", 0), revoked("s1", 0), spend("7", 1, "s1")], day());
    expect(actions).toEqual([]);
  });

  test("a session that two agents name is stopped only for a scope that both are in", async () => {
    const story = [opens("trader", "s1", 0), spend("7", 1, "s1"), settled("7", "4", 2)];
    expect((await planned(story, day())).actions).toEqual([]);
    expect((await planned(story, day({ scope: { org: "*" } }))).actions).toEqual(["revoke_session s1"]);
  });

  test("of a wallet, a payee or an API: the sessions that signed a payment of it", async () => {
    const story = [opens("research", "s0", 0), spend("7", 0, "s1"), settled("7", "4", 3)];
    for (const scope of [{ wallet: "*" }, { payee: "*" }, { api: "reports" }]) {
      expect((await planned(story, day({ scope }))).actions).toEqual(["revoke_session s1"]);
    }
  });

  test("just below the limit nothing is done", async () => {
    expect((await planned([spend("7", 0, "s1")], day({ limitUsd: "0.001001" }))).actions).toEqual([]);
  });
});
