import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@bursar/events/config-schema";
import { parseUsd } from "@bursar/events/money";
import type { Address, Hash } from "viem";
import { getTransactionReceipt } from "viem/actions";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { MANAGER_ARN } from "../src/agents.ts";
import { type PreparedDemo, prepareDemo } from "../src/demo.ts";
import type { Outcome } from "../src/fleet.ts";
import type { Trouble } from "../src/plan.ts";
import { openSite } from "../src/site.ts";
import { balanceOf } from "../src/usdc.ts";
import { type Ear, openEar } from "./ear.ts";

const SLOW = 120_000;
const AUTHORIZATION_USED = "0x98de503528ee59b575ef0c0a2576a82497bfc029a5685b209e9ec333479b10a5";
const stateDirectory = mkdtempSync(join(tmpdir(), "bursar-demo-"));
let ear: Ear;
let demo: PreparedDemo;
const outcomes: Outcome[] = [];

beforeAll(async () => {
  ear = await openEar();
  demo = await prepareDemo({ stateDirectory, apiPort: 0 });
  const traffic = demo.start({
    endpoint: ear.endpoint,
    pace: 20,
    count: 36,
    troubles: { every: 6 },
    onOutcome: (outcome) => outcomes.push(outcome),
  });
  await traffic.done;
  for (const last of ["api.content_returned", "agent.response_received"]) {
    await vi.waitFor(() => expect(ear.heard.filter(({ type }) => type === last)).toHaveLength(34), 10_000);
  }
}, SLOW);
afterAll(async () => {
  await demo?.stop();
  ear?.close();
  rmSync(stateDirectory, { recursive: true, force: true });
});

/** What the chain and both sides say of a purchase that settled. */
async function stories({ txHash, agent, api }: Outcome) {
  const receipt = await getTransactionReceipt(demo.devnet.client, { hash: txHash as Hash });
  const used = receipt.logs.find((log) => log.topics[0] === AUTHORIZATION_USED);
  const nonce = used?.topics[2];
  const of = (who: string) => ear.heard.filter((said) => said.who === who && said.nonce === nonce);
  return { receipt, nonce, agent: of(agent), api: of(api) };
}

const produced = (trouble: Trouble | null) => outcomes.filter((outcome) => outcome.trouble === trouble);

describe("an honest purchase", () => {
  test("is answered, settled, and told by both sides", async () => {
    const honest = produced(null);
    expect(honest).toHaveLength(30);
    for (const outcome of honest) {
      expect(outcome).toMatchObject({ status: 200, error: null });
      const { receipt, nonce, agent, api } = await stories(outcome);
      expect(receipt.status).toBe("success");
      expect(nonce).toMatch(/^0x[0-9a-f]{64}$/);
      expect(agent.map(({ type }) => type)).toEqual([
        "agent.authorization_signed",
        "agent.payment_sent",
        "agent.response_received",
      ]);
      expect(agent.at(-1)).toMatchObject({ status: 200, settled: true, txHash: outcome.txHash, payer: outcome.payer });
      expect(api.map(({ type }) => type)).toEqual([
        "api.verification_started",
        "api.transaction_submitted",
        "api.transaction_confirmed",
        "api.content_returned",
      ]);
      expect(api.at(-1)).toMatchObject({ status: 200, txHash: outcome.txHash });
    }
  });

  test("is signed by AgentCore, under a session of its agent's own, and the events say so", () => {
    for (const outcome of produced(null)) {
      const signed = ear.heard.filter(
        ({ who, type }) => who === outcome.agent && type === "agent.authorization_signed",
      );
      const own = demo.plane.sessions().filter(({ userId }) => userId === outcome.agent);
      expect(own).toHaveLength(1);
      for (const { sessionId, processPaymentId } of signed) {
        expect(sessionId).toBe(own[0]?.sessionId);
        expect(processPaymentId).toMatch(/^process-payment-/);
      }
      expect(new Set(signed.map(({ processPaymentId }) => processPaymentId)).size).toBe(signed.length);
    }
    const asked = ear.heard.filter(({ type }) => type === "agent.authorization_requested");
    expect(asked).toHaveLength(34);
    for (const { sessionId, instrumentId } of asked) {
      expect(sessionId).toMatch(/^payment-session-/);
      expect(instrumentId).toMatch(/^payment-instrument-/);
    }
  });

  test("costs its agent's session its price; a silent worker's costs none", () => {
    for (const { userId, spent } of demo.plane.sessions()) {
      const own = outcomes.filter(({ agent, trouble }) => agent === userId && trouble !== "silent_agent");
      expect(spent).toBe(own.reduce((sum, { product }) => sum + parseUsd(product.priceUsd), 0n));
    }
  });

  test("says nothing that the contract refuses", () => {
    expect(ear.quarantined).toEqual([]);
  });
});

describe("a trouble", () => {
  test("failed_delivery: the money moved, and the agent was answered 500", async () => {
    const failed = produced("failed_delivery");
    expect(failed).toHaveLength(2);
    for (const outcome of failed) {
      expect(outcome).toMatchObject({ agent: "research", status: 500 });
      const { receipt, agent, api } = await stories(outcome);
      expect(receipt.status).toBe("success");
      expect(agent.at(-1)).toMatchObject({ type: "agent.response_received", status: 500, settled: true });
      expect(api.map(({ type }) => type)).toContain("api.transaction_confirmed");
      expect(api.filter(({ status }) => status === 200)).toEqual([]);
    }
  });

  test("silent_agent: the chain and the API know the payment, the agent says nothing", async () => {
    const silent = produced("silent_agent");
    expect(silent).toHaveLength(2);
    for (const outcome of silent) {
      expect(outcome).toMatchObject({ agent: "intern", status: 200 });
      const { receipt, agent, api } = await stories(outcome);
      expect(receipt.status).toBe("success");
      expect(agent).toEqual([]);
      expect(api.at(-1)).toMatchObject({ type: "api.content_returned", status: 200 });
    }
  });

  test("silent_api: the chain and the agent know the payment, the API says nothing", async () => {
    const silent = produced("silent_api");
    expect(silent).toHaveLength(2);
    for (const outcome of silent) {
      expect(outcome).toMatchObject({ agent: "trader", api: "quotes", status: 200 });
      const { receipt, agent, api } = await stories(outcome);
      expect(receipt.status).toBe("success");
      expect(agent.at(-1)).toMatchObject({ type: "agent.response_received", status: 200, settled: true });
      expect(api).toEqual([]);
    }
  });
});

describe("prepareDemo", () => {
  test("gives a config that names the fleet's wallets and the APIs' payTo", () => {
    const config = parseConfig(demo.config);
    const { agents, apis, chain } = demo.describe();
    expect(config.chains[0]?.rpcUrls).toEqual([chain.rpcUrl]);
    expect(agents.map(({ id, note }) => [id, note])).toEqual([
      ["research", null],
      ["trader", null],
      ["writer", null],
      ["intern", "goes silent"],
      ["gambler", "overspends"],
      ["courier", "runs out of money"],
      ["hydra", "opens new sessions while frozen"],
    ]);
    for (const { id, wallet } of agents)
      expect(config.agents[id]).toMatchObject({ wallets: [wallet], userId: id, paymentManagerArn: MANAGER_ARN });
    for (const { id, payTo } of apis) expect(config.apis[id]?.payTo).toEqual([payTo]);
  });

  test("moves just the prices out of the wallets", async () => {
    const paid = outcomes.reduce((sum, { product }) => sum + parseUsd(product.priceUsd), 0n);
    const balances = demo.describe().apis.map(({ payTo }) => balanceOf(demo.devnet.client, payTo as Address));
    expect((await Promise.all(balances)).reduce((a, b) => a + b, 0n)).toBe(paid);
  });

  test("starts its traffic once", () => {
    expect(() => demo.start({ endpoint: ear.endpoint })).toThrow("started already");
  });

  test(
    "stops in the middle of traffic, frees its addresses, and goes on where it was",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "bursar-demo-"));
      const taken = await openSite();
      const port = Number(new URL(taken.url).port);
      const first = await prepareDemo({ stateDirectory: directory, apiPort: port });
      const { agents, apis, chain } = first.describe();
      expect(apis[0]?.url).not.toBe(taken.url);
      let paid = 0;
      const traffic = first.start({ endpoint: ear.endpoint, pace: 20, troubles: null, onOutcome: () => paid++ });
      await expect.poll(() => paid, { timeout: 60_000 }).toBeGreaterThan(3);
      const stoppedAt = performance.now();
      await first.stop();
      expect(performance.now() - stoppedAt).toBeLessThan(2_000);
      await traffic.done;
      for (const url of [chain.rpcUrl, first.agentCoreUrl, ...apis.map((api) => api.url)])
        await expect(fetch(url)).rejects.toThrow();
      await taken.close();

      const second = await prepareDemo({ stateDirectory: directory, apiPort: port });
      try {
        const again = second.describe();
        expect(again.apis[0]?.url).toBe(taken.url);
        expect(again.agents).toEqual(agents);
        expect(again.chain.block).toBeGreaterThan(chain.block);
        const seen: Outcome[] = [];
        const more = second.start({
          endpoint: ear.endpoint,
          pace: 20,
          count: 3,
          troubles: null,
          onOutcome: (outcome) => seen.push(outcome),
        });
        await more.done;
        expect(seen.map(({ status }) => status)).toEqual([200, 200, 200]);
      } finally {
        await second.stop();
        rmSync(directory, { recursive: true, force: true });
      }
    },
    SLOW,
  );

  test(
    "lets its process end by itself",
    async () => {
      const directory = mkdtempSync(join(tmpdir(), "bursar-demo-"));
      const script = `import { prepareDemo } from ${JSON.stringify(new URL("../src/demo.ts", import.meta.url).href)};
      const demo = await prepareDemo({ stateDirectory: process.argv[1], apiPort: 0 });
      await demo.start({ endpoint: process.argv[2], count: 2, pace: 20, troubles: null }).done;
      await demo.stop();`;
      const child = spawn(
        process.execPath,
        ["--import", "tsx", "--input-type=module", "-e", script, directory, ear.endpoint],
        { stdio: ["ignore", "ignore", "inherit"] },
      );
      expect(await once(child, "exit")).toEqual([0, null]);
      rmSync(directory, { recursive: true, force: true });
    },
    SLOW,
  );
});
