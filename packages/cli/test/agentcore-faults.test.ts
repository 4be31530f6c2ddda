/** AgentCore that is down, slow, throttling, denying or talking nonsense: nothing else stops, and the stop is made in the end. */

import { join } from "node:path";
import { CreatePaymentSessionCommand } from "@aws-sdk/client-bedrock-agentcore";
import type { FaultInput, Operation } from "@bursar/demo/agentcore/data-plane";
import { createDataPlane, type Fault } from "@bursar/demo/agentcore/data-plane";
import { localPaymentsClient } from "@bursar/demo/agentcore/payer";
import { openSite, type Site } from "@bursar/demo/site";
import type { ConfigInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import type { Action, Alert, Budget, Health, Payment } from "@bursar/events/shapes";
import type { SessionRef } from "@bursar/sdk";
import { afterAll, describe, expect, test, vi } from "vitest";
import type { Machine } from "../src/machine.ts";
import { directoryForTest, machineForTest } from "./machines.ts";
import { clientOf, entryOf, keyOf, PAY_TO, put } from "./producers.ts";

const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:111122223333:payment-manager/ours-0000000000";
const SECOND = "arn:aws:bedrock-agentcore:us-east-1:111122223333:payment-manager/second-0000000000";
const FOREIGN = "arn:aws:bedrock-agentcore:us-east-1:999999999999:payment-manager/theirs-0000000000";
/** A failed call is tried again after five seconds. */
const PATIENCE = { timeout: 20_000, interval: 50 };

const opened: (() => unknown)[] = [];
afterAll(async () => {
  for (const close of opened.splice(0).reverse()) await close();
});

interface Call {
  readonly operation: Operation;
  readonly managerArn: string;
  readonly sessionId: string;
}

interface Plane {
  readonly url: string;
  readonly calls: readonly Call[];
  /** What goes wrong with deletions from now on; null for nothing. */
  ails(fault: Fault | null): void;
  goDown(): Promise<void>;
  comeUp(): Promise<void>;
  /** Ids of the sessions that are not deleted. */
  open(): string[];
  openSession(userId: string, managerArn?: string): Promise<SessionRef>;
  /** Calls of DeletePaymentSession for it. */
  deletions(session: SessionRef): number;
}

async function planeForTest(): Promise<Plane> {
  let fault: Fault | null = null;
  const calls: Call[] = [];
  const ask = (operation: Operation, { paymentManagerArn, paymentSessionId }: FaultInput): Fault | undefined => {
    calls.push({ operation, managerArn: String(paymentManagerArn), sessionId: String(paymentSessionId) });
    return operation === "DeletePaymentSession" && fault !== null ? fault : undefined;
  };
  const plane = createDataPlane({ accounts: [], managerArns: [MANAGER, SECOND, FOREIGN], fault: ask });
  let site: Site = await openSite();
  site.serve(plane.listener);
  const { url } = site;
  const client = localPaymentsClient(url);
  opened.push(() => client.destroy());
  opened.push(() => site.close());
  return {
    url,
    calls,
    ails(given) {
      fault = given;
    },
    goDown: () => site.close(),
    async comeUp() {
      site = await openSite(Number(new URL(url).port));
      expect(site.url).toBe(url);
      site.serve(plane.listener);
    },
    open: () => plane.sessions().map(({ sessionId }) => sessionId),
    async openSession(userId, managerArn = MANAGER) {
      const { paymentSession } = await client.send(
        new CreatePaymentSessionCommand({ paymentManagerArn: managerArn, userId, expiryTimeInMinutes: 60 }),
      );
      return { managerArn, userId, sessionId: paymentSession?.paymentSessionId ?? "" };
    },
    deletions: ({ sessionId }) =>
      calls.filter((call) => call.operation === "DeletePaymentSession" && call.sessionId === sessionId).length,
  };
}

const WALLETS = { spender: `0x${"1".repeat(40)}`, honest: `0x${"2".repeat(40)}`, loner: `0x${"3".repeat(40)}` };
type AgentId = keyof typeof WALLETS;

const config = (agents: Partial<Record<AgentId, object>> = {}) =>
  parseConfig({
    org: "acme",
    agents: {
      spender: { wallets: [WALLETS.spender], paymentManagerArn: MANAGER, userId: "spender", ...agents.spender },
      honest: { wallets: [WALLETS.honest], paymentManagerArn: MANAGER, userId: "honest", ...agents.honest },
      loner: { wallets: [WALLETS.loner] },
    },
    apis: { reports: { payTo: [PAY_TO] } },
    budgets: [
      { id: "day", scope: { agent: "*" }, window: "day", limitUsd: "5.00", thresholds: [{ at: 1, do: "revoke" }] },
    ],
  } as ConfigInput);

const entry = (agentId: AgentId, events: readonly object[]) => entryOf(`bursar.agent.${agentId}`, events);
const signed = (agentId: AgentId, n: number, amount: bigint, session?: SessionRef) => ({
  type: "agent.authorization_signed",
  id: `${agentId}-${n}`,
  at: new Date().toISOString(),
  payment: keyOf(n, WALLETS[agentId]),
  amount: String(amount),
  payTo: PAY_TO,
  validBefore: "1995168800",
  ...(session === undefined ? {} : { session }),
});

async function tell(machine: Machine, agentId: AgentId, ...events: readonly object[]): Promise<void> {
  const client = clientOf(machine.url);
  const entries = Array.from({ length: Math.ceil(events.length / 50) }, (_, i) =>
    entry(agentId, events.slice(i * 50, (i + 1) * 50)),
  );
  // Five entries of fifty are below the 256 KB that a call may have.
  for (let i = 0; i < entries.length; i += 5) {
    const { FailedEntryCount } = await put(client, entries.slice(i, i + 5));
    expect(FailedEntryCount).toBe(0);
  }
  client.destroy();
}

const get = async <T>(machine: Machine, path: string): Promise<T> =>
  (await (await fetch(`${machine.url}${path}`)).json()) as T;
const actions = async (machine: Machine) => (await get<{ actions: Action[] }>(machine, "/api/actions")).actions;
const alerts = async (machine: Machine, rule: string) =>
  (await get<{ alerts: Alert[] }>(machine, "/api/alerts")).alerts.filter((alert) => alert.rule === rule);

/** An agent's own payment goes through as ever, and the queue is empty after it. */
async function expectGoingOn(machine: Machine, session: SessionRef): Promise<void> {
  await tell(machine, "honest", signed("honest", 1, 10_000n, session));
  await machine.drained();
  const { payments } = await get<{ payments: Payment[] }>(machine, "/api/payments?agent=honest");
  expect(payments).toMatchObject([{ state: "signed", amount: "10000", sessionId: session.sessionId }]);
  expect(await get<Health>(machine, "/api/health")).toMatchObject({ queueDepth: 0, quarantined: 0 });
}

async function expectDone(machine: Machine, plane: Plane, session: SessionRef): Promise<void> {
  await vi.waitFor(async () => {
    expect(await actions(machine)).toMatchObject([{ target: session.sessionId, outcome: "done" }]);
  }, PATIENCE);
  expect(plane.open()).not.toContain(session.sessionId);
}

describe.concurrent("a revocation that AgentCore does not take", () => {
  test.for<[string, Fault, said: RegExp]>([
    ["throttles", "throttle", /ThrottlingException/],
    ["breaks", "internal", /InternalServerException/],
    ["talks nonsense", "garbage", /none of AgentCore's/],
    ["denies", "deny", /AccessDeniedException/],
  ])(
    "while it %s nothing else stops; it is told, tried again, done, and the alert is over",
    async ([, fault, said], { expect }) => {
      const plane = await planeForTest();
      const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
      const session = await plane.openSession("spender");
      const other = await plane.openSession("honest");
      plane.ails(fault);
      await tell(machine, "spender", signed("spender", 1, 6_000_000n, session));
      await vi.waitFor(async () => {
        expect(await alerts(machine, "revocation_failed")).toMatchObject([
          { severity: "critical", status: "open", subject: `session:${session.sessionId}` },
        ]);
      }, PATIENCE);
      expect((await alerts(machine, "revocation_failed"))[0]?.text).toMatch(said);
      expect(await actions(machine)).toMatchObject([{ target: session.sessionId, outcome: "failed" }]);
      await expectGoingOn(machine, other);

      plane.ails(null);
      await expectDone(machine, plane, session);
      expect(await alerts(machine, "revocation_failed")).toMatchObject([{ status: "resolved" }]);
      expect(await alerts(machine, "session_revoked")).toMatchObject([{ status: "open" }]);
      expect(plane.open()).toEqual([other.sessionId]);
      expect(plane.deletions(other)).toBe(0);
    },
  );

  test("while nobody answers at its address it waits, and is done when it is up again", async ({ expect }) => {
    const plane = await planeForTest();
    const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
    const session = await plane.openSession("spender");
    const other = await plane.openSession("honest");
    await plane.goDown();
    await tell(machine, "spender", signed("spender", 1, 6_000_000n, session));
    await vi.waitFor(
      async () => expect((await alerts(machine, "revocation_failed"))[0]?.text).toMatch(/ECONNREFUSED/),
      PATIENCE,
    );
    await expectGoingOn(machine, other);
    await plane.comeUp();
    await expectDone(machine, plane, session);
    expect(plane.open()).toEqual([other.sessionId]);
  });

  test("a slow answer is waited for, and an answer that is lost is no failure", async ({ expect }) => {
    const plane = await planeForTest();
    const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
    const slow = await plane.openSession("spender");
    plane.ails({ delayMs: 700 });
    await tell(machine, "spender", signed("spender", 1, 6_000_000n, slow));
    await vi.waitFor(() => expect(plane.deletions(slow)).toBe(1), PATIENCE);
    await expectGoingOn(machine, await plane.openSession("honest"));
    await vi.waitFor(async () => expect(await actions(machine)).toMatchObject([{ outcome: "done" }]), PATIENCE);
    expect(plane.deletions(slow)).toBe(1);

    const lost = await plane.openSession("spender");
    plane.ails("lost");
    await tell(machine, "spender", signed("spender", 2, 10_000n, lost));
    await vi.waitFor(async () => {
      const found = (await actions(machine)).find(({ target }) => target === lost.sessionId);
      expect(found).toMatchObject({ outcome: "done" });
    }, PATIENCE);
    expect(plane.open()).not.toContain(lost.sessionId);
    expect(await alerts(machine, "revocation_failed")).toEqual([]);
  });

  test("stopped between judging and doing, the machine does it once after its next start", async ({ expect }) => {
    const plane = await planeForTest();
    const data = join(directoryForTest(), "data");
    const options = { data, config: config(), agentCoreUrl: plane.url };
    const machine = await machineForTest(options);
    const session = await plane.openSession("spender");
    await plane.goDown();
    await tell(machine, "spender", signed("spender", 1, 6_000_000n, session));
    await vi.waitFor(async () => expect(await actions(machine)).toHaveLength(1), PATIENCE);
    await machine.stop();
    expect(plane.open()).toEqual([session.sessionId]);

    await plane.comeUp();
    const again = await machineForTest(options);
    await expectDone(again, plane, session);
    expect(plane.deletions(session)).toBe(1);
  });
});

describe.concurrent("who is called", () => {
  test("a session at a manager that is not ours is not asked for there, and that is told", async ({ expect }) => {
    const plane = await planeForTest();
    const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
    const session = await plane.openSession("spender", FOREIGN);
    await tell(machine, "spender", signed("spender", 1, 6_000_000n, session));
    await vi.waitFor(async () => {
      const [alert] = await alerts(machine, "revocation_failed");
      expect(alert?.text).toContain(`${FOREIGN} is no agent's paymentManagerArn in the config: it is not called`);
    }, PATIENCE);
    expect(
      plane.calls.filter(({ managerArn, operation }) => managerArn === FOREIGN && !operation.startsWith("Create")),
    ).toEqual([]);
    expect(plane.open()).toEqual([session.sessionId]);
  });

  test("two managers: each session is deleted at its own", async ({ expect }) => {
    const plane = await planeForTest();
    const agents = { honest: { paymentManagerArn: SECOND } };
    const machine = await machineForTest({ config: config(agents), agentCoreUrl: plane.url });
    const first = await plane.openSession("spender");
    const second = await plane.openSession("honest", SECOND);
    await tell(machine, "spender", signed("spender", 1, 6_000_000n, first));
    await tell(machine, "honest", signed("honest", 1, 6_000_000n, second));
    await vi.waitFor(() => expect(plane.open()).toEqual([]), PATIENCE);
    const deletions = plane.calls.filter(({ operation }) => operation === "DeletePaymentSession");
    expect(deletions.map(({ managerArn, sessionId }) => [managerArn, sessionId])).toEqual(
      expect.arrayContaining([
        [MANAGER, first.sessionId],
        [SECOND, second.sessionId],
      ]),
    );
    expect(deletions).toHaveLength(2);
  });

  test("an agent without a manager cannot be stopped, and that is a critical alert", async ({ expect }) => {
    const plane = await planeForTest();
    const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
    await tell(machine, "loner", signed("loner", 1, 6_000_000n));
    await vi.waitFor(async () => {
      expect(await alerts(machine, "revocation_failed")).toMatchObject([
        { severity: "critical", status: "open", subject: "agent:loner" },
      ]);
    }, PATIENCE);
    expect((await alerts(machine, "revocation_failed"))[0]?.text).toContain(
      "nothing can be revoked: no session of loner is known, and none can be listed",
    );
    expect(await actions(machine)).toEqual([]);
  });

  test("an agent that names a session which AgentCore does not have is told of: the stop reached nobody", async ({
    expect,
  }) => {
    const plane = await planeForTest();
    const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
    plane.ails({ delayMs: 1_500 }); // the change feed is heard before the answer, and finds a session to revoke
    const made = { managerArn: MANAGER, sessionId: "payment-session-made0up00000000", userId: "nobody" };
    await tell(machine, "loner", signed("loner", 1, 6_000_000n, made));
    await vi.waitFor(async () => {
      expect(await actions(machine)).toMatchObject([{ outcome: "done", detail: "AgentCore had no such session" }]);
      expect(await alerts(machine, "revocation_failed")).toMatchObject([
        { severity: "critical", status: "open", subject: "agent:loner" },
      ]);
    }, PATIENCE);
  });
});

test("a thousand payments that breach at once are one stop, one crossing and books to the unit", async () => {
  const plane = await planeForTest();
  const machine = await machineForTest({ config: config(), agentCoreUrl: plane.url });
  const session = await plane.openSession("spender");
  const events = Array.from({ length: 1_000 }, (_, n) => signed("spender", n, 6_000_000n + BigInt(n), session));
  await tell(machine, "spender", ...events);
  await machine.drained();
  await expectDone(machine, plane, session);
  expect(plane.deletions(session)).toBe(1);
  expect(await alerts(machine, "budget_threshold")).toMatchObject([{ count: 1, status: "open" }]);
  expect(await alerts(machine, "session_revoked")).toMatchObject([{ count: 1 }]);
  const { budgets } = await get<{ budgets: Budget[] }>(machine, "/api/budgets");
  const sum = events.reduce((total, { amount }) => total + BigInt(amount), 0n);
  expect(budgets).toMatchObject([{ policy: "day", scope: "agent:spender", held: String(sum), crossed: [1] }]);
});

test("users without wallets that AgentCore lists are no reason to fold every payment again", async () => {
  const plane = await planeForTest();
  const options = { data: join(directoryForTest(), "data"), config: config(), agentCoreUrl: plane.url };
  const machine = await machineForTest(options);
  await machine.ready;
  const listed = async () => Object.keys((await machine.store.get([{ pk: "WALLETS", sk: "." }]))[0]?.data ?? {});
  await vi.waitFor(async () => expect(await listed()).toHaveLength(2), PATIENCE);
  await machine.stop();
  const again = await machineForTest(options);
  await again.ready;
  expect(await again.store.get([{ pk: "CONFIG", sk: "." }])).toMatchObject([{ version: 1 }]);
});
