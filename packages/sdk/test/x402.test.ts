import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { createEmitter, type Emitter } from "../src/index.ts";
import { type Bus, startBus } from "./bus.ts";
import { agentFetch, clientOf, type Market, openShop, PRICE, type Shop, startMarket } from "./market.ts";

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
  return bus.told().map(({ source, event }) => ({ kind: source.kind, ...event }) as Record<string, unknown> & { type: string });
}

const session = { managerArn: "arn:aws:bedrock-agentcore:eu-west-1:1:payment-manager/m", sessionId: "s-1", userId: "research" };

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
    expect(events.filter(({ kind }) => kind === "agent").map(({ type }) => type)).toEqual([
      "agent.request_sent",
      "agent.payment_required",
      "agent.authorization_requested",
      "agent.authorization_signed",
      "agent.payment_sent",
      "agent.response_received",
    ]);
    expect(events.filter(({ kind }) => kind === "api").map(({ type }) => type)).toEqual([
      "api.payment_demanded",
      "api.verification_started",
      "api.transaction_submitted",
      "api.transaction_confirmed",
      "api.content_returned",
    ]);
    const signed = of("agent.authorization_signed")[0] as Record<string, never>;
    const payment = {
      method: "eip3009",
      chainId: 42161,
      asset: market.devnet.usdc,
      payer: market.devnet.account(0).address.toLowerCase(),
      nonce: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    };
    const offer = { scheme: "exact", network: "eip155:42161", asset: market.devnet.usdc, amount: PRICE, payTo, maxTimeoutSeconds: 60 };
    const resource = { url: `${shop.url}/reports/7`, method: "GET" };
    const hash = expect.stringMatching(/^0x[0-9a-f]{64}$/);
    const id = { id: expect.any(String), at: expect.stringMatching(/^\d{4}-.*\.\d{3}Z$/), requestId: "req-1" };
    expect(of("agent.request_sent")).toEqual([{ kind: "agent", type: "agent.request_sent", ...id, resource, labels: { team: "growth" } }]);
    expect(of("agent.payment_required")).toEqual([{ kind: "agent", type: "agent.payment_required", ...id, offers: [offer] }]);
    expect(of("agent.authorization_requested")).toEqual([{ kind: "agent", type: "agent.authorization_requested", ...id, accepted: offer, session }]);
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
    expect(of("agent.response_received")).toEqual([{ kind: "agent", type: "agent.response_received", ...id, payment: key, ...answer }]);
    const theirs = { kind: "api", ...id, agentId: "research" };
    expect(of("api.payment_demanded")).toEqual([{ ...theirs, type: "api.payment_demanded", resource, offers: [offer] }]);
    expect(of("api.verification_started")).toEqual([
      { ...theirs, type: "api.verification_started", payment: key, amount: PRICE, payTo, validBefore: signed.validBefore, scheme: "exact" },
    ]);
    const txHash = of("agent.response_received")[0]?.txHash;
    expect(of("api.transaction_submitted")).toEqual([{ ...theirs, type: "api.transaction_submitted", payment: key, txHash }]);
    expect(of("api.transaction_confirmed")).toEqual([{ ...theirs, type: "api.transaction_confirmed", payment: key, txHash }]);
    expect(of("api.content_returned")).toEqual([{ ...theirs, type: "api.content_returned", payment: key, txHash, status: 200 }]);
  });
});
