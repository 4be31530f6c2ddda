import { describe, expect, test } from "vitest";
import { defineConfig } from "../src/config.ts";
import { ConfigError, parseConfig } from "../src/config-schema.ts";

const WALLET = "0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766";
const budget = { id: "d", scope: { agent: "research" }, window: "day", limitUsd: "5.00" };

function refusal(config: unknown): string {
  try {
    parseConfig(config);
  } catch (error) {
    expect(error).toBeInstanceOf(ConfigError);
    return (error as Error).message;
  }
  throw new Error("the config was taken");
}

test("defineConfig only types", () => {
  const config = { org: "acme" };
  expect(defineConfig(config)).toBe(config);
});

test("only org is required; the rest has defaults", () => {
  expect(parseConfig({ org: "acme" })).toEqual({
    org: "acme",
    chains: [{ id: 42161, rpcUrls: [] }],
    agents: {},
    apis: {},
    budgets: [],
    wallets: { lowUsd: 1_000_000n, emptyUsd: 10_000n, runwayHours: 3 },
    deadlines: { settleSeconds: 120, reportSeconds: 300 },
    limits: { maxPaymentUsd: 100_000_000n, revocationsPerMinute: 20 },
    alerts: { email: [], rules: {} },
  });
});

test("dollars become atomic units, addresses lower case, scopes kind and id", () => {
  const config = parseConfig({
    org: "acme",
    agents: { research: { wallets: [`0x${WALLET.slice(2).toUpperCase()}`] } },
    budgets: [
      { ...budget, limitUsd: "0.000001" },
      { ...budget, id: "l", scope: { label: "team=growth" } },
    ],
  });
  expect(config.agents.research?.wallets).toEqual([WALLET]);
  expect(config.budgets).toMatchObject([
    { limit: 1n, scope: { kind: "agent", id: "research" }, mode: "enforce", thresholds: [] },
    { scope: { kind: "label", id: "team=growth" } },
  ]);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["no org", {}],
  ["an org with spaces", { org: "acme corp" }],
  ["a typo", { org: "acme", budgtes: [] }],
  ["a comma", { org: "acme", budgets: [{ ...budget, limitUsd: "5,00" }] }],
  ["a number for dollars", { org: "acme", budgets: [{ ...budget, limitUsd: 5 }] }],
  ["a runway that is no number", { org: "acme", wallets: { runwayHours: "3" } }],
  ["seven decimals", { org: "acme", wallets: { lowUsd: "0.0000001" } }],
  ["a wallet of 39 digits", { org: "acme", agents: { research: { wallets: [WALLET.slice(0, -1)] } } }],
  ["an agent's name with a space", { org: "acme", agents: { "my agent": {} } }],
  ["two scopes", { org: "acme", budgets: [{ ...budget, scope: { agent: "a", api: "b" } }] }],
  ["an unknown window", { org: "acme", budgets: [{ ...budget, window: "year" }] }],
  ["a threshold of 0", { org: "acme", budgets: [{ ...budget, thresholds: [{ at: 0, do: "alert" }] }] }],
  ["a threshold that pays", { org: "acme", budgets: [{ ...budget, thresholds: [{ at: 1, do: "pay" }] }] }],
  ["two budgets of one name", { org: "acme", budgets: [budget, budget] }],
  ["one wallet of two agents", { org: "acme", agents: { a: { wallets: [WALLET] }, b: { wallets: [WALLET] } } }],
  ["two chains", { org: "acme", chains: [{ id: 42161 }, { id: 421614 }] }],
  ["an unknown chain", { org: "acme", chains: [{ id: 1 }] }],
  ["an RPC that is no URL", { org: "acme", chains: [{ id: 42161, rpcUrls: ["arbitrum"] }] }],
  ["an RPC that may hold a key", { org: "acme", chains: [{ id: 42161, rpcUrls: ["ftp://x.example.com/KEY"] }] }],
  ["a webhook inline", { org: "acme", alerts: { slack: "https://hooks.example.com/KEY" } }],
  ["a list", []],
  ["an address for an e-mail", { org: "acme", alerts: { email: ["oncall"] } }],
  ["a rule in capitals", { org: "acme", alerts: { rules: { "Large-Payment": { tell: false } } } }],
  ["an unknown severity", { org: "acme", alerts: { rules: { reverted: { severity: "grave" } } } }],
  ["a rule that is no object", { org: "acme", alerts: { rules: { reverted: "info" } } }],
  ["half a second", { org: "acme", deadlines: { settleSeconds: 0.5 } }],
])("%s: the error names the field and the way out", (_, config) => {
  const message = refusal(config);
  expect(message).not.toContain("KEY");
  expect(message).toMatchSnapshot();
});

describe("ConfigError", () => {
  test("says all that is wrong, a line each, at most ten", () => {
    const budgets = Array.from({ length: 20 }, (_, i) => ({ ...budget, id: `b${i}`, limitUsd: "5,00" }));
    expect(refusal({ org: "acme", budgets }).split("\n")).toHaveLength(10);
  });

  test("names the file it was told", () => {
    expect(() => parseConfig({}, "my.json")).toThrow(/^my\.json: org /);
  });
});
