import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { x402Facilitator } from "@x402/core/facilitator";
import { ExactEvmScheme as ClientScheme } from "@x402/evm/exact/client";
import { registerExactEvmScheme } from "@x402/evm/exact/facilitator";
import { ExactEvmScheme as ServerScheme } from "@x402/evm/exact/server";
import { ExactEvmSchemeV1 } from "@x402/evm/v1";
import { paymentMiddlewareFromConfig, x402ResourceServer } from "@x402/express";
import { wrapFetchWithPayment, wrapFetchWithPaymentFromConfig, x402Client } from "@x402/fetch";
import express from "express";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import {
  createEmitter,
  type Emitter,
  instrumentExpress,
  instrumentFacilitator,
  instrumentFetch,
  instrumentServer,
} from "../src/index.ts";
import { type Bus, startBus } from "./bus.ts";
import { agentFetch, clientOf, type Market, NETWORK, openShop, PRICE, type Shop, startMarket } from "./market.ts";

let market: Market;
let bus: Bus;
let agent: Emitter;
let api: Emitter;
let shop: Shop;
let payTo: string;

beforeAll(async () => {
  market = await startMarket();
  await market.devnet.fund(market.devnet.account(0).address, 10_000_000n);
  payTo = market.devnet.account(9).address.toLowerCase();
});
afterAll(() => market?.stop());

beforeEach(async () => {
  bus = await startBus();
  agent = createEmitter({ source: { agent: "research" }, endpoint: bus.endpoint });
  api = createEmitter({ source: { api: "reports" }, endpoint: bus.endpoint });
  shop = await openShop({ emitter: api, facilitator: clientOf(market.facilitator), payTo });
  return async () => {
    await Promise.all([agent.close(), api.close()]);
    await shop.close();
    await bus.close();
  };
});

async function told() {
  await Promise.all([agent.flush(), api.flush()]);
  return bus
    .told()
    .map(({ source, event }) => ({ kind: source.kind, ...event }) as Record<string, unknown> & { type: string });
}

function only<T>(list: readonly T[]): T {
  expect(list).toHaveLength(1);
  return list[0] as T;
}

const AGENT_STEPS = [
  "agent.request_sent",
  "agent.payment_required",
  "agent.authorization_requested",
  "agent.authorization_signed",
  "agent.payment_sent",
  "agent.response_received",
];
const API_STEPS = [
  "api.payment_demanded",
  "api.verification_started",
  "api.transaction_submitted",
  "api.transaction_confirmed",
  "api.content_returned",
];
const session = {
  managerArn: "arn:aws:bedrock-agentcore:eu-west-1:1:payment-manager/m",
  sessionId: "s-1",
  userId: "research",
};

describe("an honest payment", () => {
  it("is told in eleven steps with every field", async () => {
    const { pay } = agentFetch(market.devnet, 0, agent, {
      labels: { team: "growth" },
      session,
      requestHeader: true,
      requestId: () => "req-1",
      processPaymentId: () => "pp-1",
    });
    const response = await pay(`${shop.url}/reports/7?api_key=sk_live_secret`);
    expect(await response.json()).toEqual({ report: "7" });
    const events = await told();
    const of = (type: string) => events.filter((event) => event.type === type);
    expect(events.filter(({ kind }) => kind === "agent").map(({ type }) => type)).toEqual(AGENT_STEPS);
    expect(events.filter(({ kind }) => kind === "api").map(({ type }) => type)).toEqual(API_STEPS);
    const signed = only(of("agent.authorization_signed"));
    const payment = {
      method: "eip3009",
      chainId: 42161,
      asset: market.devnet.usdc,
      payer: market.devnet.account(0).address.toLowerCase(),
      nonce: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    };
    const offer = {
      scheme: "exact",
      network: "eip155:42161",
      asset: market.devnet.usdc,
      amount: PRICE,
      payTo,
      maxTimeoutSeconds: 60,
    };
    const resource = { url: `${shop.url}/reports/7`, method: "GET" };
    const hash = expect.stringMatching(/^0x[0-9a-f]{64}$/);
    const id = { id: expect.any(String), at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/), requestId: "req-1" };
    expect(of("agent.request_sent")).toEqual([
      { kind: "agent", type: "agent.request_sent", ...id, resource, labels: { team: "growth" } },
    ]);
    expect(of("agent.payment_required")).toEqual([
      { kind: "agent", type: "agent.payment_required", ...id, offers: [offer] },
    ]);
    expect(of("agent.authorization_requested")).toEqual([
      { kind: "agent", type: "agent.authorization_requested", ...id, accepted: offer, session },
    ]);
    expect(of("agent.authorization_signed")).toEqual([
      {
        kind: "agent",
        type: "agent.authorization_signed",
        ...id,
        payment,
        amount: PRICE,
        payTo,
        validAfter: expect.any(String),
        validBefore: expect.any(String),
        accepted: offer,
        session,
        processPaymentId: "pp-1",
        x402Version: 2,
      },
    ]);
    const key = signed.payment;
    expect(of("agent.payment_sent")).toEqual([{ kind: "agent", type: "agent.payment_sent", ...id, payment: key }]);
    const answer = { status: 200, settled: true, txHash: hash, durationMs: expect.any(Number) };
    expect(of("agent.response_received")).toEqual([
      { kind: "agent", type: "agent.response_received", ...id, payment: key, ...answer },
    ]);
    const theirs = { kind: "api", ...id, agentId: "research" };
    expect(of("api.payment_demanded")).toEqual([
      { ...theirs, type: "api.payment_demanded", resource, offers: [offer] },
    ]);
    expect(of("api.verification_started")).toEqual([
      {
        ...theirs,
        type: "api.verification_started",
        payment: key,
        amount: PRICE,
        payTo,
        validBefore: signed.validBefore,
        scheme: "exact",
      },
    ]);
    const txHash = of("agent.response_received")[0]?.txHash;
    expect(of("api.transaction_submitted")).toEqual([
      { ...theirs, type: "api.transaction_submitted", payment: key, txHash },
    ]);
    expect(of("api.transaction_confirmed")).toEqual([
      { ...theirs, type: "api.transaction_confirmed", payment: key, txHash },
    ]);
    expect(of("api.content_returned")).toEqual([
      { ...theirs, type: "api.content_returned", payment: key, txHash, status: 200 },
    ]);
  });
});

describe("instrumentFetch", () => {
  it("tells two steps of a request that meets no 402", async () => {
    const { pay } = agentFetch(market.devnet, 0, agent);
    expect((await pay(`${shop.url}/free`, { method: "get" })).status).toBe(200);
    const [sent, answered, ...more] = await told();
    expect(more).toEqual([]);
    expect(sent).toMatchObject({ type: "agent.request_sent", resource: { url: `${shop.url}/free`, method: "GET" } });
    expect(answered).toMatchObject({
      type: "agent.response_received",
      requestId: sent?.requestId,
      status: 200,
      settled: null,
    });
    expect(answered).not.toHaveProperty("payment");
    expect(shop.seen[0]).not.toHaveProperty("bursar-request");
  });

  it("sends a body and the caller's headers along, twice, with its own header beside them", async () => {
    const { pay } = agentFetch(market.devnet, 0, agent, { requestHeader: true, requestId: () => "order-1" });
    const headers = { "content-type": "application/json", "x-mine": "kept" };
    const response = await pay(`${shop.url}/orders`, { method: "POST", headers, body: '{"report":7}' });
    expect(await response.json()).toEqual({ ordered: { report: 7 } });
    expect(shop.seen).toHaveLength(2);
    for (const seen of shop.seen) expect(seen).toMatchObject({ ...headers, "bursar-request": "research/order-1" });
  });

  it("keeps concurrent requests over one client apart", async () => {
    const { pay } = agentFetch(market.devnet, 0, agent, { requestHeader: true });
    const answers = await Promise.all(Array.from({ length: 12 }, (_, index) => pay(`${shop.url}/reports/${index}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array(12).fill(200));
    const events = await told();
    const byRequest = groupBy(events);
    expect(byRequest.size).toBe(12);
    for (const steps of byRequest.values()) {
      expect(steps).toHaveLength(11);
      const nonces = new Set(
        steps.map(({ payment }) => (payment as { nonce: string } | undefined)?.nonce).filter(Boolean),
      );
      expect(nonces.size).toBe(1);
    }
    expect(
      new Set(
        events.filter(({ type }) => type === "agent.request_sent").map(({ resource }) => JSON.stringify(resource)),
      ).size,
    ).toBe(12);
  });

  it("does not add its hooks twice to one client", async () => {
    const { client } = agentFetch(market.devnet, 0, agent);
    const pay = ["once", "twice"].map(() => agentPay(client));
    await pay[1]?.(`${shop.url}/reports/1`);
    expect((await told()).filter(({ type }) => type === "agent.authorization_signed")).toHaveLength(1);
  });

  const agentPay = (client: x402Client) => instrumentFetch(agent, wrapFetchWithPayment)(fetch, client);

  it("reads what was signed from the request where the client is out of reach", async () => {
    const schemes = [{ network: NETWORK, client: new ClientScheme(market.devnet.account(0)) }] as const;
    const pay = instrumentFetch(agent, wrapFetchWithPaymentFromConfig)(fetch, { schemes: [...schemes] });
    expect((await pay(`${shop.url}/reports/1`)).status).toBe(200);
    expect((await told()).filter(({ kind }) => kind === "agent").map(({ type }) => type)).toEqual(AGENT_STEPS);
  });

  it("says that signing failed, before anything was signed", async () => {
    const { pay, client } = agentFetch(market.devnet, 0, agent);
    client.onBeforePaymentCreation(() => Promise.resolve({ abort: true, reason: "session budget exceeded" }));
    await expect(pay(`${shop.url}/reports/1`)).rejects.toThrow("budget exceeded");
    const last = (await told()).filter(({ kind }) => kind === "agent").at(-1);
    expect(last).toMatchObject({
      type: "agent.payment_failed",
      reason: "budget_exceeded",
      requestId: expect.any(String),
    });
    expect(last).not.toHaveProperty("payment");
  });

  it.each([
    ["ValidationException: payment session expired", "session_expired"],
    ["Insufficient balance of the instrument", "insufficient_funds"],
    ["the signer is locked; key=sk_live_1234567890", "signing_failed"],
  ])("maps a signer that throws %j to %s", async (message, reason) => {
    const signer = {
      address: market.devnet.account(0).address,
      signTypedData: () => Promise.reject(new Error(message)),
    };
    const client = new x402Client().register(NETWORK, new ClientScheme(signer));
    await expect(instrumentFetch(agent, wrapFetchWithPayment)(fetch, client)(`${shop.url}/reports/1`)).rejects.toThrow(
      message,
    );
    const last = (await told()).filter(({ kind }) => kind === "agent").at(-1);
    expect(last).toMatchObject({ type: "agent.payment_failed", reason });
    expect(JSON.stringify(last)).not.toContain("sk_live");
  });

  it("never says that nothing was paid when the answer to a paid request is lost", async () => {
    const client = agentFetch(market.devnet, 0).client;
    const lossy: typeof fetch = async (input, init) => {
      const paid = input instanceof Request && input.headers.has("payment-signature");
      const response = await fetch(input, init);
      if (paid) throw new TypeError("fetch failed: socket hang up");
      return response;
    };
    await expect(instrumentFetch(agent, wrapFetchWithPayment)(lossy, client)(`${shop.url}/reports/1`)).rejects.toThrow(
      "socket hang up",
    );
    const events = (await told()).filter(({ kind }) => kind === "agent");
    expect(events.map(({ type }) => type)).toEqual([...AGENT_STEPS.slice(0, 5), "agent.payment_failed"]);
    expect(events.at(-1)).toMatchObject({
      reason: "other",
      message: expect.stringContaining("may still settle"),
      payment: events.at(-2)?.payment,
    });
  });

  it("says that the payment was rejected when the API refuses it", async () => {
    const { pay } = agentFetch(market.devnet, 5, agent); // an empty wallet
    expect((await pay(`${shop.url}/reports/1`)).status).toBe(402);
    const events = await told();
    expect(events.filter(({ kind }) => kind === "agent").map(({ type }) => type)).toEqual([
      ...AGENT_STEPS.slice(0, 5),
      "agent.payment_required",
      "agent.response_received",
      "agent.payment_failed",
    ]);
    const { payment } = only(events.filter(({ type }) => type === "agent.payment_sent"));
    expect(only(events.filter(({ type }) => type === "agent.payment_failed"))).toMatchObject({
      reason: "insufficient_funds",
      payment,
    });
    expect(only(events.filter(({ type }) => type === "api.payment_rejected"))).toMatchObject({
      payment,
      errorCode: expect.stringContaining("insufficient"),
    });
    expect(events.filter(({ type }) => type === "api.content_returned")).toEqual([]);
  });

  it("signs again in a second round, and tells both", async () => {
    let settlements = 0;
    const flaky = clientOf(market.facilitator, {
      verify: (payload, requirements) =>
        settlements++ === 0
          ? Promise.resolve({ isValid: false, invalidReason: "try_again" })
          : market.facilitator.verify(payload, requirements),
    });
    const other = await openShop({ emitter: api, facilitator: flaky, payTo });
    const { pay, client } = agentFetch(market.devnet, 0, agent);
    client.onPaymentResponse(({ paymentRequired }) =>
      Promise.resolve(paymentRequired === undefined ? undefined : { recovered: true as const }),
    );
    expect((await pay(`${other.url}/reports/1`)).status).toBe(200);
    await other.close();
    const events = await told();
    const signed = events.filter(({ type }) => type === "agent.authorization_signed");
    expect(new Set(signed.map(({ payment }) => JSON.stringify(payment))).size).toBe(2);
    expect(new Set(signed.map(({ requestId }) => requestId)).size).toBe(1);
    const answers = events.filter(({ type }) => type === "agent.response_received");
    expect(answers.map(({ status, payment }) => [status, payment])).toEqual([
      [402, signed[0]?.payment],
      [200, signed[1]?.payment],
    ]);
  });

  it("speaks version 1 as far as that one goes", async () => {
    const offer = {
      scheme: "exact",
      network: "base-sepolia",
      asset: `0x${"aa".repeat(20)}`,
      maxAmountRequired: "5",
      payTo,
      maxTimeoutSeconds: 60,
      resource: "r",
      description: "",
      mimeType: "",
      extra: { name: "USDC", version: "2" },
    };
    const hash = `0x${"ab".repeat(32)}`;
    const old = createServer((request, response) => {
      if (request.headers["x-payment"] === undefined) {
        response.writeHead(402, { "content-type": "application/json" });
        return void response.end(JSON.stringify({ x402Version: 1, accepts: [offer], error: "pay" }));
      }
      const receipt = { success: true, transaction: hash, network: "base-sepolia", payer: "0x" };
      response
        .writeHead(200, { "x-payment-response": Buffer.from(JSON.stringify(receipt)).toString("base64") })
        .end("ok");
    });
    await new Promise<void>((resolve) => old.listen(0, "127.0.0.1", resolve));
    const client = new x402Client()
      .setSpendControls(false)
      .registerV1("base-sepolia", new ExactEvmSchemeV1(market.devnet.account(0)));
    const response = await instrumentFetch(agent, wrapFetchWithPayment)(fetch, client)(
      `http://127.0.0.1:${(old.address() as AddressInfo).port}/x`,
    );
    expect(await response.text()).toBe("ok");
    old.close();
    const events = await told();
    expect(events.map(({ type }) => type)).toEqual(AGENT_STEPS);
    expect(events[3]).toMatchObject({ amount: "5", x402Version: 1, payment: { chainId: 84532, asset: offer.asset } });
    expect(events[5]).toMatchObject({ settled: true, txHash: hash });
  });

  it("lets no option and no emitter of any temper touch the payment", async () => {
    const boom = () => {
      throw new Error("boom");
    };
    const bad = { ...agent, emit: boom };
    const { pay } = agentFetch(market.devnet, 0, bad, {
      labels: boom,
      session: boom,
      requestId: boom,
      processPaymentId: boom,
      requestHeader: true,
    });
    const other = await openShop({ emitter: { ...api, emit: boom }, facilitator: clientOf(market.facilitator), payTo });
    expect((await pay(`${other.url}/reports/1`)).status).toBe(200);
    await other.close();
  });

  it("takes the purchase id from the payment-identifier extension", async () => {
    const other = await openShop({
      emitter: api,
      facilitator: clientOf(market.facilitator),
      payTo,
      extensions: { "payment-identifier": { info: { required: false }, schema: {} } },
    });
    const { pay, client } = agentFetch(market.devnet, 0, agent);
    client.registerExtension({
      key: "payment-identifier",
      enrichPaymentPayload: (payload) =>
        Promise.resolve({
          ...payload,
          extensions: { "payment-identifier": { info: { required: false, id: "purchase-0123456789" }, schema: {} } },
        }),
    });
    expect((await pay(`${other.url}/reports/1`)).status).toBe(200);
    await other.close();
    const named = (await told())
      .filter(({ purchaseId }) => purchaseId === "purchase-0123456789")
      .map(({ type }) => type);
    expect(named.sort()).toEqual([
      "agent.authorization_signed",
      "agent.payment_sent",
      "agent.response_received",
      "api.content_returned",
      "api.transaction_confirmed",
      "api.transaction_submitted",
      "api.verification_started",
    ]);
  });
});

describe("instrumentExpress", () => {
  it("tells a delivery that failed, with the status that the client got and without a settlement", async () => {
    const { pay } = agentFetch(market.devnet, 0, agent);
    expect((await pay(`${shop.url}/broken/1`)).status).toBe(500);
    const events = (await told()).filter(({ kind }) => kind === "api");
    expect(events.map(({ type }) => type)).toEqual([
      "api.payment_demanded",
      "api.verification_started",
      "api.content_returned",
    ]);
    expect(events[2]).toMatchObject({ status: 500, payment: events[1]?.payment });
  });

  it.each([
    [
      "says no with a hash",
      () =>
        Promise.resolve({
          success: false,
          errorReason: "invalid_transaction_state",
          transaction: `0x${"cd".repeat(32)}`,
          network: NETWORK,
        }),
      { errorCode: "invalid_transaction_state", txHash: `0x${"cd".repeat(32)}` },
    ],
    [
      "gives no answer",
      () => Promise.reject(new Error("connect ECONNREFUSED https://user:pass@facilitator.example/settle?key=1")),
      { reason: expect.not.stringContaining("pass") },
    ],
  ])("tells a settlement that failed when the facilitator %s", async (_, settle, expected) => {
    const other = await openShop({
      emitter: api,
      facilitator: clientOf(market.facilitator, { settle } as never),
      payTo,
    });
    const { pay } = agentFetch(market.devnet, 0, agent);
    const response = await pay(`${other.url}/reports/1`);
    expect(response.status).toBe(402);
    await other.close();
    const events = await told();
    const failed = only(events.filter(({ type }) => type === "api.settlement_failed"));
    expect(failed).toMatchObject({ payment: { chainId: 42161 }, ...expected });
    expect(events.filter(({ type }) => type === "api.payment_rejected" || type === "api.content_returned")).toEqual([]);
    expect(only(events.filter(({ type }) => type === "agent.response_received"))).toMatchObject({
      status: 402,
      settled: false,
    });
  });

  it("reads the steps from the headers where the server is out of reach", async () => {
    const app = express();
    const routes = { "GET /r": { accepts: { scheme: "exact", network: NETWORK, payTo, price: "$0.01" } } } as const;
    app.use(
      instrumentExpress(api, paymentMiddlewareFromConfig)(routes, clientOf(market.facilitator), [
        { network: NETWORK, server: new ServerScheme() },
      ]),
    );
    app.get("/r", (_request, response) => void response.send("r"));
    const listening = app.listen(0, "127.0.0.1");
    await new Promise((resolve) => listening.once("listening", resolve));
    const { pay } = agentFetch(market.devnet, 0, agent);
    expect((await pay(`http://127.0.0.1:${(listening.address() as AddressInfo).port}/r`)).status).toBe(200);
    listening.close();
    expect((await told()).filter(({ kind }) => kind === "api").map(({ type }) => type)).toEqual(API_STEPS);
  });

  it("believes no header that is none, and keeps quiet on free routes", async () => {
    await fetch(`${shop.url}/free`, { headers: { "bursar-request": "a/b" } });
    await fetch(`${shop.url}/reports/1`, {
      headers: { "bursar-request": "no slash\u00e9", "payment-signature": "%%%" },
    });
    await fetch(`${shop.url}/reports/2`, { headers: { "bursar-request": "research/r-9" } });
    const events = await told();
    expect(events.map(({ type, requestId, agentId }) => [type, requestId, agentId])).toEqual([
      ["api.payment_rejected", undefined, undefined],
      ["api.payment_demanded", "r-9", "research"],
    ]);
  });
});

describe("instrumentServer and instrumentFacilitator", () => {
  it("tell the steps without Express", async () => {
    const server = instrumentServer(
      api,
      new x402ResourceServer(clientOf(market.facilitator)).register(NETWORK, new ServerScheme()),
      { facilitator: "https://key:secret@facilitator.example/v2?k=1" },
    );
    await server.initialize();
    const [requirements] = await server.buildPaymentRequirements({
      scheme: "exact",
      network: NETWORK,
      payTo,
      price: "$0.01",
    });
    if (requirements === undefined) throw new Error("no requirements");
    const { client } = agentFetch(market.devnet, 0);
    const payload = await client.createPaymentPayload({
      x402Version: 2,
      resource: { url: "http://x/" },
      accepts: [requirements],
    } as never);
    expect((await server.verifyPayment(payload, requirements)).isValid).toBe(true);
    expect((await server.settlePayment(payload, requirements)).success).toBe(true);
    const events = await told();
    expect(events.map(({ type }) => type)).toEqual(API_STEPS.slice(1));
    expect(events[0]?.facilitator).toBe("https://facilitator.example");
  });

  it("tell what an own facilitator does", async () => {
    const own = registerExactEvmScheme(new x402Facilitator(), { signer: market.signer, networks: NETWORK });
    const plain = await openShop({ facilitator: clientOf(instrumentFacilitator(api, own)), payTo });
    expect((await agentFetch(market.devnet, 0).pay(`${plain.url}/reports/1`)).status).toBe(200);
    expect((await agentFetch(market.devnet, 5).pay(`${plain.url}/reports/1`)).status).toBe(402);
    await plain.close();
    const events = await told();
    expect(events.map(({ type }) => type)).toEqual([
      "api.verification_started",
      "api.transaction_submitted",
      "api.transaction_confirmed",
      "api.verification_started",
      "api.payment_rejected",
    ]);
    expect(events[1]).toMatchObject({ facilitator: "self" });
  });
});

describe("whatever the bus does, the paid request goes through", () => {
  it.each([
    ["hangs", { do: "hang" }],
    ["resets connections", { do: "reset" }],
    ["answers 500", { do: "status", status: 500, body: "{}" }],
    ["answers garbage", { do: "status", status: 200, body: "<html>not json", type: "text/html" }],
    ["throttles", { do: "status", status: 400, body: '{"__type":"ThrottlingException"}' }],
    ["denies", { do: "status", status: 400, body: '{"__type":"AccessDeniedException"}' }],
    ["refuses every entry", { do: "entries", error: () => "InternalFailure" }],
  ] as const)("when it %s", async (_, behaviour) => {
    bus.behave(behaviour);
    const { pay } = agentFetch(market.devnet, 0, agent);
    expect((await pay(`${shop.url}/reports/1`)).status).toBe(200);
    expect(await agent.flush(20)).toBe(false);
    bus.behave({ do: "take" });
    if (behaviour.do !== "hang") {
      await bus.until(() => bus.taken.length >= 2);
      expect(new Set((await told()).map(({ type }) => type)).size).toBe(11);
    }
  });

  it("when it is not there at all", async () => {
    await bus.close();
    const { pay } = agentFetch(market.devnet, 0, agent);
    expect((await pay(`${shop.url}/reports/1`)).status).toBe(200);
    expect(await agent.flush(20)).toBe(false);
    bus = await startBus();
  });
});

function groupBy(events: Awaited<ReturnType<typeof told>>) {
  const groups = new Map<unknown, typeof events>();
  for (const event of events) groups.set(event.requestId, [...(groups.get(event.requestId) ?? []), event]);
  return groups;
}
