/** Held and spent as budgets show them: who binds whom, whatever order the story is told in. */
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Budget } from "@bursar/events/shapes";
import { describe, expect, test } from "vitest";
import { budgetRows } from "../src/budgets.ts";
import { correlate } from "../src/correlate.ts";
import { eachPayment } from "../src/lists.ts";
import { windowOf, windowStart } from "../src/windows.ts";
import { worldOf } from "../src/world.ts";
import { memoryStore } from "./memory-store.ts";
import { ARN, agent, at, honest, LATE, payTo, session, signed, transferred, verified, wallet } from "./story.ts";

const scopes = ["org", "agent", "session", "wallet", "payee", "api"].map((kind) => ({ [kind]: "*" }));
const config = parseConfig({
  org: "acme",
  agents: { research: { wallets: [wallet.research], labels: { team: "growth" } }, drifter: {} },
  apis: { reports: { payTo: [payTo.reports] }, quotes: { payTo: [payTo.quotes] } },
  budgets: [...scopes, { label: "team=growth" }, { label: "team=a" }, { label: "team=b" }].map((scope, i) => ({
    id: `b${i}`,
    scope,
    window: "day",
    limitUsd: "0.001",
    thresholds: [1, 0.5, 0.5].map((share) => ({ at: share, do: "alert" })),
  })),
});

async function rows(story: readonly Told[]): Promise<Budget[]> {
  const tellings = [story, [...story].reverse()].map(async (lines) => {
    const store = memoryStore();
    const world = worldOf(config);
    for (const one of lines) await correlate(store, world, [one], LATE);
    const figures: Record<string, bigint> = {};
    for await (const { applied } of eachPayment(store, world, LATE, null, null))
      for (const [counter, amount] of Object.entries(applied)) figures[counter] = (figures[counter] ?? 0n) + amount;
    return budgetRows(config.budgets, figures, config.org, LATE);
  });
  const [forwards, backwards] = await Promise.all(tellings);
  expect(backwards).toEqual(forwards);
  return forwards ?? [];
}

const held = async (story: readonly Told[]) =>
  Object.fromEntries((await rows(story)).map((row) => [row.scope, Number(row.held)]));

describe("held", () => {
  test("of two requests that label one payment differently, the earlier one's label stands", async () => {
    const request = (requestId: string, team: string, seconds: number) =>
      agent("drifter")("request_sent", seconds, {
        requestId,
        resource: { url: "https://a.example/x", method: "GET" },
        labels: { team },
      });
    const story = [
      request("r1", "b", 0),
      request("r2", "a", 1),
      signed("7", 2, { requestId: "r2" }, "drifter", wallet.nobody),
      signed("7", 3, { requestId: "r1" }, "drifter", wallet.nobody),
      verified("7", 4, {}, "reports", wallet.nobody),
    ];
    const found = await held(story);
    expect(found).toMatchObject({ "label:team=b": 1000, "org:acme": 1000 });
    expect(found).not.toHaveProperty("label:team=a");
  });

  test("an API that verifies another's payTo binds itself alone", async () => {
    const found = await held([signed("7", 0), verified("7", 1, { payTo: payTo.quotes, amount: "5000" })]);
    expect(found).toMatchObject({ "api:reports": 5000, "agent:research": 1000, "org:acme": 1000 });
    expect(found).not.toHaveProperty(`payee:${payTo.quotes}`);
  });
});

describe("spent", () => {
  test("budgets count the watched chain's USDC: a transfer of another asset is no spend", async () => {
    expect(await rows([transferred("4", 1, 3, { asset: payTo.stranger })])).toEqual([]);
    expect(await rows([transferred("4", 1, 3)])).not.toEqual([]);
  });
});

describe("rows", () => {
  test("crossed is ascending and names each share once", async () => {
    expect((await rows(honest("7", "4"))).map(({ crossed }) => crossed)).toContainEqual([0.5, 1]);
  });

  test("sessions stand by their id, whoever manages them", async () => {
    const other = { managerArn: ARN.replace("pm-1", "pm-0"), sessionId: "s2", userId: "u" };
    const found = await rows([signed("7", 0, { session: session("s1") }), signed("8", 0, { session: other })]);
    const named = found.filter(({ scope }) => scope.startsWith("session:"));
    expect(named.map(({ scope, managerArn }) => [scope, managerArn])).toEqual([
      ["session:s1", ARN],
      ["session:s2", other.managerArn],
    ]);
    expect(named[0]?.start).toBe(`${at(0).slice(0, 10)}T00:00:00.000Z`);
  });
});

describe("windows", () => {
  test.each([
    ["2026-12-31T23:59:59.999Z", "2026-12-01T00:00:00.000Z", "2027-01-01T00:00:00.000Z"],
    ["2028-02-29T12:00:00.000Z", "2028-02-01T00:00:00.000Z", "2028-03-01T00:00:00.000Z"],
    ["0000-01-31T00:00:00.000Z", "0000-01-01T00:00:00.000Z", "0000-02-01T00:00:00.000Z"],
  ])("the month of %s", (time, start, end) => {
    expect(windowOf("month", time)).toEqual({ start, end });
    expect(windowStart("month", time)).toBe(start);
  });
});
