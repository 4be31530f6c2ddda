import { describe, expect, test } from "vitest";
import { parseEvent } from "../src/envelope.ts";
import { ASSET, AT, HASH, least, NONCE, offer, PAY_TO, PAYER, payment, samples, sourceOf } from "./samples.ts";

type Fields = Record<string, unknown>;
const parse = (event: object) => parseEvent(event, sourceOf((event as { type: string }).type));
const without = (event: object, field: string): Fields => {
  const { [field]: _, ...rest } = event as Fields;
  return rest;
};
const signed = least["agent.authorization_signed"];
const withSigned = (fields: Fields) => ({ ...signed, ...fields });

describe("the least event of every type", () => {
  test.each(samples.map((event) => [event.type, event] as const))("%s is taken as it stands", (_, event) => {
    expect(parse(event)).toEqual(event);
  });

  const required = samples.flatMap((event) =>
    Object.keys(event)
      .filter((field) => field !== "type")
      .map((field) => [event.type, field, event] as const),
  );
  test.each(required)("%s without %s is refused by that name", (_, field, event) => {
    const reason = parse(without(event, field));
    // Where a type asks for no name of its own, the rule that one must be there answers.
    const named = field === "requestId" || field === "txHash" ? `(${field}|names neither)` : field;
    expect(reason).toMatch(new RegExp(`^${named}\\b`));
  });

  test.each(required)("%s with %s null is refused by that name", (_, field, event) => {
    if (field === "settled") expect(parse({ ...event, settled: null })).not.toBeTypeOf("string");
    else expect(parse({ ...event, [field]: null })).toMatch(new RegExp(`^${field}\\b`));
  });

  test.each(required)("%s with %s of another kind is refused by that name", (_, field, event) => {
    expect(parse({ ...event, [field]: [[]] })).toMatch(new RegExp(`^${field}\\b`));
  });
});

describe("parts of parts", () => {
  const inner: [string, object][] = [
    ...["method", "chainId", "asset", "payer", "nonce"].map((field): [string, object] => [
      `payment.${field}`,
      withSigned({ payment: without(payment, field) }),
    ]),
    ...Object.keys(offer).map((field): [string, object] => [
      `accepted.${field}`,
      withSigned({ accepted: without(offer, field) }),
    ]),
    ...Object.keys(offer).map((field): [string, object] => [
      `offers.1.${field}`,
      { ...least["agent.payment_required"], offers: [offer, without(offer, field)] },
    ]),
    ...["url", "method"].map((field): [string, object] => [
      `resource.${field}`,
      { ...least["agent.request_sent"], resource: without(least["agent.request_sent"].resource, field) },
    ]),
    ...["managerArn", "sessionId"].map((field): [string, object] => [
      `session.${field}`,
      { ...least["session.revoked"], session: without(least["session.revoked"].session, field) },
    ]),
    ["session.userId", withSigned({ session: { managerArn: "arn", sessionId: "s" } })],
    ["payment.logIndex", withSigned({ payment: { method: "transfer", chainId: 42161, txHash: HASH } })],
  ];
  test.each(inner)("%s missing", (path, event) => {
    expect(parse(event)).toMatch(new RegExp(`^${path.replace("payment.method", "payment(\\.method)?")}: `));
  });
});

describe("encodings", () => {
  test.each([
    ["amount", "-1"],
    ["amount", "+1"],
    ["amount", "1.5"],
    ["amount", "1e6"],
    ["amount", ""],
    ["amount", "0x10"],
    ["amount", " 1"],
    ["amount", "01"],
    ["amount", "٣"],
    ["amount", 1_000_000],
    ["amount", (2n ** 256n).toString()],
    ["amount", "9".repeat(80)],
    ["amount", "9".repeat(10_000)],
    ["amount", "a long word that is read as a number only if nobody stopped at its first letter; it threw"],
    ["validBefore", "2026-11-20T10:00:00Z"],
    ["validBefore", 1_795_172_400],
    ["validBefore", "01795172400"],
    ["validAfter", 0],
    ["payTo", `0x${"1".repeat(39)}`],
    ["payTo", `0x${"1".repeat(41)}`],
    ["payTo", "1".repeat(40)],
    ["payTo", `0x${"g".repeat(40)}`],
    ["payTo", `${PAY_TO}\n`],
    ["payTo", "vitalik.eth"],
    ["txHash", PAY_TO],
    ["at", "2026-02-30T10:00:00Z"],
    ["at", 1_795_172_400],
    ["id", ""],
    ["id", "x".repeat(257)],
    ["id", "a\nb"],
    ["id", "\ud800"],
    ["requestId", ""],
    ["x402Version", 2.5],
    ["x402Version", "2"],
    ["x402Version", -1],
    ["x402Version", 2 ** 53],
  ])("%s %j is refused", (field, value) => {
    expect(parse(withSigned({ [field]: value }))).toMatch(new RegExp(`^${field}: `));
  });

  test.each([
    ["amount", "0"],
    ["amount", (2n ** 256n - 1n).toString()],
    ["validAfter", "0"],
    ["id", "x".repeat(256)],
    ["x402Version", 0],
  ])("%s %j is taken", (field, value) => {
    expect(parse(withSigned({ [field]: value }))).toMatchObject({ [field]: value });
  });

  test("letter case, offset and missing milliseconds are normalised", () => {
    const upper = (text: string) => text.toUpperCase();
    const loud = {
      ...signed,
      at: "2026-11-20T12:00:00+02:00",
      payTo: upper(PAY_TO),
      txHash: upper(HASH),
      payment: { ...payment, asset: upper(ASSET), payer: upper(PAYER), nonce: upper(NONCE) },
      accepted: { ...offer, asset: upper(ASSET), payTo: upper(PAY_TO) },
    };
    expect(parse(loud)).toEqual({ ...signed, at: AT, txHash: HASH, accepted: offer });
  });

  test("a chain that is not EVM keeps its own names; on one that is, they are addresses", () => {
    const solana = {
      ...offer,
      network: "solana:5eykt4",
      asset: "EPjFWdd5AufqSSqeM2qN1xzyb",
      payTo: "7cVfgArCheMR6Cs4t6",
    };
    expect(parse(withSigned({ accepted: solana }))).toMatchObject({ accepted: solana });
    expect(parse(withSigned({ accepted: { ...solana, network: "eip155:42161" } }))).toBe(
      "accepted.asset: must be an address on an eip155 network; accepted.payTo: must be an address on an eip155 network",
    );
  });

  test("free text is cut and cleaned, URLs lose what may be secret", () => {
    const sent = { ...least["agent.request_sent"], traceparent: `a\u0000${"b".repeat(300)}` };
    const resource = { url: "https://u:p@reports.example.com/q3?key=hunter2", method: "G\u001bET", id: "\ud800" };
    expect(parse({ ...sent, resource })).toMatchObject({
      traceparent: `a${"b".repeat(255)}`,
      resource: { url: "https://reports.example.com/q3", method: "GET", id: "\ufffd" },
    });
  });

  test("labels: at most eight short pairs, whose names can stand in a budget", () => {
    const labelled = (labels: unknown) => parse({ ...least["agent.request_sent"], labels });
    expect(labelled({ team: "gro\u0007wth" })).toMatchObject({ labels: { team: "growth" } });
    expect(labelled(Object.fromEntries([..."abcdefgh"].map((name) => [name, ""])))).not.toBeTypeOf("string");
    for (const bad of [
      Object.fromEntries([..."abcdefghi"].map((name) => [name, ""])),
      { "": "x" },
      { "a=b": "x" },
      { "a\n": "x" },
      { ["x".repeat(65)]: "x" },
      { a: "x".repeat(129) },
      { a: 1 },
      [],
    ]) {
      expect(labelled(bad)).toMatch(/^labels/);
    }
  });

  test("a 402 has at most 32 offers", () => {
    const required = (count: number) => parse({ ...least["agent.payment_required"], offers: Array(count).fill(offer) });
    expect(required(32)).not.toBeTypeOf("string");
    expect(required(33)).toBe("offers: must not be more than 32");
  });
});

describe("names", () => {
  const named: [string, object, boolean][] = [
    ["content by payment", { ...without(least["api.content_returned"], "txHash"), payment }, true],
    ["content by request", { ...without(least["api.content_returned"], "txHash"), requestId: "r", agentId: "a" }, true],
    ["content of nobody's request", { ...without(least["api.content_returned"], "txHash"), requestId: "r" }, false],
    ["a demand of nobody's request", { ...least["api.payment_demanded"], requestId: "r" }, true],
    ["content of nothing", without(least["api.content_returned"], "txHash"), false],
    ["an answer by hash", { ...without(least["agent.response_received"], "requestId"), txHash: HASH }, true],
    ["an answer to nothing", without(least["agent.response_received"], "requestId"), false],
    ["a failure of nothing", without(least["agent.payment_failed"], "requestId"), false],
    ["a rejection of nothing", least["api.payment_rejected"], true],
    ["a demand of nobody", least["api.payment_demanded"], true],
    ["a newer event of a request", { id: "e", at: AT, type: "agent.future_thing", requestId: "r" }, true],
    ["a newer event of nothing", { id: "e", at: AT, type: "agent.future_thing" }, false],
  ];
  test.each(named)("%s", (_, event, taken) => {
    const parsed = parse(event);
    if (taken) expect(parsed).toMatchObject(event);
    else expect(parsed).toMatch(/^names (?:neither payment, txHash nor requestId|a requestId without its agentId)/);
  });
});

describe("newer producers", () => {
  test("unknown fields are dropped, of parts too", () => {
    const newer = { ...signed, zeal: 1, payment: { ...payment, zeal: 2 }, accepted: { ...offer, zeal: 3 } };
    expect(parse(newer)).toEqual({ ...signed, accepted: offer });
  });

  test("an unknown type keeps what it names and nothing else", () => {
    const future = {
      id: "e",
      at: AT,
      type: "api.future.thing_2",
      payment,
      txHash: HASH,
      agentId: "research",
      amount: "-1",
    };
    expect(parse(future)).toEqual(without(future, "amount"));
  });

  test.each(["agent.cart-abandoned", "agent.NewThing", "agent.v2/thing"])("%j is a name of a type", (type) => {
    expect(parse({ ...signed, type })).toMatchObject({ type });
  });

  test.each(["agent.", "agent.Über", `agent.${"x".repeat(129)}`, "agent.a b"])("%j is no name of a type", (type) => {
    expect(parse({ ...signed, type })).toMatch(/^type: /);
  });
});
