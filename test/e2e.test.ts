/** Agents really pay, and the machine hears all three stories: real anvil, unmodified x402, one machine, one process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, startMachine } from "@bursar/cli/machine";
import { type PreparedDemo, prepareDemo } from "@bursar/demo/demo";
import type { Outcome } from "@bursar/demo/fleet";
import type { Trouble } from "@bursar/demo/plan";
import { parseConfig } from "@bursar/events/config-schema";
import { parseUsd } from "@bursar/events/money";
import type { Alert, Break, Budget, Payment } from "@bursar/events/shapes";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const COUNT = 30;
const directory = mkdtempSync(join(tmpdir(), "bursar-e2e-"));
const outcomes: Outcome[] = [];
let demo: PreparedDemo;
let machine: Machine;
let payments: readonly Payment[];

beforeAll(async () => {
  demo = await prepareDemo({ stateDirectory: join(directory, "demo"), apiPort: 0 });
  machine = await startMachine({
    data: join(directory, "data"),
    port: 0,
    // The demo's own config, but for a shorter wait for those who stay silent.
    config: parseConfig({ ...demo.config, deadlines: { settleSeconds: 8, reportSeconds: 8 } }),
    watch: { rpcUrls: [demo.rpcUrl], intervalMs: 250 },
    agentCoreUrl: demo.agentCoreUrl,
  });
  const traffic = demo.start({
    endpoint: `${machine.url}/aws/events`,
    pace: 15,
    count: COUNT,
    troubles: { every: 5 },
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  await traffic.done;
  await vi.waitUntil(
    async () => {
      payments = (await get<{ payments: Payment[] }>("/api/payments?limit=1000")).payments;
      return (
        payments.length === COUNT && payments.every((each) => each.state === "final" && each.verdict !== "pending")
      );
    },
    { timeout: 45_000, interval: 250 },
  );
}, 90_000);

afterAll(async () => {
  await demo?.stop();
  await machine?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${machine.url}${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

/** The payments behind what the agents saw, in their order. */
function paymentsOf(trouble: Trouble | null): { outcome: Outcome; payment: Payment | undefined }[] {
  return outcomes
    .filter((outcome) => outcome.trouble === trouble)
    .map((outcome) => ({ outcome, payment: payments.find(({ txHashes }) => txHashes.includes(outcome.txHash ?? "")) }));
}

test("at least 20 honest payments reach matched and final, each with its three stories", () => {
  const honest = paymentsOf(null);
  expect(honest.length).toBeGreaterThanOrEqual(20);
  for (const { outcome, payment } of honest) {
    expect(payment).toMatchObject({
      state: "final",
      verdict: "matched",
      breaks: [],
      agentId: outcome.agent,
      apiId: outcome.api,
      payer: outcome.payer,
      amount: parseUsd(outcome.product.priceUsd).toString(),
      txHashes: [outcome.txHash],
    });
    const sources = new Set(payment?.timeline.map(({ source }) => source));
    expect(sources).toEqual(new Set([`bursar.agent.${outcome.agent}`, `bursar.api.${outcome.api}`, "bursar.chain"]));
  }
});

test.each<[Trouble, Break]>([
  ["failed_delivery", "paid_not_delivered"],
  ["silent_agent", "unreported_by_agent"],
  ["silent_api", "unreported_by_api"],
])("%s comes out as %s and as nothing else", (trouble, name) => {
  const troubled = paymentsOf(trouble);
  expect(troubled).toHaveLength(2);
  for (const { outcome, payment } of troubled) {
    expect(payment).toMatchObject({ state: "final", verdict: "break", breaks: [name], agentId: outcome.agent });
  }
});

test("nothing else breaks", async () => {
  const { payments: broken } = await get<{ payments: Payment[] }>("/api/payments?verdict=break&limit=1000");
  expect(broken).toHaveLength(6);
  // Reads judge at their own time; totals and alerts follow by the sweep.
  await vi.waitFor(() => {
    expect(machine.totals()).toMatchObject({ payments: COUNT, matched: COUNT - 6, pending: 0, breaks: 6 });
  }, 5_000);
  const { alerts } = await get<{ alerts: Alert[] }>("/api/alerts?status=open");
  expect(alerts.map(({ rule, subject, count }) => [rule, subject, count]).sort()).toEqual([
    ["paid_not_delivered", "api:reports", 2],
    ["unreported_by_agent", "agent:intern", 2],
    ["unreported_by_api", "api:quotes", 2],
  ]);
});

test("the books hold what the agents paid", async () => {
  const paid = outcomes.reduce((sum, { product }) => sum + parseUsd(product.priceUsd), 0n);
  const { budgets } = await get<{ budgets: Budget[] }>("/api/budgets");
  const month = budgets.filter(({ policy }) => policy === "org-month");
  expect(month).toMatchObject([{ scope: "org:demo", held: "0", spent: paid.toString() }]);
});

test("a payment is found by the hash that its agent saw", async () => {
  const [{ outcome, payment }] = paymentsOf("failed_delivery") as [ReturnType<typeof paymentsOf>[number]];
  const { payments: found } = await get<{ payments: Payment[] }>(`/api/payments?tx=${outcome.txHash}`);
  expect(found.map(({ id }) => id)).toEqual([payment?.id]);
});

test("the machine is well, and quarantined nothing", async () => {
  expect(await get("/api/health")).toMatchObject({ status: "ok", queueDepth: 0, quarantined: 0 });
});
