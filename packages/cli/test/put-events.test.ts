/** PutEvents: what an unmodified EventBridgeClient gets, and what becomes of bad input. */
import { gzipSync } from "node:zlib";
import { PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { beforeAll, describe, expect, test } from "vitest";
import type { Machine } from "../src/machine.ts";
import { putEvents } from "../src/put-events.ts";
import { machineForTest } from "./machines.ts";
import { AT, agentEvents, apiEvents, clientOf, detailOf, entryOf, hashOf, idOf, keyOf, put } from "./producers.ts";
import { raw, rawPut } from "./raw.ts";

interface Answer {
  readonly state: string;
  readonly quarantined: number;
  readonly timeline: readonly unknown[];
  readonly alerts: readonly { rule: string; subject: string }[];
}

let machine: Machine;
let next = 1;
beforeAll(async () => {
  machine = await machineForTest();
});

async function get(path: string) {
  return (await raw(machine.port, { path })).json as unknown as Answer;
}

/** Sends a good payment and sees it in the list: the machine is up and takes what is right. */
async function neighbourGoesOn(): Promise<void> {
  const n = next++;
  const answer = await put(clientOf(machine.url), [entryOf("bursar.agent.research", agentEvents(n))]);
  expect(answer.FailedEntryCount).toBe(0);
  await machine.drained();
  expect((await get(`/api/payments/${idOf(n)}`)).state).toBe("submitted");
}

describe("an unmodified EventBridgeClient", () => {
  test("puts ten entries at once", async () => {
    const ns = Array.from({ length: 5 }, () => next++);
    const entries = ns.flatMap((n) => [
      entryOf("bursar.agent.research", agentEvents(n)),
      entryOf("bursar.api.reports", apiEvents(n)),
    ]);
    const answer = await put(clientOf(machine.url), entries);
    expect(answer.FailedEntryCount).toBe(0);
    expect(new Set(answer.Entries?.map(({ EventId }) => EventId)).size).toBe(10);
    await machine.drained();
    for (const n of ns) {
      expect(await get(`/api/payments/${idOf(n)}`)).toMatchObject({
        agentId: "research",
        apiId: "reports",
        txHashes: [hashOf(n)],
      });
    }
  });

  test("is told which entries are refused, and the others are taken", async () => {
    const n = next++;
    const good = entryOf("bursar.agent.research", agentEvents(n));
    const answer = await put(clientOf(machine.url), [
      { ...good, Source: "" },
      { ...good, Detail: "{" },
      { ...good, Detail: "[]" },
      { ...good, DetailType: "" },
      { ...good, Source: "aws.s3" },
      good,
    ]);
    expect(answer.FailedEntryCount).toBe(5);
    expect(answer.Entries?.map(({ ErrorCode }) => ErrorCode)).toEqual([
      "InvalidArgument",
      "MalformedDetail",
      "MalformedDetail",
      "InvalidArgument",
      "NotAuthorizedForSourceException",
      undefined,
    ]);
    await machine.drained();
    expect((await get(`/api/payments/${idOf(n)}`)).state).toBe("submitted");
  });

  test.each([
    ["none", [], "ValidationException"],
    ["eleven", Array.from({ length: 11 }, () => entryOf("bursar.agent.a", agentEvents(1))), "ValidationException"],
    ["more than 256 KB", [entryOf("bursar.agent.a", [{ text: "x".repeat(257 * 1024) }])], "ValidationException"],
  ])("gets AWS's own error for %s", async (_name, Entries, name) => {
    const sending = clientOf(machine.url).send(new PutEventsCommand({ Entries }));
    await expect(sending).rejects.toMatchObject({ name, $metadata: { httpStatusCode: 400 } });
    await neighbourGoesOn();
  });

  test("10 MB are refused with 413", async () => {
    const huge = entryOf("bursar.agent.a", [{ text: "x".repeat(10 * 1024 * 1024) }]);
    const sending = put(clientOf(machine.url), [huge]);
    await expect(sending).rejects.toMatchObject({ $metadata: { httpStatusCode: 413 } });
    await neighbourGoesOn();
  });
});

describe("the AWS JSON 1.1 protocol", () => {
  const body = JSON.stringify({ Entries: [entryOf("bursar.agent.research", agentEvents(900_001))] });

  test("with and without a slash at the end, and as application/json", async () => {
    const headers = { "content-type": "application/json", "x-amz-target": "AWSEvents.PutEvents" };
    for (const path of ["/aws/events", "/aws/events/"]) {
      const answer = await raw(machine.port, { path, method: "POST", headers, body });
      expect(answer.status).toBe(200);
      expect(answer.headers["content-type"]).toBe("application/x-amz-json-1.1");
      expect(answer.headers["x-amzn-requestid"]).toMatch(/^[0-9a-f-]{36}$/);
    }
  });

  test.each([
    [
      "another operation",
      body,
      { "x-amz-target": "AWSEvents.PutRule" },
      "UnknownOperationException",
      "PutEvents is taken",
    ],
    ["no JSON", "{", {}, "SerializationException", "no JSON"],
    [
      "broken UTF-8",
      Buffer.concat([Buffer.from(body.slice(0, -5)), Buffer.from([0xc3, 0x28])]),
      {},
      "SerializationException",
      "UTF-8",
    ],
    ["gzip", gzipSync(body), { "content-encoding": "gzip" }, "SerializationException", "send it plain"],
    ["a number for a Source", '{"Entries":[{"Source":1}]}', {}, "SerializationException", "Entries[0].Source"],
    ["an entry that is none", '{"Entries":[null]}', {}, "SerializationException", "Entries[0]"],
    ["entries that are no list", '{"Entries":{}}', {}, "SerializationException", "Entries"],
    ["no entries", "{}", {}, "ValidationException", "entries"],
    ["a list", "[]", {}, "ValidationException", "entries"],
    ["nothing", "", {}, "SerializationException", "no JSON"],
  ])("answers %s with AWS's error", async (_name, sent, headers, type, said) => {
    const answer = await rawPut(machine.port, sent, headers as Record<string, string>);
    expect(answer.status).toBe(400);
    expect(answer.json).toMatchObject({ __type: type, message: expect.stringContaining(said) });
    expect(answer.headers["x-amzn-errortype"]).toBe(type);
    await neighbourGoesOn();
  });

  test("a GET is no PutEvents", async () => {
    expect((await raw(machine.port, { path: "/aws/events" })).status).toBe(405);
  });
});

describe("a queue that is full", () => {
  const body = Buffer.from(JSON.stringify({ Entries: [1, 2].map((n) => entryOf("bursar.agent.a", agentEvents(n))) }));

  test("throttles the whole call, or the entries that had no room", async () => {
    const none = await putEvents("AWSEvents.PutEvents", body, () => null, new Date());
    expect(none).toMatchObject({ status: 400, body: { __type: "ThrottlingException" } });
    let room = 1;
    const some = await putEvents(
      "AWSEvents.PutEvents",
      body,
      () => (room-- > 0 ? Promise.resolve() : null),
      new Date(),
    );
    expect(some.body).toMatchObject({
      FailedEntryCount: 1,
      Entries: [{ EventId: expect.any(String) }, { ErrorCode: "ThrottlingException" }],
    });
  });

  test("what could not be written is an InternalFailure, to be sent again", async () => {
    const failed = await putEvents("AWSEvents.PutEvents", body, () => Promise.reject(new Error("no room")), new Date());
    expect(failed.body).toMatchObject({
      FailedEntryCount: 2,
      Entries: [{ ErrorCode: "InternalFailure" }, { ErrorMessage: "no room" }],
    });
  });
});

describe("what the bus takes and the contract refuses is quarantined with its reason", () => {
  const signed = (over: object) => ({ ...(agentEvents(800_000)[1] as object), ...over });
  const one = (source: string, ...events: object[]) => entryOf(source, events);
  test.each([
    ["an unknown source", one("shop.orders", ...agentEvents(1)), "shop.orders"],
    ["Bursar's own source", one("bursar.chain", { type: "chain.heads" }), "bursar.chain"],
    ["an agent that asserts api.*", one("bursar.agent.a", { ...apiEvents(1)[0] }), "agent.*"],
    ["an agent that asserts chain.*", one("bursar.agent.a", { type: "chain.settled", id: "1", at: AT }), "agent.*"],
    ["another detail type", { ...one("bursar.agent.a", ...agentEvents(1)), DetailType: "other" }, "payment.events.v1"],
    ["another version", { ...one("bursar.agent.a"), Detail: '{"version":2,"events":[]}' }, "version"],
    ["no events", one("bursar.agent.a"), "detail.events"],
    ["a negative amount", one("bursar.agent.a", signed({ amount: "-1" })), "amount"],
    ["a fractional amount", one("bursar.agent.a", signed({ amount: "0.5" })), "amount"],
    ["an amount of 80 digits", one("bursar.agent.a", signed({ amount: "9".repeat(80) })), "amount"],
    ["an amount that is a number", one("bursar.agent.a", signed({ amount: 10000 })), "amount"],
    ["an address of 39 digits", one("bursar.agent.a", signed({ payTo: `0x${"2".repeat(39)}` })), "payTo"],
    ["a hash that is none", one("bursar.agent.a", { ...agentEvents(1)[3], txHash: "0x12" }), "txHash"],
    ["a time that is none", one("bursar.agent.a", signed({ at: "yesterday" })), "at"],
    [
      "an event that is none",
      { ...one("bursar.agent.a"), Detail: '{"version":1,"events":[7]}' },
      "event is no JSON object",
    ],
    [
      "no payment, hash or request",
      one("bursar.agent.a", { type: "agent.payment_failed", id: "1", at: AT, reason: "other", message: "" }),
      "names neither",
    ],
  ])("%s", async (_name, bad, said) => {
    const before = (await get("/api/health")).quarantined;
    const n = next++;
    const good = entryOf("bursar.agent.research", agentEvents(n));
    const answer = await put(clientOf(machine.url), [bad, good]);
    expect(answer.FailedEntryCount).toBe(0);
    await machine.drained();
    expect((await get(`/api/payments/${idOf(n)}`)).state).toBe("submitted");
    expect((await get("/api/health")).quarantined).toBe(before + 1);
    const { items } = await machine.store.facts("QUARANTINE", "");
    const reasons = items.map(({ data }) => (data as { reason: string }).reason);
    expect(reasons.some((reason) => reason.includes(said))).toBe(true);
  });

  test("a malformed event's siblings in the entry go on, and twice is once", async () => {
    const n = next++;
    const before = (await get("/api/health")).quarantined;
    const mixed = one("bursar.agent.research", ...(agentEvents(n) as object[]), {
      type: "agent.payment_sent",
      id: `bad-${n}`,
      at: AT,
    });
    await put(clientOf(machine.url), [mixed]);
    await put(clientOf(machine.url), [mixed]);
    await machine.drained();
    expect((await get(`/api/payments/${idOf(n)}`)).timeline).toHaveLength(4);
    expect((await get("/api/health")).quarantined).toBe(before + 1);
    const alerts = (await get("/api/alerts?status=open")).alerts;
    expect(alerts).toContainEqual(
      expect.objectContaining({ rule: "quarantined", subject: "source:bursar.agent.research" }),
    );
  });

  test("half a surrogate pair, hostile keys and deep nesting change nothing for the neighbours", async () => {
    const n = next++;
    const detail = detailOf(agentEvents(n)).replace("https://api.example/r", "https://api.example/\\ud800");
    const deep = `{"version":1,"events":[${'{"a":'.repeat(5_000)}1${"}".repeat(5_000)}]}`;
    const proto = detailOf([{ ...keyOf(1), __proto__: 1, constructor: 2, type: "agent.x", id: "y", at: AT }]);
    const entry = (Detail: string) => ({ Source: "bursar.agent.research", DetailType: "payment.events.v1", Detail });
    const answer = await put(clientOf(machine.url), [entry(detail), entry(deep), entry(proto)]);
    expect(answer.FailedEntryCount).toBe(0);
    await machine.drained();
    expect((await get(`/api/payments/${idOf(n)}`)).state).toBe("submitted");
    await neighbourGoesOn();
  });
});
