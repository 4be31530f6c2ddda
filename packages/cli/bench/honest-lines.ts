/** Lines of honest payments for benchmarks: the thirteen events that agent, API and chain tell of one payment. */
import { randomBytes } from "node:crypto";

const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const PAYER = "0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766";
const PAY_TO = "0x112214280ed150cada4c62658145e45546d2b02d";
const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1";

export const EVENTS_PER_PAYMENT = 13;

export const benchConfig = {
  org: "acme",
  agents: { research: { wallets: [PAYER] } },
  apis: { reports: { payTo: [PAY_TO] } },
  budgets: [{ id: "research-day", scope: { agent: "research" }, window: "day" as const, limitUsd: "5.00" }],
};

/** The lines of `count` payments, each event an entry of its own, told in the order of time. */
export function honestLines(count: number): string[] {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const payment = { method: "eip3009", chainId: 42161, asset: USDC, payer: PAYER, nonce: hex() };
    const txHash = hex();
    const requestId = `req-${i}`;
    const purchaseId = `purchase-${i}`;
    const second = Math.floor(i / 100);
    const at = (ms: number) => new Date(Date.UTC(2026, 10, 20, 10, 0, second) + ms).toISOString();
    const offer = {
      scheme: "exact",
      network: "eip155:42161",
      asset: USDC,
      amount: "1000",
      payTo: PAY_TO,
      maxTimeoutSeconds: 60,
    };
    const resource = { url: "https://reports.example.com/q3", method: "GET" };
    const session = { managerArn: MANAGER, sessionId: `session-${i % 50}`, userId: "research" };
    const claim = { payment, amount: "1000", payTo: PAY_TO, validBefore: "1795172400", purchaseId };
    const tell = (source: string, type: string, ms: number, fields: object) => {
      const event = { id: `${i}-${type}`, type, at: at(ms), ...fields };
      lines.push(
        JSON.stringify({
          id: `${i}`,
          source,
          "detail-type": "payment.events.v1",
          detail: { version: 1, events: [event] },
        }),
      );
    };
    const agent = (type: string, ms: number, fields: object) =>
      tell("bursar.agent.research", `agent.${type}`, ms, { requestId, ...fields });
    const api = (type: string, ms: number, fields: object) => tell("bursar.api.reports", `api.${type}`, ms, fields);
    agent("request_sent", 0, { resource, purchaseId });
    api("payment_demanded", 100, { resource, offers: [offer] });
    agent("payment_required", 200, { offers: [offer] });
    agent("authorization_requested", 300, { accepted: offer, session });
    agent("authorization_signed", 500, { ...claim, session });
    agent("payment_sent", 600, { payment });
    api("verification_started", 700, { ...claim, scheme: "exact" });
    api("transaction_submitted", 800, { payment, txHash });
    const block = {
      txHash,
      logIndex: 1,
      blockNumber: 1000 + i,
      blockHash: hex(),
      payee: PAY_TO,
      amount: "1000",
      sharedBy: 1,
      seq: 1,
    };
    tell("bursar.chain", "chain.settled", 900, { payment, ...block });
    api("transaction_confirmed", 950, { payment, txHash });
    api("content_returned", 960, { payment, status: 200 });
    agent("response_received", 990, { payment, status: 200, settled: true, txHash });
    tell("bursar.chain", "chain.heads", 999, { chainId: 42161, latest: 1000 + i, safe: 1000 + i, final: 1000 + i });
  }
  return lines;
}

const hex = (): string => `0x${randomBytes(32).toString("hex")}`;
