/** One least event of every type: all that its row of the contract requires, and nothing else. */
import type { EventInput, EventType } from "../src/contract.ts";
import { parseSource, type Source } from "../src/source.ts";

export const ASSET = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
export const PAYER = "0xe3ce20fdca4ca5aaa1f93d55825c54ef6b724766";
export const PAY_TO = "0x112214280ed150cada4c62658145e45546d2b02d";
export const NONCE = `0x${"7a".repeat(32)}`;
export const HASH = `0x${"b1".repeat(32)}`;
export const BLOCK_HASH = `0x${"c2".repeat(32)}`;
export const AT = "2026-11-20T10:00:00.000Z";

export const payment = { method: "eip3009", chainId: 42161, asset: ASSET, payer: PAYER, nonce: NONCE } as const;
export const offer = {
  scheme: "exact",
  network: "eip155:42161",
  asset: ASSET,
  amount: "1000000",
  payTo: PAY_TO,
  maxTimeoutSeconds: 60,
};
const resource = { url: "https://reports.example.com/q3", method: "GET" };
const session = {
  managerArn: "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1",
  sessionId: "s-1",
};
const head = { id: "e-1", at: AT };
const log = { txHash: HASH, logIndex: 3, blockHash: BLOCK_HASH };

export const least: { readonly [Type in EventType]: Extract<EventInput, { type: Type }> } = {
  "agent.request_sent": { ...head, type: "agent.request_sent", requestId: "r-1", resource },
  "agent.payment_required": { ...head, type: "agent.payment_required", requestId: "r-1", offers: [offer] },
  "agent.authorization_requested": {
    ...head,
    type: "agent.authorization_requested",
    requestId: "r-1",
    accepted: offer,
  },
  "agent.authorization_signed": {
    ...head,
    type: "agent.authorization_signed",
    payment,
    amount: "1000000",
    payTo: PAY_TO,
    validBefore: "1795172400",
  },
  "agent.payment_sent": { ...head, type: "agent.payment_sent", payment },
  "agent.response_received": { ...head, type: "agent.response_received", requestId: "r-1", status: 200, settled: null },
  "agent.payment_failed": { ...head, type: "agent.payment_failed", requestId: "r-1", reason: "other", message: "" },
  "api.payment_demanded": { ...head, type: "api.payment_demanded", resource, offers: [offer] },
  "api.verification_started": {
    ...head,
    type: "api.verification_started",
    payment,
    amount: "1000000",
    payTo: PAY_TO,
    validBefore: "1795172400",
  },
  "api.transaction_submitted": { ...head, type: "api.transaction_submitted", payment, txHash: HASH },
  "api.transaction_confirmed": { ...head, type: "api.transaction_confirmed", txHash: HASH },
  "api.content_returned": { ...head, type: "api.content_returned", txHash: HASH, status: 200 },
  "api.payment_rejected": { ...head, type: "api.payment_rejected", reason: "invalid_signature" },
  "api.settlement_failed": { ...head, type: "api.settlement_failed", payment, reason: "timeout" },
  "chain.settled": {
    ...head,
    ...log,
    type: "chain.settled",
    payment,
    blockNumber: 400_000_000,
    payee: PAY_TO,
    amount: "1000000",
    sharedBy: 1,
  },
  "chain.transferred": {
    ...head,
    ...log,
    type: "chain.transferred",
    chainId: 42161,
    blockNumber: 400_000_000,
    asset: ASSET,
    payer: PAYER,
    payee: PAY_TO,
    amount: "1000000",
  },
  "chain.orphaned": { ...head, ...log, type: "chain.orphaned", payment },
  "chain.reverted": { ...head, type: "chain.reverted", chainId: 42161, txHash: HASH, blockNumber: 400_000_000 },
  "chain.expired": { ...head, type: "chain.expired", payment, blockNumber: 400_000_000, validBefore: "1795172400" },
  "chain.cancelled": { ...head, type: "chain.cancelled", payment, txHash: HASH, blockNumber: 400_000_000 },
  "chain.heads": { ...head, type: "chain.heads", chainId: 42161, latest: 3, safe: 2, final: 1 },
  "session.revoked": { ...head, type: "session.revoked", session },
};

export const samples = Object.values(least);

/** The name of who may assert a type. */
export function sourceNameOf(type: string): string {
  if (type.startsWith("agent.")) return "bursar.agent.research";
  if (type.startsWith("api.")) return "bursar.api.reports";
  return type.startsWith("chain.") ? "bursar.chain" : "bursar.govern";
}

export function sourceOf(type: string): Source {
  return parseSource(sourceNameOf(type)) as Source;
}

/** An EventBridge event round these, by whoever may assert the first. */
export function entryOf(events: readonly unknown[], source = "bursar.agent.research"): Record<string, unknown> {
  return {
    version: "0",
    id: "env-1",
    source,
    "detail-type": "payment.events.v1",
    time: "2026-11-20T10:00:00Z",
    detail: { version: 1, sdk: { name: "@bursar/sdk", version: "0.1.0" }, events },
  };
}
