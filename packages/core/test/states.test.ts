/** The design's section 4 as stories: given these facts, in either order, then this state, this verdict, these breaks. */

import type { Told } from "@bursar/events/envelope";
import { describe, expect, test } from "vitest";
import {
  agent,
  answered,
  api,
  at,
  chain,
  hash,
  honest,
  idOf,
  key,
  LATE,
  offer,
  outcome,
  payTo,
  returned,
  revoked,
  session,
  settled,
  signed,
  transferred,
  USDC,
  verdicts,
  verified,
  wallet,
} from "./story.ts";

const research = agent("research");
const reports = api("reports");
const heads = (latest: number, safe: number, final: number) =>
  chain("heads", 9, { chainId: 42161, latest, safe, final });
const expired = (nonce: string, validBefore = "1795172400") =>
  chain("expired", 60, { payment: key(nonce), blockNumber: 200, validBefore });
const orphaned = (nonce: string, tx: string, fields: object = {}) =>
  chain("orphaned", 30, { payment: key(nonce), txHash: hash(tx), logIndex: 1, blockHash: hash("9"), ...fields });
const submitted = (nonce: string, tx: string, seconds: number) =>
  reports("transaction_submitted", seconds, { payment: key(nonce), txHash: hash(tx) });
const reverted = (tx: string, seconds: number) =>
  chain("reverted", seconds, { chainId: 42161, txHash: hash(tx), blockNumber: 103 });
const without = (story: Told[], prefix: string) => story.filter(({ event }) => !event.type.startsWith(prefix));

const table: Record<string, [Told[], string[], string?]> = {
  "everybody tells the same": [honest("7", "4"), ["settled matched"]],
  "settled in a safe block": [[...honest("7", "4"), heads(110, 105, 102)], ["safe matched"]],
  "settled in a final block": [[...honest("7", "4"), heads(110, 105, 103)], ["final matched"]],
  "signed and nothing else": [[signed("7", 0)], ["signed pending"]],
  "a timeout is never a state": [
    [signed("7", 0), research("payment_failed", 9, { payment: key("7"), reason: "other", message: "timeout" })],
    ["signed pending"],
  ],
  "a claimed hash": [[signed("7", 0), submitted("7", "4", 2)], ["submitted pending"], at(60)],
  "a claimed hash that never shows": [
    [signed("7", 0), submitted("7", "4", 2)],
    ["submitted break not_on_chain"],
    at(122),
  ],
  "a deadline passes when now reaches it, not before": [
    [signed("7", 0), submitted("7", "4", 2)],
    ["submitted pending"],
    at(121.999),
  ],
  "reverted: signed again": [[signed("7", 0), submitted("7", "4", 2), reverted("4", 3)], ["signed break reverted"]],
  "reverted, a retry in flight": [
    [signed("7", 0), submitted("7", "4", 2), reverted("4", 3), submitted("7", "5", 9)],
    ["submitted break reverted"],
    at(20),
  ],
  "reverted, then settled": [[...honest("7", "4"), submitted("7", "5", 1), reverted("5", 2)], ["settled matched"]],
  "a revert of a hash that only a stranger claims": [
    [signed("7", 0), agent("trader")("payment_sent", 1, { payment: key("7"), txHash: hash("5") }), reverted("5", 2)],
    ["signed break foreign_wallet"],
  ],
  "expired by the chain's word": [[signed("7", 0), expired("7")], ["expired matched"]],
  "not expired while a greater claim is known": [
    [signed("7", 0, { validBefore: "1795172401" }), expired("7")],
    ["signed pending"],
  ],
  "a stranger's greater claim holds nothing open": [
    [signed("7", 0), expired("7"), signed("7", 1, { validBefore: "1795999999" }, "trader")],
    ["expired break foreign_wallet"],
  ],
  "cancelled outranks expired": [
    [signed("7", 0), expired("7"), chain("cancelled", 9, { payment: key("7"), txHash: hash("5"), blockNumber: 103 })],
    ["cancelled matched"],
  ],
  "settled outranks cancelled": [
    [...honest("7", "4"), chain("cancelled", 9, { payment: key("7"), txHash: hash("5"), blockNumber: 103 })],
    ["settled matched"],
  ],
  "orphaned: back to what was claimed": [
    [signed("7", 0), settled("7", "4", 3), orphaned("7", "4")],
    ["signed pending"],
  ],
  "orphaned by seq, settled again by a higher one": [
    [
      ...honest("7", "4").filter(({ event }) => event.type !== "chain.settled"),
      settled("7", "4", 3, { seq: 1 }),
      orphaned("7", "4", { seq: 2 }),
      settled("7", "4", 9, { seq: 3 }),
    ],
    ["settled matched"],
  ],
  "on a tie of seq orphaned wins": [
    [signed("7", 0), settled("7", "4", 3, { seq: 2 }), orphaned("7", "4", { seq: 2 })],
    ["signed pending"],
  ],
  "orphaned without seq takes its own block only": [
    [...honest("7", "4"), orphaned("7", "4", { blockHash: hash("8") })],
    ["settled matched"],
  ],

  "orphaned without seq: what stood before stands again": [
    [
      ...honest("7", "4").filter(({ event }) => event.type !== "chain.settled"),
      settled("7", "4", 3, { seq: 1, blockHash: hash("8") }),
      settled("7", "4", 5, { seq: 3 }),
      orphaned("7", "4"),
    ],
    ["settled matched"],
  ],
  "orphaned, and the same transaction reverts": [
    [signed("7", 0), settled("7", "4", 3), orphaned("7", "4"), reverted("4", 40)],
    ["signed break reverted"],
  ],

  "a silent agent": [without(honest("7", "4"), "agent."), ["settled break unreported_by_agent"]],
  "a silent agent, before the deadline": [without(honest("7", "4"), "agent."), ["settled pending"], at(302)],
  "a silent agent of an unsettled payment": [[verified("7", 1)], ["signed break unreported_by_agent"], at(301)],
  "a silent API": [without(honest("7", "4"), "api."), ["settled break unreported_by_api"]],
  "a silent API that is not ours": [
    [signed("7", 0, { payTo: payTo.stranger }), settled("7", "4", 3, { payee: payTo.stranger }), answered("7", 5)],
    ["settled matched"],
  ],
  "both silent: one silence, one break": [[settled("7", "4", 3)], ["settled break shadow_spend"]],
  "both silent, before the deadline": [[settled("7", "4", 3)], ["settled pending"], at(60)],
  "an outsider pays our API": [
    [
      verified("7", 1, {}, "reports", wallet.nobody),
      settled("7", "4", 3, {}, wallet.nobody),
      returned("7", 4, {}, "reports", wallet.nobody),
    ],
    ["settled matched"],
  ],
  "the agent's last answer is no 2xx": [
    [...honest("7", "4"), answered("7", 6, { status: 502 })],
    ["settled break paid_not_delivered"],
    at(7),
  ],
  "the agent's answer outranks the API's": [
    [...without(honest("7", "4"), "agent.response"), answered("7", 5, { status: 500 })],
    ["settled break paid_not_delivered"],
    at(7),
  ],
  "nobody reports content": [
    honest("7", "4").filter(({ event }) => !/content|response/.test(event.type)),
    ["settled break paid_not_delivered"],
  ],
  "nobody reports content, yet": [
    honest("7", "4").filter(({ event }) => !/content|response/.test(event.type)),
    ["settled pending"],
    at(60),
  ],
  "the API's word delivers where the agent gave no answer": [
    without(honest("7", "4"), "agent.response"),
    ["settled matched"],
  ],
  "delivered and closed unpaid": [
    [signed("7", 0), verified("7", 1), returned("7", 2), expired("7")],
    ["expired break delivered_not_paid"],
  ],

  "signed another amount than accepted": [
    [signed("7", 0, { accepted: offer("999") })],
    ["signed break amount_mismatch"],
  ],
  "verified another amount than signed": [
    [signed("7", 0), verified("7", 1, { amount: "999" })],
    ["signed break amount_mismatch"],
  ],
  "settled another amount than signed": [
    [
      ...honest("7", "4").filter(({ event }) => event.type !== "chain.settled"),
      settled("7", "4", 3, { amount: "999" }),
    ],
    ["settled break amount_mismatch"],
  ],
  "settled below signed under upto": [
    [
      signed("7", 0, { accepted: { ...offer(), scheme: "upto" } }),
      verified("7", 1, { scheme: "upto" }),
      settled("7", "4", 3, { amount: "10" }),
      answered("7", 5),
    ],
    ["settled matched"],
  ],
  "settled above signed under upto": [
    [
      signed("7", 0, { accepted: { ...offer(), scheme: "upto" } }),
      verified("7", 1, { scheme: "upto" }),
      settled("7", "4", 3, { amount: "1001" }),
      answered("7", 5),
    ],
    ["settled break amount_mismatch"],
  ],
  "signed for one request under upto, for another as exact": [
    [
      signed("7", 0, { requestId: "r1", accepted: { ...offer(), scheme: "upto" } }),
      signed("7", 1, { requestId: "r2", accepted: offer() }),
      verified("7", 1),
      settled("7", "4", 3, { amount: "10" }),
      answered("7", 5),
    ],
    ["settled matched"],
  ],
  "one source says two amounts": [
    [signed("7", 0), signed("7", 1, { amount: "2000" })],
    ["signed break amount_mismatch"],
  ],
  "a stranger's amount is compared with nothing": [
    [signed("7", 0), signed("7", 1, { amount: "2000" }, "trader")],
    ["signed break foreign_wallet"],
  ],
  "paid somebody else than agreed": [
    [
      ...honest("7", "4").filter(({ event }) => event.type !== "chain.settled"),
      settled("7", "4", 3, { payee: payTo.stranger }),
    ],
    ["settled break payee_mismatch"],
  ],
  "signed for another asset than accepted": [
    [signed("7", 0, { accepted: { ...offer(), asset: payTo.stranger } })],
    ["signed break asset_mismatch"],
  ],
  "a re-priced second 402 is no mismatch": [
    [
      research("authorization_requested", 0, { requestId: "r1", accepted: offer("500") }),
      research("authorization_requested", 2, { requestId: "r1", accepted: offer("1000") }),
      signed("7", 3, { requestId: "r1" }),
      research("authorization_requested", 9, { requestId: "r1", accepted: offer("2000") }),
    ],
    ["signed pending"],
  ],

  "the same request paid twice": [
    [
      ...honest("7", "4"),
      signed("7", 0, { requestId: "r1" }),
      ...honest("8", "5").filter(({ event }) => event.type !== "chain.settled"),
      signed("8", 0, { requestId: "r1" }),
      settled("8", "5", 6),
    ],
    ["settled matched", "settled break duplicate_purchase"],
  ],
  "the same purchase paid twice, one of them taken back": [
    [
      ...honest("7", "4").filter(({ event }) => event.type !== "chain.settled"),
      settled("7", "4", 3, { seq: 1 }),
      verified("7", 1, { purchaseId: "p" }),
      ...honest("8", "5").filter(({ event }) => event.type !== "chain.settled"),
      settled("8", "5", 6, { seq: 1 }),
      verified("8", 1, { purchaseId: "p" }),
      orphaned("7", "4", { seq: 2 }),
    ],
    ["submitted break not_on_chain", "settled matched"],
  ],
  "signed long after the revocation": [
    [revoked("s1", 0), signed("7", 5.001, { session: session("s1") })],
    ["signed break signed_after_revoke"],
  ],
  "signed while the revocation was on its way": [
    [revoked("s1", 0), signed("7", 5, { session: session("s1") })],
    ["signed pending"],
  ],
  "settled after the revocation": [[...honest("7", "4"), revoked("s1", 2)], ["settled break settled_after_revoke"]],
  "settled before the revocation": [[...honest("7", "4"), revoked("s1", 3)], ["settled matched"]],
  "another's wallet": [[signed("7", 0, {}, "trader")], ["signed break foreign_wallet"]],
  "nobody's wallet, by an agent with configured ones": [
    [signed("7", 0, {}, "trader", wallet.nobody)],
    ["signed break foreign_wallet"],
  ],
  "nobody's wallet, by an agent without": [[signed("7", 0, {}, "drifter", wallet.nobody)], ["signed pending"]],
  "another's payTo": [[signed("7", 0), verified("7", 1, {}, "quotes")], ["signed break foreign_api"]],
  "nobody's payTo, by an API of the config": [
    [signed("7", 0, { payTo: payTo.stranger }), verified("7", 1, { payTo: payTo.stranger }, "quotes")],
    ["signed break foreign_api"],
  ],
  "nobody's payTo, by an API that nobody lists": [
    [signed("7", 0, { payTo: payTo.stranger }), verified("7", 1, { payTo: payTo.stranger }, "bazaar")],
    ["signed pending"],
  ],
  "a chain that nobody watches": [
    [
      agent("research")("authorization_signed", 0, {
        payment: key("7", wallet.research, 421614, "0x75faf114eafb1bdbe2f0316df893fd58ce46aa4d"),
        amount: "1000",
        payTo: payTo.reports,
        validBefore: "1795172400",
      }),
    ],
    ["signed break unwatched_chain"],
  ],

  "a plain transfer out": [[transferred("4", 1, 3)], ["settled break shadow_spend"]],
  "a plain transfer that the agent names by its hash": [
    [
      transferred("4", 1, 3, { payee: payTo.stranger }),
      research("response_received", 5, { txHash: hash("4"), status: 200, settled: true }),
    ],
    ["settled matched"],
  ],
  "a transfer of an asset that nobody watches": [
    [transferred("4", 1, 3, { asset: payTo.stranger })],
    ["settled break unwatched_chain"],
    at(60),
  ],
  "a transfer that is also a settlement counts once": [
    [...honest("7", "4"), transferred("4", 1, 3)],
    ["settled matched"],
  ],
  "a transfer beside a settlement, on another log": [
    [...honest("7", "4"), transferred("4", 2, 3)],
    ["settled matched", "settled pending"],
    at(60),
  ],

  "a request that met a 402": [
    [research("payment_required", 0, { requestId: "r1", offers: [offer()] })],
    ["offered pending"],
  ],
  "a request alone may be free": [
    [research("request_sent", 0, { requestId: "r1", resource: { url: "https://a.example/x", method: "GET" } })],
    [],
  ],
  "an API's demand alone is nobody's payment": [
    [
      reports("payment_demanded", 0, {
        resource: { url: "https://a.example/x", method: "GET" },
        offers: [offer()],
        requestId: "r1",
        agentId: "research",
      }),
    ],
    [],
  ],
  "failed before anything was signed": [
    [
      research("payment_required", 0, { requestId: "r1", offers: [offer()] }),
      research("payment_failed", 1, { requestId: "r1", reason: "budget_exceeded", message: "no" }),
    ],
    ["declined matched"],
  ],
  "a hash that no payment claims": [
    [research("response_received", 5, { txHash: hash("4"), status: 200, settled: true })],
    ["submitted pending"],
    at(60),
  ],
  "an unknown type moves nothing": [
    [signed("7", 0), agent("research")("something_new", 1, { payment: key("7"), txHash: hash("4") })],
    ["signed pending"],
  ],
};

describe("states, verdicts and breaks", () => {
  for (const [name, [story, expected, now]] of Object.entries(table)) {
    test(name, async () => {
      expect(await verdicts(story, now ?? LATE)).toEqual(expected);
    });
  }
});

describe("joins", () => {
  test("an answer by hash alone delivers where one payment stands behind it, and not where two do", async () => {
    const first = [signed("7", 0), settled("7", "4", 3), verified("7", 1)];
    const second = [signed("8", 0), settled("8", "4", 3, { logIndex: 3 }), verified("8", 1)];
    const answer = research("response_received", 5, { txHash: hash("4"), status: 200, settled: true });
    expect(await verdicts([...first, answer])).toEqual(["settled matched"]);
    expect(await verdicts([...first, ...second, answer])).toEqual([
      "settled break paid_not_delivered",
      "settled break paid_not_delivered",
    ]);
  });

  test("an answer by request alone delivers where one payment was signed for it, settled or not", async () => {
    const paid = (by: string, payer: string) => [
      signed("7", 0, { requestId: "r1" }, by, payer),
      settled("7", "4", 3, {}, payer),
      verified("7", 1, {}, "reports", payer),
    ];
    for (const [by, payer] of [
      ["research", wallet.research],
      ["drifter", wallet.nobody],
    ] as const) {
      const again = signed("8", 0, { requestId: "r1" }, by, payer);
      for (const answer of [
        agent(by)("response_received", 5, { requestId: "r1", status: 200, settled: true }),
        reports("content_returned", 5, { requestId: "r1", agentId: by, status: 200 }),
      ]) {
        expect(await verdicts([...paid(by, payer), answer])).toEqual(["settled matched"]);
        expect(await verdicts([...paid(by, payer), again, answer])).toEqual([
          "settled break paid_not_delivered",
          "signed pending",
        ]);
      }
    }
  });

  test("forty signatures of one request: each is held apart, and an answer by request is about none", async () => {
    const story = Array.from({ length: 40 }, (_, i) =>
      signed("7", i, { requestId: "r1", payment: { ...key("7"), nonce: `0x${String(i).padStart(64, "0")}` } }),
    );
    const answer = research("response_received", 50, { requestId: "r1", status: 500, settled: false });
    const payments = await outcome([...story, answer]);
    expect(payments.map(({ state, verdict, timeline }) => [state, verdict, timeline.length])).toEqual(
      story.map(() => ["signed", "pending", 2]),
    );
  });

  test("an unknown type ties nothing, and each one stands in the timeline", async () => {
    const news = ["a", "b", "c", "d", "e", "f"].map((name) =>
      research(`new_${name}`, 1, { payment: key("7"), requestId: "r1" }),
    );
    const payments = await outcome([
      research("payment_required", 0, { requestId: "r1", offers: [offer()] }),
      signed("7", 3),
      ...news,
    ]);
    expect(payments.map(({ id, requestId, timeline }) => [id, requestId, timeline.length])).toEqual([
      [idOf("7"), null, 7],
      ["request:research:r1", "r1", 1],
    ]);
  });

  test("an agent's answer by hash is about its own payment in a batch of many agents", async () => {
    const mine = [signed("7", 0), settled("7", "4", 3), verified("7", 1)];
    const theirs = [
      signed("8", 0, {}, "trader", wallet.trader),
      settled("8", "4", 3, { logIndex: 3 }, wallet.trader),
      verified("8", 1, {}, "reports", wallet.trader),
    ];
    const answer = research("response_received", 5, { txHash: hash("4"), status: 200, settled: true });
    expect(await verdicts([...mine, ...theirs, answer])).toEqual([
      "settled matched",
      "settled break paid_not_delivered",
    ]);
  });

  test("facts before signing join every payment of the request", async () => {
    const payments = await outcome([
      research("payment_required", 0, { requestId: "r1", offers: [offer()] }),
      signed("7", 1, { requestId: "r1" }),
      signed("8", 9, { requestId: "r1" }),
    ]);
    expect(payments.map(({ id, timeline }) => [id, timeline.map(({ type }) => type)])).toEqual([
      [idOf("7"), ["agent.payment_required", "agent.authorization_signed"]],
      [idOf("8"), ["agent.payment_required", "agent.authorization_signed"]],
    ]);
  });

  test("one agent's request is no other's, though they share its name", async () => {
    const payments = await outcome([
      agent("trader")("payment_required", 0, { requestId: "r1", offers: [offer()] }),
      signed("7", 1, { requestId: "r1" }),
    ]);
    expect(payments.map(({ id, state }) => [id, state])).toEqual([
      [idOf("7"), "signed"],
      ["request:trader:r1", "offered"],
    ]);
  });
});

describe("who is charged", () => {
  test("a payment of which only foreign facts are known is signed, its amount unknown, charged to the owner", async () => {
    const [payment] = await outcome([signed("7", 0, {}, "trader")]);
    expect(payment).toMatchObject({
      state: "signed",
      amount: null,
      payee: null,
      agentId: "research",
      agentIds: ["research"],
      sessionId: null,
    });
  });

  test("a wallet that two agents claim is charged to both; the config's word decides", async () => {
    const [first, second] = await outcome([
      signed("7", 0, {}, "drifter", wallet.nobody),
      signed("8", 0, {}, "stray", wallet.nobody),
    ]);
    expect([first?.agentIds, second?.agentIds]).toEqual([
      ["drifter", "stray"],
      ["drifter", "stray"],
    ]);
    const [own] = await outcome([signed("7", 0, {}, "drifter")]);
    expect([own?.agentIds, own?.breaks]).toEqual([["research"], ["foreign_wallet"]]);
  });

  test("a wallet's claim reaches its shadow spend", async () => {
    const payments = await outcome([
      settled("8", "4", 3, {}, wallet.nobody),
      signed("7", 0, {}, "drifter", wallet.nobody),
    ]);
    expect(payments.map(({ agentId, breaks }) => [agentId, breaks])).toEqual([
      ["drifter", []],
      ["drifter", ["shadow_spend"]],
    ]);
  });

  test("shapes", async () => {
    const [payment] = await outcome(honest("7", "4"));
    expect(payment).toMatchObject({
      id: idOf("7"),
      agentId: "research",
      apiId: "reports",
      payer: wallet.research,
      payee: payTo.reports,
      asset: USDC,
      amount: "1000",
      txHashes: [hash("4")],
      sessionId: "s1",
      explorerUrl: `https://arbiscan.io/tx/${hash("4")}`,
      bookedAt: at(3),
    });
    const bought = { requestId: "r1", purchaseId: "p1" };
    const rows = await outcome([
      research("payment_required", 0, { ...bought, offers: [offer()] }),
      research("response_received", 1, { ...bought, requestId: "r2", txHash: hash("5"), status: 200, settled: null }),
    ]);
    expect(rows).toMatchObject([bought, { ...bought, requestId: "r2" }]);
    const transferKey = { method: "transfer", chainId: 42161, txHash: hash("4"), logIndex: 1 };
    const [named] = await outcome([
      transferred("4", 1, 3),
      research("response_received", 5, { payment: transferKey, txHash: hash("4"), status: 200, settled: true }),
    ]);
    expect(named?.txHashes).toEqual([hash("4")]);
    const [transfer] = await outcome([transferred("4", 1, 3)]);
    expect(transfer).toMatchObject({
      id: `transfer:42161:${hash("4")}:1`,
      agentId: "research",
      payer: wallet.research,
      payee: payTo.reports,
      asset: USDC,
      amount: "1000",
      txHashes: [hash("4")],
    });
  });
});
