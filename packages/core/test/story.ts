/** Words for telling stories in tests: agents, APIs, the chain, and what they say about payments. */

import type { Config } from "@bursar/events/config-schema";
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Payment } from "@bursar/events/shapes";
import type { Source } from "@bursar/events/source";
import { correlate } from "../src/correlate.ts";
import { eachPayment } from "../src/lists.ts";
import { worldOf } from "../src/world.ts";
import { tell } from "./history.ts";
import { memoryStore } from "./memory-store.ts";

export const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
export const ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1";
const address = (digit: string) => `0x${digit.repeat(40)}`;
export const hash = (digit: string) => `0x${digit.repeat(64)}`;
export const wallet = { research: address("a"), trader: address("b"), nobody: address("c") };
export const payTo = { reports: address("1"), quotes: address("2"), stranger: address("3") };

export const config: Config = parseConfig({
  org: "acme",
  agents: {
    research: { wallets: [wallet.research], labels: { team: "growth" } },
    trader: { wallets: [wallet.trader] },
    drifter: {},
  },
  apis: { reports: { payTo: [payTo.reports] }, quotes: { payTo: [payTo.quotes] } },
  budgets: [{ id: "agents", scope: { agent: "*" }, window: "day", limitUsd: "5.00" }],
});

/** Seconds after ten o'clock. */
export const at = (seconds: number): string =>
  new Date(Date.UTC(2026, 10, 20, 10, 0, 0) + seconds * 1000).toISOString();
export const LATE = at(3600);

export const key = (nonce: string, payer = wallet.research, chainId = 42161, asset = USDC) => ({
  method: "eip3009",
  chainId,
  asset,
  payer,
  nonce: hash(nonce),
});
export const idOf = (nonce: string, payer = wallet.research) => `eip3009:42161:${USDC}:${payer}:${hash(nonce)}`;

const say = (source: Source, type: string, seconds: number, fields: object): Told => {
  const told = tell(source, { type, at: at(seconds), ...fields });
  if (told === null) throw new Error(`${type} is no event: ${JSON.stringify(fields)}`);
  return told;
};

export const agent = (id: string) => (type: string, seconds: number, fields: object) =>
  say({ kind: "agent", id }, `agent.${type}`, seconds, fields);
export const api = (id: string) => (type: string, seconds: number, fields: object) =>
  say({ kind: "api", id }, `api.${type}`, seconds, fields);
export const chain = (type: string, seconds: number, fields: object) =>
  say({ kind: "chain" }, `chain.${type}`, seconds, fields);
export const revoked = (sessionId: string, seconds: number) =>
  say({ kind: "govern" }, "session.revoked", seconds, { session: { managerArn: ARN, sessionId } });

export const offer = (amount = "1000", to = payTo.reports) => ({
  scheme: "exact",
  network: "eip155:42161",
  asset: USDC,
  amount,
  payTo: to,
  maxTimeoutSeconds: 60,
});
export const session = (sessionId: string) => ({ managerArn: ARN, sessionId, userId: "u" });

const UNTIL = "1795172400";
export const signed = (nonce: string, seconds: number, fields: object = {}, by = "research", payer = wallet.research) =>
  agent(by)("authorization_signed", seconds, {
    payment: key(nonce, payer),
    amount: "1000",
    payTo: payTo.reports,
    validBefore: UNTIL,
    ...fields,
  });
export const verified = (
  nonce: string,
  seconds: number,
  fields: object = {},
  by = "reports",
  payer = wallet.research,
) =>
  api(by)("verification_started", seconds, {
    payment: key(nonce, payer),
    amount: "1000",
    payTo: payTo.reports,
    validBefore: UNTIL,
    ...fields,
  });
export const answered = (
  nonce: string,
  seconds: number,
  fields: object = {},
  by = "research",
  payer = wallet.research,
) => agent(by)("response_received", seconds, { payment: key(nonce, payer), status: 200, settled: true, ...fields });
export const returned = (
  nonce: string,
  seconds: number,
  fields: object = {},
  by = "reports",
  payer = wallet.research,
) => api(by)("content_returned", seconds, { payment: key(nonce, payer), status: 200, ...fields });
export const settled = (nonce: string, tx: string, seconds: number, fields: object = {}, payer = wallet.research) =>
  chain("settled", seconds, {
    payment: key(nonce, payer),
    txHash: hash(tx),
    logIndex: 1,
    blockNumber: 100 + seconds,
    blockHash: hash("9"),
    payee: payTo.reports,
    amount: "1000",
    sharedBy: 1,
    ...fields,
  });
export const transferred = (tx: string, logIndex: number, seconds: number, fields: object = {}) =>
  chain("transferred", seconds, {
    chainId: 42161,
    txHash: hash(tx),
    logIndex,
    blockNumber: 100 + seconds,
    blockHash: hash("9"),
    asset: USDC,
    payer: wallet.research,
    payee: payTo.reports,
    amount: "1000",
    ...fields,
  });

/** A payment as everybody tells it. */
export const honest = (nonce: string, tx: string): Told[] => [
  signed(nonce, 0, { session: session("s1") }),
  agent("research")("payment_sent", 1, { payment: key(nonce) }),
  verified(nonce, 1),
  api("reports")("transaction_submitted", 2, { payment: key(nonce), txHash: hash(tx) }),
  settled(nonce, tx, 3),
  api("reports")("transaction_confirmed", 4, { payment: key(nonce), txHash: hash(tx) }),
  returned(nonce, 4),
  answered(nonce, 5, { txHash: hash(tx) }),
];

/** What a story comes to at `now`; told forwards and backwards, one by one. */
export async function outcome(story: readonly Told[], now = LATE, using: Config = config): Promise<Payment[]> {
  const tellings = [story, [...story].reverse()].map(async (lines) => {
    const store = memoryStore();
    const heads = new Map();
    const world = worldOf(using, heads);
    for (const one of lines)
      for (const [id, head] of (await correlate(store, world, [one], now)).heads) heads.set(id, head);
    const payments: Payment[] = [];
    for await (const { payment } of eachPayment(store, world, now, null, null)) payments.push(payment);
    return payments;
  });
  const [forwards, backwards] = await Promise.all(tellings);
  if (JSON.stringify(forwards) !== JSON.stringify(backwards))
    throw new Error(`order shows: ${JSON.stringify(forwards)} and ${JSON.stringify(backwards)}`);
  return forwards ?? [];
}

/** `<state> <verdict> [<breaks>]` of each payment. */
export async function verdicts(story: readonly Told[], now = LATE, using: Config = config): Promise<string[]> {
  return (await outcome(story, now, using)).map(
    ({ state, verdict, breaks }) => `${state} ${verdict}${breaks.length === 0 ? "" : ` ${breaks.join(" ")}`}`,
  );
}
