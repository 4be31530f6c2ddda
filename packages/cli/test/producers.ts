/** Events as producers send them, and the unmodified client that sends them. */
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";

export const WALLET = "0x1111111111111111111111111111111111111111";
export const PAY_TO = "0x2222222222222222222222222222222222222222";
export const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
export const AT = "2026-11-20T10:00:00.000Z";

/** A payment key; `n` makes the nonce. */
export function keyOf(n: number, payer = WALLET) {
  return { method: "eip3009", chainId: 42161, asset: USDC, payer, nonce: `0x${n.toString(16).padStart(64, "0")}` };
}

export const idOf = (n: number, payer = WALLET) => `eip3009:42161:${USDC}:${payer}:${keyOf(n).nonce}`;
export const hashOf = (n: number) => `0x${(n + 1).toString(16).padStart(64, "a")}`;

/** What an agent says of payment `n`: five steps. */
export function agentEvents(n: number, payer = WALLET): Record<string, unknown>[] {
  const payment = keyOf(n, payer);
  const requestId = `req-${n}`;
  const at = AT;
  return [
    {
      type: "agent.request_sent",
      id: `a${n}-1`,
      at,
      requestId,
      resource: { url: "https://api.example/r", method: "GET" },
    },
    {
      type: "agent.authorization_signed",
      id: `a${n}-2`,
      at,
      payment,
      amount: "10000",
      payTo: PAY_TO,
      validBefore: "1795168800",
      requestId,
    },
    { type: "agent.payment_sent", id: `a${n}-3`, at, payment },
    { type: "agent.response_received", id: `a${n}-4`, at, payment, status: 200, settled: true, txHash: hashOf(n) },
  ];
}

/** What an API says of payment `n`: four steps. */
export function apiEvents(n: number, payer = WALLET): Record<string, unknown>[] {
  const payment = keyOf(n, payer);
  const at = AT;
  return [
    {
      type: "api.verification_started",
      id: `p${n}-1`,
      at,
      payment,
      amount: "10000",
      payTo: PAY_TO,
      validBefore: "1795168800",
    },
    { type: "api.transaction_submitted", id: `p${n}-2`, at, payment, txHash: hashOf(n) },
    { type: "api.transaction_confirmed", id: `p${n}-3`, at, payment, txHash: hashOf(n) },
    { type: "api.content_returned", id: `p${n}-4`, at, payment, status: 200 },
  ];
}

export function detailOf(events: readonly unknown[]): string {
  return JSON.stringify({ version: 1, events });
}

export function entryOf(source: string, events: readonly unknown[]) {
  return { Source: source, DetailType: "payment.events.v1", Detail: detailOf(events) };
}

/** An unmodified client of AWS's SDK. */
export function clientOf(url: string): EventBridgeClient {
  return new EventBridgeClient({
    endpoint: `${url}/aws/events`,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
    maxAttempts: 1,
  });
}

export function put(client: EventBridgeClient, entries: ReturnType<typeof entryOf>[]) {
  return client.send(new PutEventsCommand({ Entries: entries }));
}
