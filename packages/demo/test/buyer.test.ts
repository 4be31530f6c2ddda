import { DeletePaymentSessionCommand } from "@aws-sdk/client-bedrock-agentcore";
import { createEmitter, type Emitter } from "@bursar/sdk";
import { afterEach, expect, test } from "vitest";
import type { Fault } from "../src/agentcore/data-plane.ts";
import { createSessionKeeper } from "../src/agentcore/session-keeper.ts";
import { createSessionBuyer } from "../src/buyer.ts";
import { openSite, type Site } from "../src/site.ts";
import { MANAGER, offerOf, planeForTest, type TestPlane } from "./data-plane.ts";
import { type Ear, openEar } from "./ear.ts";

const opened: { readonly shop: Site; readonly ear: Ear; readonly emitter: Emitter }[] = [];

afterEach(async () => {
  for (const { shop, ear, emitter } of opened.splice(0)) {
    await emitter.close(100);
    ear.close();
    await shop.close();
  }
});

/** A buyer under a session of $1.00, at a shop that asks for $0.50 and takes any proof. */
async function buyerForTest() {
  const faults: { next: Fault | undefined } = { next: undefined };
  const plane = await planeForTest({ fault: () => faults.next });
  const ear = await openEar();
  const emitter = createEmitter({ source: { agent: "research" }, endpoint: ear.endpoint });
  const shop = await openSite();
  opened.push({ shop, ear, emitter });
  const accepts = [{ ...offerOf(500_000n), extra: { name: "USD Coin", version: "2" } }];
  const required = { x402Version: 2, error: "pay", resource: { url: `${shop.url}/report` }, accepts };
  shop.serve((request, response) => {
    if (request.headers["payment-signature"] !== undefined) return void response.end("a report");
    const header = Buffer.from(JSON.stringify(required)).toString("base64");
    response.writeHead(402, { "payment-required": header }).end();
  });
  const payer = await plane.payer();
  const keeper = createSessionKeeper({ payer, terms: { limitUsd: "1.00", expiryMinutes: 15 }, pauseMs: () => 60_000 });
  const buy = createSessionBuyer(payer, keeper, emitter);
  return {
    plane,
    faults,
    keeper,
    buy: () => buy(`${shop.url}/report`),
    async heard() {
      await emitter.flush();
      return ear.heard;
    },
  };
}

test("an unmodified x402 client sends what AgentCore signed, and the events name session and payment", async () => {
  const { buy, heard, keeper } = await buyerForTest();
  expect(await buy()).toEqual({ status: 200, txHash: null });
  const { sessionId } = await keeper.session();
  const signed = (await heard()).filter(({ type }) => type === "agent.authorization_signed");
  expect(signed).toMatchObject([{ sessionId, processPaymentId: expect.stringMatching(/^process-payment-/) }]);
});

test.each<[string, (kept: { plane: TestPlane; sessionId: string; faults: { next: Fault | undefined } }) => unknown]>([
  ["budget_exceeded", () => {}],
  ["session_expired", ({ plane }) => plane.wait(15)],
  [
    "session_expired",
    ({ plane, sessionId: paymentSessionId }) =>
      plane.client.send(
        new DeletePaymentSessionCommand({ paymentManagerArn: MANAGER, userId: "research", paymentSessionId }),
      ),
  ],
  [
    "signing_failed",
    ({ faults }) => {
      faults.next = "deny";
    },
  ],
])("a refusal is told as %s", async (reason, cause) => {
  const { plane, faults, keeper, buy, heard } = await buyerForTest();
  await buy();
  await buy();
  const { sessionId } = await keeper.session();
  await cause({ plane, sessionId, faults });
  await expect(buy()).rejects.toThrow("Failed to create payment payload");
  const failed = (await heard()).filter(({ type }) => type === "agent.payment_failed");
  expect(failed.map((event) => event.reason)).toEqual([reason]);
});

test("says nothing while there is no session to pay with", async () => {
  const { plane, buy, heard } = await buyerForTest();
  await buy();
  plane.wait(15);
  await expect(buy()).rejects.toThrow("has expired");
  const before = (await heard()).length;
  await expect(buy()).rejects.toThrow("research has no payment session");
  expect(await heard()).toHaveLength(before);
});
