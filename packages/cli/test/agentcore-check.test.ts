/** What doctor says of agents that AgentCore cannot tell apart, and of those that no budget could stop. */
import type { ConfigInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import { expect, test } from "vitest";
import { checkAgentCore } from "../src/agentcore-check.ts";

const ARN = "arn:aws:bedrock-agentcore:us-east-1:000000000000:payment-manager/demo";
const OTHER = "arn:aws:bedrock-agentcore:us-east-1:000000000000:payment-manager/other";
const check = (config: Omit<ConfigInput, "org">, env: Record<string, string> = { AWS_PROFILE: "ops" }) =>
  checkAgentCore(parseConfig({ org: "acme", ...config }), env);
const managed = (userId: string, paymentManagerArn = ARN) => ({ paymentManagerArn, userId });
type BudgetInput = NonNullable<ConfigInput["budgets"]>[number];
const budget = (id: string, scope: BudgetInput["scope"], does: "alert" | "revoke" | "freeze"): BudgetInput => ({
  id,
  scope,
  window: "day",
  limitUsd: "5.00",
  thresholds: [{ at: 1, do: does }],
});

test("two agents with one user under one manager fail, each by its name, with the way out", () => {
  const shared = check({ agents: { a: managed("u"), b: managed("u"), c: managed("u"), d: managed("d") } });
  expect(shared?.outcome).toBe("fail");
  expect(shared?.said).toBe(`agents.a.userId, agents.b.userId and agents.c.userId are the same, "u", under ${ARN}`);
  expect(shared?.remedy).toContain("Give each agent a userId of its own");
  expect(check({ agents: { a: managed("u"), b: managed("u", OTHER) } })?.outcome).toBe("ok");
  expect(check({ agents: { a: managed("u"), b: { userId: "u" } } })?.outcome).toBe("ok");
});

test("a manager that is none is a warning", () => {
  const wrong = check({ agents: { a: managed("a", "arn:aws:iam::1:role/x") } });
  expect(wrong?.outcome).toBe("warn");
  expect(wrong?.said).toContain('agents.a.paymentManagerArn is "arn:aws:iam::1:role/x", and that is no ARN');
  expect(wrong?.remedy).toContain("arn:aws:bedrock-agentcore:REGION:ACCOUNT:payment-manager/ID");
});

test.each<[string, BudgetInput[], string | null]>([
  [
    "one that revokes it",
    [budget("b", { agent: "a" }, "revoke")],
    "b revokes a, and agents.a has no paymentManagerArn and no userId",
  ],
  [
    "one that freezes it, of two",
    [budget("b", { agent: "*" }, "revoke"), budget("c", { label: "team=x" }, "freeze")],
    "c freezes a",
  ],
  ["one of everybody", [budget("b", { org: "*" }, "revoke")], "b revokes a"],
  ["one that only alerts", [budget("b", { agent: "a" }, "alert")], null],
  ["one that only observes", [{ ...budget("b", { agent: "a" }, "freeze"), mode: "observe" }], null],
  ["one of another", [budget("b", { agent: "z" }, "freeze"), budget("c", { label: "team=y" }, "freeze")], null],
  ["one of an API", [budget("b", { api: "reports" }, "freeze")], null],
])("an agent without a manager, and %s", (_, budgets, expected) => {
  const found = check({ agents: { a: { labels: { team: "x" } } }, budgets });
  if (expected === null) expect(found).toBeNull();
  else expect(found).toMatchObject({ outcome: "warn", said: expect.stringContaining(expected) });
});

test("with all in place it says so, and without AgentCore nothing", () => {
  expect(
    check({ agents: { a: managed("a"), b: managed("b") }, budgets: [budget("x", { agent: "*" }, "freeze")] }),
  ).toEqual({
    name: "agentcore",
    outcome: "ok",
    said: "2 agents with a payment manager, each under a user of its own or none",
    remedy: null,
  });
  expect(check({ agents: { a: {} } })).toBeNull();
});

test("agents with a payment manager want AWS credentials; a machine's role cannot be seen from here", () => {
  const agents = { a: managed("u") };
  expect(check({ agents }, {})?.said).toContain("no AWS credentials in the environment or in ~/.aws");
  expect(check({ agents }, {})?.outcome).toBe("warn");
  expect(check({ agents }, { AWS_ACCESS_KEY_ID: "x" })?.outcome).toBe("ok");
  expect(check({}, {})).toBeNull();
});
