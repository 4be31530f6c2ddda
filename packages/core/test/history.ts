/** Random histories: a few agents, APIs, wallets, requests and hashes, so that everything collides with everything. */

import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import { parseEvent } from "@bursar/events/envelope";
import type { Source } from "@bursar/events/source";
import fc from "fast-check";

const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const hex = (digit: string, length: number) => `0x${digit.repeat(length)}`;
const ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1";

export const WALLETS = [hex("a", 40), hex("b", 40), hex("c", 40)];
export const PAYEES = [hex("1", 40), hex("2", 40), hex("3", 40)];
const HASHES = ["4", "5", "6"].map((digit) => hex(digit, 64));
const NONCES = ["7", "8"].map((digit) => hex(digit, 64));
const BLOCKS = ["9", "d"].map((digit) => hex(digit, 64));

/** research and trader own wallets, writer owns none that is configured; the third payee is nobody's. */
export const config = parseConfig({
  org: "acme",
  agents: {
    research: { wallets: [WALLETS[0] ?? ""] },
    trader: { wallets: [WALLETS[1] ?? ""], labels: { team: "desk" } },
    writer: {},
  },
  apis: { reports: { payTo: [PAYEES[0] ?? ""] }, quotes: { payTo: [PAYEES[1] ?? ""] } },
  budgets: [
    { id: "agents", scope: { agent: "*" }, window: "day", limitUsd: "5.00" },
    { id: "org", scope: { org: "*" }, window: "month", limitUsd: "5.00" },
    { id: "sessions", scope: { session: "*" }, window: "total", limitUsd: "5.00" },
    { id: "payees", scope: { payee: "*" }, window: "hour", limitUsd: "5.00" },
    { id: "desk", scope: { label: "team=desk" }, window: "week", limitUsd: "5.00" },
    { id: "x", scope: { label: "team=x" }, window: "week", limitUsd: "5.00" },
    { id: "wallets", scope: { wallet: "*" }, window: "day", limitUsd: "5.00" },
    { id: "apis", scope: { api: "*" }, window: "day", limitUsd: "5.00" },
  ],
});

const one = <T>(...values: T[]) => fc.constantFrom(...values);
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined });
const at = fc.integer({ min: 0, max: 20 }).map((s) => new Date(Date.UTC(2026, 10, 20, 10, 0, s)).toISOString());
const nonce = fc.record({ payer: one(...WALLETS), nonce: one(...NONCES) });
const payment = nonce.map((key) => ({ method: "eip3009", chainId: 42161, asset: USDC, ...key }));
const hash = one(...HASHES);
const requestId = one("r1", "r2");
const amount = one("1", "2", "5", "100");
const payTo = one(...PAYEES);
const session = maybe(one("s1", "s2").map((sessionId) => ({ managerArn: ARN, sessionId, userId: "u" })));
const offer = fc
  .record({ amount, payTo, scheme: one("exact", "upto") })
  .map((o) => ({ network: "eip155:42161", asset: USDC, maxTimeoutSeconds: 60, ...o }));
const validBefore = one("1795172400", "1795172500", "1795172600");
const common = { requestId: maybe(requestId), purchaseId: maybe(one("p1")), txHash: maybe(hash) };
const status = one(200, 402, 500);
const resource = fc.constant({ url: "https://reports.example.com/q3", method: "GET" });

const type = <T extends string>(name: T, fields: Record<string, fc.Arbitrary<unknown>>) =>
  fc.record({ type: fc.constant(name), at, ...fields });
const agentEvent = fc.oneof(
  type("agent.request_sent", { requestId, resource, labels: maybe(one({ team: "desk" }, { team: "x" })) }),
  type("agent.payment_required", { requestId, offers: fc.array(offer, { minLength: 1, maxLength: 2 }) }),
  type("agent.authorization_requested", { requestId, accepted: offer, session }),
  type("agent.authorization_signed", {
    ...common,
    payment,
    amount,
    payTo,
    validBefore,
    session,
    accepted: maybe(offer),
  }),
  type("agent.payment_sent", { ...common, payment }),
  type("agent.response_received", { ...common, payment: maybe(payment), status, settled: one(true, false, null) }),
  type("agent.payment_failed", {
    requestId: maybe(requestId),
    payment: maybe(payment),
    reason: one("other", "rejected"),
    message: one("no"),
  }),
  type("agent.from_the_future", { ...common, payment: maybe(payment) }),
);
const api = { ...common, agentId: maybe(one("research", "writer")) };
const apiEvent = fc.oneof(
  type("api.payment_demanded", { ...api, resource, offers: fc.array(offer, { maxLength: 1 }) }),
  type("api.verification_started", {
    ...api,
    payment,
    amount,
    payTo,
    validBefore,
    scheme: maybe(one("exact", "upto")),
  }),
  type("api.transaction_submitted", { ...api, payment, txHash: hash }),
  type("api.transaction_confirmed", { ...api, txHash: hash, payment: maybe(payment) }),
  type("api.content_returned", { ...api, payment: maybe(payment), status }),
  type("api.payment_rejected", { ...api, payment: maybe(payment), reason: one("bad signature") }),
  type("api.settlement_failed", { ...api, payment, reason: one("timeout") }),
);
const log = {
  txHash: hash,
  logIndex: one(1, 3),
  blockHash: one(...BLOCKS),
  seq: maybe(fc.integer({ min: 0, max: 4 })),
};
const block = { blockNumber: one(7, 8, 9), payee: payTo, amount };
const chainEvent = fc.oneof(
  { weight: 4, arbitrary: type("chain.settled", { payment, ...log, ...block, sharedBy: one(1, 2) }) },
  { weight: 2, arbitrary: type("chain.orphaned", { payment, ...log }) },
  type("chain.transferred", {
    chainId: fc.constant(42161),
    ...log,
    ...block,
    asset: fc.constant(USDC),
    payer: one(...WALLETS),
  }),
  type("chain.reverted", {
    chainId: fc.constant(42161),
    txHash: hash,
    blockNumber: one(7, 8),
    reason: maybe(one("no")),
  }),
  type("chain.expired", { payment, blockNumber: one(9), validBefore }),
  type("chain.cancelled", { payment, txHash: hash, blockNumber: one(9) }),
  type("chain.heads", { chainId: fc.constant(42161), latest: one(8, 9), safe: one(7, 8), final: one(6, 7) }),
);
const revoked = type("session.revoked", {
  session: one("s1", "s2").map((sessionId) => ({ managerArn: ARN, sessionId })),
});

const source = <S extends Source, E>(kind: fc.Arbitrary<S>, event: fc.Arbitrary<E>) => fc.tuple(kind, event);
const said = fc.oneof(
  {
    weight: 5,
    arbitrary: source(
      one<Source>(
        { kind: "agent", id: "research" },
        { kind: "agent", id: "trader" },
        { kind: "agent", id: "writer" },
        { kind: "agent", id: "stray" },
      ),
      agentEvent,
    ),
  },
  {
    weight: 4,
    arbitrary: source(
      one<Source>({ kind: "api", id: "reports" }, { kind: "api", id: "quotes" }, { kind: "api", id: "other" }),
      apiEvent,
    ),
  },
  { weight: 3, arbitrary: source(one<Source>({ kind: "chain" }), chainEvent) },
  { weight: 1, arbitrary: source(one<Source>({ kind: "govern" }), revoked) },
);

/** One event of a random history, parsed as at the edge. */
export const told: fc.Arbitrary<Told> = said
  .map(([source, raw]): Told | null => tell(source, raw as object))
  .filter((one): one is Told => one !== null);

/** An event as the edge takes it; null where it would be quarantined. */
export function tell(source: Source, raw: object): Told | null {
  const event = parseEvent(JSON.parse(JSON.stringify({ id: "e", ...raw })), source);
  return typeof event === "string" ? null : { source, event };
}

export const history = (maxLength: number) => fc.array(told, { minLength: 1, maxLength });

/** Events of payments as their owners and the chain tell them: what moves the books and names sessions, and little else. */
const spender = one(["research", 0], ["trader", 1], ["writer", 2]) as fc.Arbitrary<readonly [string, number]>;
const spending = fc
  .record({
    spender,
    nonce: one(...NONCES),
    payee: one(0, 1, 2),
    amount,
    at,
    // Mostly a session of one's own; now and then one that another names too.
    sessionId: one("own-1", "own-1", "own-2", "shared"),
    seq: fc.integer({ min: 0, max: 4 }),
    step: one("request", "signed", "signed", "signed", "verified", "settled", "settled", "orphaned", "expired"),
  })
  .map(({ spender: [id, index], nonce, payee, step, seq, ...rest }): Told | null => {
    const payment = { method: "eip3009", chainId: 42161, asset: USDC, payer: WALLETS[index], nonce };
    const claim = { payment, amount: rest.amount, payTo: PAYEES[payee], validBefore: "1795172500" };
    const where = { payment, txHash: HASHES[payee], logIndex: 1, blockHash: BLOCKS[0], seq };
    const requestId = `r-${id}`;
    const agent: Source = { kind: "agent", id };
    const api: Source = { kind: "api", id: ["reports", "quotes", "other"][payee] as string };
    const sessionId = rest.sessionId === "shared" ? "shared" : `${id}-${rest.sessionId}`;
    const said: { readonly [step: string]: readonly [Source, object] } = {
      request: [
        agent,
        {
          type: "agent.request_sent",
          requestId,
          resource: { url: "https://reports.example.com/q3", method: "GET" },
          labels: { team: "x" },
        },
      ],
      signed: [
        agent,
        {
          type: "agent.authorization_signed",
          requestId,
          ...claim,
          session: { managerArn: ARN, sessionId, userId: USERS.get(sessionId) ?? id },
        },
      ],
      verified: [api, { type: "api.verification_started", ...claim }],
      settled: [
        { kind: "chain" },
        { type: "chain.settled", ...where, blockNumber: 7, payee: PAYEES[payee], amount: rest.amount, sharedBy: 1 },
      ],
      orphaned: [{ kind: "chain" }, { type: "chain.orphaned", ...where }],
      expired: [{ kind: "chain" }, { type: "chain.expired", payment, blockNumber: 9, validBefore: "1795172600" }],
    };
    const [source, event] = said[step] as readonly [Source, object];
    return tell(source, { at: rest.at, ...event });
  })
  .filter((one): one is Told => one !== null);

/** Users of the sessions that `spending` names, where they are not their agent. */
const USERS = new Map([["shared", "research"]]);
export const SESSIONS = ["research", "trader", "writer"].flatMap((id) => [
  { managerArn: ARN, sessionId: `${id}-own-1`, userId: id },
  { managerArn: ARN, sessionId: `${id}-own-2`, userId: id },
]);
export const SHARED = { managerArn: ARN, sessionId: "shared", userId: "research" };

export const spendings = (maxLength: number) =>
  fc.array(fc.oneof({ weight: 9, arbitrary: spending }, { weight: 1, arbitrary: told }), { minLength: 1, maxLength });
