/** Every trouble of the demo's table, made for real, and the verdict that the machine gives of it live. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Machine, startMachine } from "@bursar/cli/machine";
import { type PreparedDemo, prepareDemo, type TroubleTold } from "@bursar/demo/demo";
import type { Traffic } from "@bursar/demo/traffic";
import { TROUBLE_TABLE } from "@bursar/demo/troubles/table";
import type { TroubleKind } from "@bursar/demo/troubles/trouble";
import { parseConfig } from "@bursar/events/config-schema";
import type { Alert, Break, Payment, Session } from "@bursar/events/shapes";
import { afterAll, beforeAll, expect, test, vi } from "vitest";

const PATIENCE = { timeout: 240_000, interval: 250 };
const SLOW = 300_000;
const directory = mkdtempSync(join(tmpdir(), "bursar-troubles-"));
const table: readonly TroubleKind[] = [...new Map(TROUBLE_TABLE.map((kind) => [kind.name, kind])).values()];
const told: TroubleTold[] = [];
/** How each payment ever stood. */
const history = new Map<string, Payment[]>();
let demo: PreparedDemo;
let machine: Machine;
let traffic: Traffic;

beforeAll(async () => {
  demo = await prepareDemo({ stateDirectory: join(directory, "demo"), apiPort: 0 });
  machine = await startMachine({
    data: join(directory, "data"),
    port: 0,
    // The demo's own config, but for a machine that is busy with other tests, and spenders that are stopped more often.
    config: parseConfig({
      ...demo.config,
      deadlines: { settleSeconds: 20, reportSeconds: 20 },
      limits: { revocationsPerMinute: 1000 },
    }),
    watch: { rpcUrls: [demo.rpcUrl], intervalMs: 250 },
    agentCoreUrl: demo.agentCoreUrl,
  });
  machine.on((event) => {
    if (event.kind !== "payment") return;
    history.set(event.data.id, [...(history.get(event.data.id) ?? []), event.data]);
  });
  traffic = demo.start({
    endpoint: `${machine.url}/aws/events`,
    pace: 2,
    count: 40,
    overspend: true,
    rota: {
      table,
      rounds: 1,
      shown: async (id, what) =>
        void (await vi.waitUntil(() => (what === "revoked" ? isRevoked(id) : seen(id, what)), PATIENCE)),
    },
    onTrouble: (trouble) => told.push(trouble),
  });
}, SLOW);

afterAll(async () => {
  await demo?.stop();
  await machine?.stop();
  rmSync(directory, { recursive: true, force: true });
}, SLOW);

const SETTLED: readonly string[] = ["settled", "safe", "final"];
const seen = (id: string, what: Break | "settled") =>
  what === "settled"
    ? (history.get(id) ?? []).some(({ state }) => SETTLED.includes(state))
    : breaksEver(id).includes(what);
const breaksEver = (id: string) => [...new Set((history.get(id) ?? []).flatMap(({ breaks }) => breaks))];

async function get<T>(path: string): Promise<T> {
  const response = await fetch(`${machine.url}${path}`);
  expect(response.status).toBe(200);
  return (await response.json()) as T;
}

async function isRevoked(id: string): Promise<boolean> {
  const { sessions } = await get<{ sessions: Session[] }>("/api/sessions");
  return sessions.some((session) => session.id === id && session.revokedAt !== null);
}

/** The trouble's payments once it is made. */
async function madeBy({ name }: TroubleKind): Promise<readonly string[]> {
  const end = () => told.find((each) => each.name === name && ["done", "failed"].includes(each.phase));
  await vi.waitUntil(end, PATIENCE);
  expect(end()).toMatchObject({ phase: "done", error: null });
  return end()?.payments ?? [];
}

test.each(table.map((kind) => [kind.name, kind] as const))(
  "%s shows the verdict that the table names, and no other",
  async (_, kind) => {
    const { breaks, heals, state = "final", alert, before } = kind.leads;
    const payments = await madeBy(kind);
    expect(payments.length).toBeGreaterThan(0);
    for (const id of payments) {
      const expected = heals
        ? { state, verdict: "matched", breaks: [] }
        : { state, verdict: breaks.length > 0 ? "break" : "matched", breaks };
      await vi.waitFor(async () => {
        const shown = await get<Payment>(`/api/payments/${encodeURIComponent(id)}`);
        expect({ state: shown.state, verdict: shown.verdict, breaks: shown.breaks }).toEqual(expected);
        expect(breaksEver(id)).toEqual(expect.arrayContaining([...breaks]));
      }, PATIENCE);
      expect(breaksEver(id).filter((name) => !breaks.includes(name) && name !== before)).toEqual([]);
    }
    if (alert === undefined) return;
    await vi.waitFor(async () => {
      const { alerts } = await get<{ alerts: Alert[] }>("/api/alerts?status=open");
      expect(alerts.map(({ rule }) => rule)).toContain(alert);
    }, PATIENCE);
  },
  SLOW,
);

test("a reorg took the settlement back, and it is settled anew", async () => {
  const [id = ""] = await madeBy(table.find(({ name }) => name === "reorg") as TroubleKind);
  const stood = history.get(id) ?? [];
  const types = (stood.at(-1)?.timeline ?? []).map(({ type }) => type);
  expect(types).toContain("chain.orphaned");
  expect(types.filter((type) => type === "chain.settled").length).toBeGreaterThanOrEqual(2);
});

test(
  "the courier runs out of money in the middle of its errands, and says so",
  async () => {
    await vi.waitFor(async () => {
      const { payments } = await get<{ payments: Payment[] }>("/api/payments?agent=courier&limit=1000");
      const failed = payments.filter(({ timeline }) => timeline.some(({ type }) => type === "agent.payment_failed"));
      expect(failed.length).toBeGreaterThan(0);
      expect(failed.every(({ txHashes }) => txHashes.length === 0)).toBe(true);
    }, PATIENCE);
  },
  SLOW,
);

test("nobody else's payments broke, and nothing was quarantined", async () => {
  await demo.stop();
  await traffic.done;
  const concerned = new Set(told.flatMap(({ payments }) => payments));
  const others = [...history.entries()]
    .filter(([id]) => !concerned.has(id) && breaksEver(id).length > 0)
    .map(([id, stood]) => ({ id, agent: stood[0]?.agentId ?? "", breaks: breaksEver(id) }));
  // Of the spenders one purchase may be under way when they are stopped: that is exposure come true.
  const stopped = ({ agent, breaks }: (typeof others)[number]) =>
    ["gambler", "hydra"].includes(agent) && breaks.every((name) => name === "settled_after_revoke");
  expect(others.filter((each) => !stopped(each))).toEqual([]);
  expect(await get("/api/health")).toMatchObject({ quarantined: 0 });
});
