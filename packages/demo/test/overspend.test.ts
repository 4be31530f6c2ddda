import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  type BedrockAgentCoreClient,
  DeletePaymentSessionCommand,
  ListPaymentSessionsCommand,
  ResourceNotFoundException,
} from "@aws-sdk/client-bedrock-agentcore";
import type { Hex } from "viem";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { createPayer, localPaymentsClient } from "../src/agentcore/payer.ts";
import type { Stop } from "../src/agentcore/session-keeper.ts";
import { AGENTS, type DemoAgentId, MANAGER_ARN } from "../src/agents.ts";
import { type PreparedDemo, prepareDemo } from "../src/demo.ts";
import { SPENDERS, type Splurge } from "../src/spree.ts";
import { balanceOf } from "../src/usdc.ts";
import { offerOf } from "./data-plane.ts";
import { type Ear, openEar } from "./ear.ts";

const SLOW = 120_000;
const stateDirectory = mkdtempSync(join(tmpdir(), "bursar-overspend-"));
const splurges: Splurge[] = [];
const stops: (Stop & { agent: DemoAgentId })[] = [];
let ear: Ear;
let demo: PreparedDemo;
let client: BedrockAgentCoreClient;

beforeAll(async () => {
  ear = await openEar();
  demo = await prepareDemo({ stateDirectory, apiPort: 0 });
  client = localPaymentsClient(demo.agentCoreUrl);
}, SLOW);
afterAll(async () => {
  client?.destroy();
  await demo?.stop();
  ear?.close();
  rmSync(stateDirectory, { recursive: true, force: true });
});

/** What a machine does for a budget that is spent. */
async function revokeAll(userId: string): Promise<number> {
  const named = { paymentManagerArn: MANAGER_ARN, userId };
  const { paymentSessions = [] } = await client.send(new ListPaymentSessionsCommand(named));
  for (const { paymentSessionId } of paymentSessions) {
    await client.send(new DeletePaymentSessionCommand({ ...named, paymentSessionId })).catch((error: unknown) => {
      if (!(error instanceof ResourceNotFoundException)) throw error;
    });
  }
  return paymentSessions.length;
}

const of = (agent: DemoAgentId) => splurges.filter((splurge) => splurge.agent === agent);
const stopsOf = (agent: DemoAgentId) => stops.filter((stop) => stop.agent === agent);

describe("AgentCore's signature", () => {
  test(
    "settles on the chain's USDC",
    async () => {
      const payee = demo.devnet.account(30).address;
      const writer = demo.describe().agents.find(({ id }) => id === "writer");
      const walletAddress = writer?.wallet;
      const payer = await createPayer({ client, managerArn: MANAGER_ARN, userId: "writer", walletAddress });
      const session = await payer.openSession({ limitUsd: "0.01" });
      const { authorization: a, signature } = await payer.pay(session, offerOf(10_000n, payee));
      const receipt = await demo.devnet.settle({
        authorization: {
          from: a.from as Hex,
          to: a.to as Hex,
          value: BigInt(a.value),
          validAfter: BigInt(a.validAfter),
          validBefore: BigInt(a.validBefore),
          nonce: a.nonce as Hex,
        },
        signature: signature as Hex,
      });
      expect(receipt.status).toBe("success");
      expect(await balanceOf(demo.devnet.client, payee)).toBe(10_000n);
    },
    SLOW,
  );
});

describe("the spenders", () => {
  test("reach their budgets when a viewer still looks", () => {
    const reached = (agent: "gambler" | "hydra", purchases: number) =>
      SPENDERS[agent].startAfterMs + (purchases - 1) * SPENDERS[agent].everyMs;
    expect(reached("gambler", 10)).toBeGreaterThanOrEqual(20_000);
    expect(reached("gambler", 10)).toBeLessThanOrEqual(30_000);
    expect(reached("hydra", 4)).toBeGreaterThanOrEqual(15_000);
    expect(reached("hydra", 4)).toBeLessThanOrEqual(20_000);
    expect([1, 2, 3, 50].map(AGENTS.gambler.pauseMs)).toEqual([5_000, 7_500, 11_250, 60_000]);
    expect(AGENTS.hydra.pauseMs(9) + SPENDERS.hydra.everyMs).toBe(10_000);
  });

  test(
    "buy until they are stopped, open a new session, and are stopped again",
    async () => {
      const traffic = demo.start({
        endpoint: ear.endpoint,
        pace: 10,
        count: 0,
        overspend: true,
        onSplurge: (splurge) => splurges.push(splurge),
        onStop: (stop) => stops.push(stop),
      });
      await vi.waitFor(() => expect(of("gambler").length).toBeGreaterThanOrEqual(3), 30_000);
      await vi.waitFor(() => expect(of("hydra").length).toBeGreaterThanOrEqual(2), 30_000);
      for (const { agent, product, status } of splurges) {
        expect(["gambler", "hydra"]).toContain(agent);
        expect([status, product.priceUsd]).toEqual([200, "0.50"]);
      }

      for (let stop = 1; stop <= 3; stop++) {
        await vi.waitFor(async () => {
          for (const agent of ["gambler", "hydra"] as const) {
            if (stopsOf(agent).length < stop) await revokeAll(agent);
            expect(stopsOf(agent).length).toBeGreaterThanOrEqual(stop);
          }
        }, 30_000);
      }
      for (const agent of ["gambler", "hydra"] as const) {
        const ended = stopsOf(agent).slice(0, 3);
        expect(ended.map(({ stops: inARow }) => inARow)).toEqual([1, 2, 3]);
        expect(new Set(ended.map(({ sessionId }) => sessionId)).size).toBe(3);
        for (const { message } of ended) expect(message).toContain("Payment session not found");
        await vi.waitFor(() => {
          const failed = ear.heard.filter(({ who, type }) => who === agent && type === "agent.payment_failed");
          expect(failed.length).toBeGreaterThanOrEqual(3);
          for (const { reason } of failed) expect(reason).toBe("session_expired");
        }, 5_000);
      }
      expect(stopsOf("gambler").map(({ pauseMs }) => pauseMs)).toEqual(
        expect.arrayContaining([500, 750, 1_125]), // at ten times the pace
      );

      const startedAt = performance.now();
      await traffic.stop(600);
      await traffic.done;
      expect(performance.now() - startedAt).toBeLessThan(1_000);
      expect(ear.quarantined).toEqual([]);
    },
    SLOW,
  );
});
