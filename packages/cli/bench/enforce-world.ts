/** The world of the enforcement bench: agents, their wallets and sessions, and what they and the API say. */
import type { ConfigInput } from "@bursar/events/config";
import type { SessionRef } from "@bursar/sdk";

export const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:111122223333:payment-manager/bench-0000000000";
/** Agents that pay honestly in the background; the others breach, each once. */
export const HONEST = 8;
const AGENTS = 520;
const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const PAY_TO = "0x2222222222222222222222222222222222222222";

export const agentOf = (n: number): string => `agent-${n}`;
const walletOf = (n: number): string => `0x${(n + 0x1000).toString(16).padStart(40, "1")}`;

export const config: ConfigInput = {
  org: "acme",
  agents: Object.fromEntries(
    Array.from({ length: AGENTS }, (_, n) => [
      agentOf(n),
      { wallets: [walletOf(n)], paymentManagerArn: MANAGER, userId: agentOf(n) },
    ]),
  ),
  apis: { reports: { payTo: [PAY_TO] } },
  budgets: [
    { id: "day", scope: { agent: "*" }, window: "day", limitUsd: "50.00", thresholds: [{ at: 1, do: "revoke" }] },
  ],
  limits: { revocationsPerMinute: 10_000 },
};

/** Of one honest payment: six of the agent's and five of the API's. */
export const EVENTS_PER_PAYMENT = 11;

/** Entries of PutEvents, one for each producer. */
export function honestEntries(n: number, session: SessionRef): readonly (readonly object[])[] {
  const at = new Date().toISOString();
  const agent = n % HONEST;
  const payment = paymentOf(agent, n);
  const requestId = `request-${n}`;
  const txHash = `0x${n.toString(16).padStart(64, "a")}`;
  const resource = { url: "https://api.example/reports/q3", method: "GET" };
  const signed = { amount: "10000", payTo: PAY_TO, validBefore: "1995168800" };
  const offer = {
    scheme: "exact",
    network: "eip155:42161",
    asset: USDC,
    amount: "10000",
    payTo: PAY_TO,
    maxTimeoutSeconds: 60,
  };
  const id = (step: number) => `${n}-${step}`;
  const answer = { status: 200, settled: true, txHash, durationMs: 200 };
  return [
    [
      entryOf(`bursar.agent.${agentOf(agent)}`, [
        { type: "agent.request_sent", id: id(1), at, requestId, resource },
        { type: "agent.payment_required", id: id(2), at, requestId, offers: [offer] },
        { type: "agent.authorization_requested", id: id(3), at, requestId, accepted: offer, session },
        {
          type: "agent.authorization_signed",
          id: id(4),
          at,
          payment,
          ...signed,
          accepted: offer,
          requestId,
          session,
        },
        { type: "agent.payment_sent", id: id(5), at, payment, requestId },
        { type: "agent.response_received", id: id(6), at, payment, requestId, ...answer },
      ]),
    ],
    [
      entryOf("bursar.api.reports", [
        { type: "api.payment_demanded", id: id(11), at, resource, offers: [offer], requestId, agentId: agentOf(agent) },
        { type: "api.verification_started", id: id(12), at, payment, ...signed },
        { type: "api.transaction_submitted", id: id(13), at, payment, txHash },
        { type: "api.transaction_confirmed", id: id(14), at, payment, txHash },
        { type: "api.content_returned", id: id(15), at, payment, txHash, status: 200 },
      ]),
    ],
  ];
}

/** The one event that breaches: more is signed for than the agent may spend in a day. */
export function breachingEntry(agent: number, session: SessionRef): object {
  const at = new Date().toISOString();
  const signed = { amount: "60000000", payTo: PAY_TO, validBefore: "1995168800" };
  return entryOf(`bursar.agent.${agentOf(agent)}`, [
    { type: "agent.authorization_signed", id: "breach", at, payment: paymentOf(agent, 0), ...signed, session },
  ]);
}

function paymentOf(agent: number, n: number) {
  const nonce = `0x${n.toString(16).padStart(64, "0")}`;
  return { method: "eip3009", chainId: 42161, asset: USDC, payer: walletOf(agent), nonce };
}

function entryOf(Source: string, events: readonly object[]) {
  return { Source, DetailType: "payment.events.v1", Detail: JSON.stringify({ version: 1, events }) };
}
