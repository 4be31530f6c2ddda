/** The real client against a raw server: given these answers, then this outcome, after so many requests and waits. */
import { SessionsError } from "@bursar/core/sessions-error";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { PAUSE_MS_MAX, RETRY_AFTER_MS_MAX } from "../src/retry.ts";
import { createSessions, type SessionsOptions } from "../src/sessions.ts";
import { type Answer, type DataPlane, fault, startDataPlane } from "./data-plane.ts";
import {
  ADDRESS,
  ANSWERS,
  CAPPED,
  INSTRUMENT,
  INSTRUMENT_SUMMARY,
  KEY,
  LISTED,
  MANAGER,
  SESSION,
  SUMMARY,
  USER,
} from "./fixtures.ts";

const SECRET = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const TOKEN = `IQoJb3JpZ2luX2Vj${"AbC1".repeat(60)}`;
const DELETED: Answer = { status: 200, body: ANSWERS.DeletePaymentSession };
const THROTTLED = fault(429, "ThrottlingException", "Rate exceeded");
const GONE = fault(404, "ResourceNotFoundException", "Payment session not found");
const BROKEN = fault(500, "InternalServerException", "Try again");

let plane: DataPlane;
const open: { close(): void }[] = [];
const waits: number[] = [];

beforeAll(async () => {
  plane = await startDataPlane();
});
afterEach(() => {
  for (const sessions of open.splice(0)) sessions.close();
  waits.length = 0;
});
afterAll(() => plane.close());

function sessionsWith(options: SessionsOptions = {}) {
  const sessions = createSessions({
    endpoint: plane.endpoint,
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: SECRET, sessionToken: TOKEN },
    random: () => 0.5,
    pause: async (ms) => {
      waits.push(ms);
    },
    ...options,
  });
  open.push(sessions);
  return sessions;
}

async function thrown(work: Promise<unknown>): Promise<SessionsError> {
  const error = await work.then(
    () => null,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(SessionsError);
  return error as SessionsError;
}

describe("delete", () => {
  test.each<[string, Answer[], string, number]>([
    ["deleted", [DELETED], "deleted", 1],
    ["not found", [GONE], "not_found", 1],
    ["throttled, then deleted", [THROTTLED, THROTTLED, DELETED], "deleted", 3],
    ["throttled by name with another status", [fault(400, "ThrottlingException", "Slow down"), DELETED], "deleted", 2],
    ["too many requests", [fault(429, "TooManyRequestsException", "Slow down"), DELETED], "deleted", 2],
    ["a 429 and a 408 without a type", [{ status: 429, body: "" }, { status: 408, body: "" }, DELETED], "deleted", 3],
    ["5xx, then deleted", [BROKEN, { status: 503, body: "" }, { status: 502, body: "<html>" }, DELETED], "deleted", 4],
    ["hung up on, then deleted", ["drop", DELETED], "deleted", 2],
    ["garbage, then deleted", [{ status: 200, body: "<html>" }, DELETED], "deleted", 2],
    ["deleted, the answer lost, then not found", ["drop", GONE], "not_found", 2],
    ["not found as a ValidationException", [fault(400, "ValidationException", "Session not found")], "not_found", 1],
    [
      "the same after a retry",
      [BROKEN, fault(400, "ValidationException", `Payment session ${SESSION} does not exist`)],
      "not_found",
      2,
    ],
  ])("%s", async (_, answers, outcome, requests) => {
    plane.answer(...answers);
    expect(await sessionsWith().delete(KEY, USER)).toEqual({ outcome });
    expect(plane.requests).toHaveLength(requests);
    expect(waits).toHaveLength(requests - 1);
  });

  test.each<[string, Answer, "denied" | "invalid"]>([
    ["AccessDenied", fault(403, "AccessDeniedException", "User: arn:aws:sts::1:x is not authorized"), "denied"],
    ["expired credentials", fault(403, "ExpiredTokenException", "The security token is expired"), "denied"],
    ["a signature that is wrong", fault(403, "InvalidSignatureException", "mismatch"), "denied"],
    ["a 403 without a type", { status: 403, body: "<html>" }, "denied"],
    ["ValidationException", fault(400, "ValidationException", "1 validation error detected"), "invalid"],
    [
      "a manager that is not found",
      fault(400, "ValidationException", "Payment manager not found for session s-1"),
      "invalid",
    ],
    ["a conflict", fault(409, "ConflictException", "busy"), "invalid"],
  ])("refused, once: %s", async (_, answer, kind) => {
    plane.answer(answer);
    const deletion = await sessionsWith().delete(KEY, USER);
    expect(deletion).toMatchObject({ outcome: "refused", fault: kind });
    expect(plane.requests).toHaveLength(1);
    const { message } = deletion as { message: string };
    expect(message).toContain(`DeletePaymentSession ${SESSION} for user ${USER} at ${MANAGER}`);
    expect(message.includes("bedrock-agentcore:DeletePaymentSession")).toBe(kind === "denied");
  });

  test.each<[string, Answer]>([
    ["throttled for ever", THROTTLED],
    ["5xx for ever", BROKEN],
    ["no answer, the connection cut", "drop"],
    ["200 that is not JSON", { status: 200, body: "<html>busy</html>" }],
    ["200 that is null", { status: 200, body: "null" }],
    ["200 without a body", { status: 200, body: "" }],
    ["200 without a status", { status: 200, body: {} }],
    ["200 with another status", { status: 200, body: { status: "ACTIVE" } }],
    ["a list", { status: 200, body: [] }],
    ["404 of a proxy, which is no word of AgentCore's", { status: 404, body: "<html>not found</html>" }],
    ["404 of a proxy in JSON", { status: 404, body: { message: "not found" } }],
    ["a redirect", { status: 302, body: {}, headers: { location: "/login" } }],
  ])("unavailable after a bounded number of attempts: %s", async (_, answer) => {
    plane.answer(answer);
    const error = await thrown(sessionsWith({ attemptsMax: 3 }).delete(KEY, USER));
    expect(error.fault).toBe("unavailable");
    expect(error.message).toContain("no usable answer in 3 attempts");
    expect(plane.requests).toHaveLength(3);
    expect(waits).toHaveLength(2);
  });

  test.each<["hang" | "stall"]>([["hang"], ["stall"]])("slow (%s): given up in time", async (answer) => {
    plane.answer(answer);
    const error = await thrown(sessionsWith({ attemptsMax: 2, timeoutMs: 200 }).delete(KEY, USER));
    expect(error.fault).toBe("unavailable");
    expect(plane.requests).toHaveLength(2);
  });

  test("slow once, then not found", async () => {
    plane.answer("hang", GONE);
    expect(await sessionsWith({ timeoutMs: 200 }).delete(KEY, USER)).toEqual({ outcome: "not_found" });
  });

  test("credentials that never come count as no answer", async () => {
    const credentials = () => new Promise<never>(() => {});
    const error = await thrown(sessionsWith({ credentials, attemptsMax: 1, timeoutMs: 30 }).delete(KEY, USER));
    expect(error.message).toContain("no answer within 30 ms");
  });

  test("credentials that are missing are denied", async () => {
    const credentials = async () => {
      throw Object.assign(new Error(`no key ${SECRET}`), { name: "CredentialsProviderError" });
    };
    plane.answer(DELETED);
    const deletion = await sessionsWith({ credentials }).delete(KEY, USER);
    expect(deletion).toMatchObject({ outcome: "refused", fault: "denied" });
    expect(JSON.stringify(deletion)).not.toContain(SECRET);
    expect(plane.requests).toHaveLength(0);
  });

  test("down: connection refused", async () => {
    const down = await startDataPlane();
    await down.close();
    const error = await thrown(sessionsWith({ endpoint: down.endpoint }).delete(KEY, USER));
    expect(error.fault).toBe("unavailable");
    expect(error.message).toContain("ECONNREFUSED");
    expect(waits).toHaveLength(3);
  });

  test("a clock that was wrong is set right by the SDK, and the request sent again", async () => {
    const date = new Date(Date.now() + 3_600_000).toUTCString();
    plane.answer(fault(403, "InvalidSignatureException", "Signature not yet current", { date }), DELETED);
    expect(await sessionsWith().delete(KEY, USER)).toEqual({ outcome: "deleted" });
    expect(plane.requests).toHaveLength(2);
  });

  test.each([
    "",
    "manager-1",
    "arn:aws:bedrock-agentcore:us-west-2:123456789012:payment-session/x",
    "arn:aws:bedrock-agentcore:evil.example/:123456789012:payment-manager/x",
  ])("an ARN that is none is refused unasked: %j", async (managerArn) => {
    plane.answer(DELETED);
    const deletion = await sessionsWith().delete({ managerArn, sessionId: SESSION }, USER);
    expect(deletion).toMatchObject({ outcome: "refused", fault: "invalid" });
    expect((deletion as { message: string }).message).toContain(`"${managerArn}" is no ARN of a payment manager`);
    expect(plane.requests).toHaveLength(0);
  });

  test.each(["", " user-7", "user-7\r\nx-evil: 1", "Zoë", "ユーザー"])(
    "a user who cannot stand in a header is refused unasked: %j",
    async (userId) => {
      plane.answer(DELETED);
      const deletion = await sessionsWith().delete(KEY, userId);
      expect(deletion).toMatchObject({ outcome: "refused", fault: "invalid" });
      expect(plane.requests).toHaveLength(0);
    },
  );
});

describe("get", () => {
  const reads = (session: unknown) => plane.answer({ status: 200, body: { paymentSession: session } });

  test("a capped session, exact to the unit", async () => {
    reads(CAPPED);
    expect(await sessionsWith().get(KEY, USER)).toEqual({ ...LISTED, limit: 100_000_000n, available: 99_990_001n });
  });

  test.each([
    ["without limits", SUMMARY],
    ["with null for them", { ...SUMMARY, limits: null, availableLimits: null }],
    ["with no available amount", { ...SUMMARY, availableLimits: { updatedAt: "2026-03-01T10:00:00Z" } }],
  ])("an uncapped session, %s", async (_, session) => {
    reads(session);
    expect(await sessionsWith().get(KEY, null)).toEqual({ ...LISTED, limit: null, available: null });
  });

  test.each([
    ["not found", GONE],
    ["not found as a ValidationException", fault(400, "ValidationException", "session not found")],
  ])("null where there is none: %s", async (_, answer) => {
    plane.answer(answer);
    expect(await sessionsWith().get(KEY, USER)).toBeNull();
  });

  test.each<[string, unknown, string]>([
    ["no session", null, "without a paymentSession"],
    ["another currency", { ...CAPPED, limits: amount("100.00", "EUR") }, 'limits.maxSpendAmount is in "EUR"'],
    ["an amount beyond USDC's decimals", { ...CAPPED, limits: amount("1.0000001", "USD") }, '"1.0000001"'],
    ["a number for an amount", { ...CAPPED, limits: amount(100, "USD") }, "limits.maxSpendAmount is of type number"],
    ["limits without an amount, which is no missing limit", { ...CAPPED, limits: {} }, "limits.maxSpendAmount"],
    ["another session", { ...CAPPED, paymentSessionId: "other" }, "another session"],
    ["another user", { ...CAPPED, userId: "other" }, "another user"],
    ["another manager", { ...CAPPED, paymentManagerArn: "other" }, "another payment manager"],
    ["no creation", { ...CAPPED, createdAt: undefined }, "createdAt"],
    ["a creation that is no time", { ...CAPPED, createdAt: "yesterday" }, "none of AgentCore's (HTTP 200)"],
    ["no expiry", { ...CAPPED, expiryTimeInMinutes: undefined }, "expiryTimeInMinutes"],
    ["an endless expiry", { ...CAPPED, expiryTimeInMinutes: 1e12 }, "expiryTimeInMinutes"],
  ])("garbage: %s", async (_, session, words) => {
    reads(session);
    const error = await thrown(sessionsWith().get(KEY, USER));
    expect(error.fault).toBe("unavailable");
    expect(error.message).toContain(words);
    expect(plane.requests).toHaveLength(4);
  });

  function amount(value: unknown, currency: string) {
    return { maxSpendAmount: { value, currency } };
  }
});

describe("list", () => {
  test("pages of sessions, in AgentCore's order", async () => {
    const second = { ...SUMMARY, paymentSessionId: "payment-session-2", expiryTimeInMinutes: 15 };
    plane.answerBy(({ body }) => {
      const { nextToken } = JSON.parse(body) as { nextToken?: string };
      if (nextToken === undefined) return { status: 200, body: { paymentSessions: [SUMMARY], nextToken: "p2" } };
      return { status: 200, body: { paymentSessions: [second], nextToken: null } };
    });
    const sessions = sessionsWith();
    expect(await sessions.list(MANAGER, USER, null)).toEqual({ items: [LISTED], next: "p2" });
    expect(await sessions.list(MANAGER, USER, "p2")).toEqual({
      items: [{ ...LISTED, sessionId: "payment-session-2", expiresAt: "2026-03-01T10:15:00.000Z" }],
      next: null,
    });
  });

  test("a user without sessions", async () => {
    plane.answer({ status: 200, body: { paymentSessions: [] } });
    expect(await sessionsWith().list(MANAGER, USER, null)).toEqual({ items: [], next: null });
  });

  test.each<[string, Answer, string, number]>([
    ["throttled", THROTTLED, "unavailable", 4],
    ["denied", fault(403, "AccessDeniedException", "no"), "denied", 1],
    ["refused", fault(400, "ValidationException", "nextToken is invalid"), "invalid", 1],
    ["a manager that is not there", fault(404, "ResourceNotFoundException", "no manager"), "invalid", 1],
    ["no list", { status: 200, body: {} }, "unavailable", 4],
    [
      "a token back to the same page",
      { status: 200, body: { paymentSessions: [], nextToken: "p1" } },
      "unavailable",
      4,
    ],
    ["an entry of another user", page({ ...SUMMARY, userId: "other" }), "unavailable", 4],
    ["an entry without an id", page({ ...SUMMARY, paymentSessionId: "" }), "unavailable", 4],
    ["too many entries", page(...Array.from({ length: 1001 }, () => SUMMARY)), "unavailable", 4],
  ])("throws for %s", async (_, answer, kind, requests) => {
    plane.answer(answer);
    const error = await thrown(sessionsWith().list(MANAGER, USER, "p1"));
    expect(error.fault).toBe(kind);
    expect(error.message).toContain(`ListPaymentSessions for user ${USER} at ${MANAGER}`);
    expect(plane.requests).toHaveLength(requests);
  });

  function page(...paymentSessions: object[]): Answer {
    return { status: 200, body: { paymentSessions } };
  }
});

describe("instruments", () => {
  /** Lists these and shows each with its wallet; null is not found. */
  function wallets(shown: Readonly<Record<string, object | null>>): void {
    plane.answerBy(({ path, body }) => {
      if (path === "/payments/listPaymentInstruments") {
        const ids = Object.keys(shown);
        const list = ids.map((paymentInstrumentId) => ({ ...INSTRUMENT_SUMMARY, paymentInstrumentId }));
        return { status: 200, body: { paymentInstruments: list, nextToken: "p2" } };
      }
      const { paymentInstrumentId } = JSON.parse(body) as { paymentInstrumentId: string };
      const paymentInstrumentDetails = shown[paymentInstrumentId];
      if (paymentInstrumentDetails === null) return GONE;
      return {
        status: 200,
        body: { paymentInstrument: { ...INSTRUMENT, paymentInstrumentId, paymentInstrumentDetails } },
      };
    });
  }

  const wallet = (network: string, walletAddress?: string) => ({
    embeddedCryptoWallet: { network, linkedAccounts: [], ...(walletAddress === undefined ? {} : { walletAddress }) },
  });

  test("lower-case EVM addresses, null for all else, in AgentCore's order", async () => {
    wallets({
      evm: wallet("ETHEREUM", ADDRESS),
      solana: wallet("SOLANA", "7EcDhSYGxXyscszYEp35KHN8vvw3svAuLKTzXwCFLtV"),
      pending: wallet("ETHEREUM"),
      short: wallet("ETHEREUM", "0x1234"),
      card: { somethingNew: { number: 1 } },
      gone: null,
    });
    const { items, next } = await sessionsWith().instruments(MANAGER, USER, null);
    expect(next).toBe("p2");
    expect(items).toEqual([
      { instrumentId: "evm", userId: USER, address: ADDRESS.toLowerCase() },
      { instrumentId: "solana", userId: USER, address: null },
      { instrumentId: "pending", userId: USER, address: null },
      { instrumentId: "short", userId: USER, address: null },
      { instrumentId: "card", userId: USER, address: null },
      { instrumentId: "gone", userId: USER, address: null },
    ]);
  });

  test("a bounded number of instruments is read at once", async () => {
    const answer = (paymentInstrumentId: string): Answer => {
      return { status: 200, body: { paymentInstrument: { ...INSTRUMENT, paymentInstrumentId } } };
    };
    const held: (() => void)[] = [];
    let most = 0;
    plane.answerBy(async ({ path, body }) => {
      if (path === "/payments/listPaymentInstruments") {
        const ids = Array.from({ length: 9 }, (_, i) => ({ ...INSTRUMENT_SUMMARY, paymentInstrumentId: `i-${i}` }));
        return { status: 200, body: { paymentInstruments: ids } };
      }
      const { paymentInstrumentId } = JSON.parse(body) as { paymentInstrumentId: string };
      // Answers come three at a time, once three are asked for: fewer at once would wait for ever.
      await new Promise<void>((resolve) => {
        held.push(resolve);
        most = Math.max(most, held.length);
        if (held.length === 3) for (const release of held.splice(0)) release();
      });
      return answer(paymentInstrumentId);
    });
    const { items } = await sessionsWith({ concurrency: 3 }).instruments(MANAGER, USER, null);
    expect(items.map(({ instrumentId }) => instrumentId)).toEqual(Array.from({ length: 9 }, (_, i) => `i-${i}`));
    expect(most).toBe(3);
  });

  test.each<[string, Answer, string]>([
    ["denied", fault(403, "AccessDeniedException", "no"), "denied"],
    ["throttled", THROTTLED, "unavailable"],
    [
      "another instrument",
      { status: 200, body: { paymentInstrument: { ...INSTRUMENT, paymentInstrumentId: "x" } } },
      "unavailable",
    ],
    ["no instrument", { status: 200, body: {} }, "unavailable"],
  ])("throws when one of them cannot be read: %s", async (_, answer, kind) => {
    plane.answerBy(({ path }) =>
      path === "/payments/getPaymentInstrument" ? answer : { status: 200, body: ANSWERS.ListPaymentInstruments },
    );
    const error = await thrown(sessionsWith().instruments(MANAGER, USER, null));
    expect(error.fault).toBe(kind);
    expect(error.message).toContain(`GetPaymentInstrument ${INSTRUMENT_SUMMARY.paymentInstrumentId}`);
    expect(error.message.includes("bedrock-agentcore:GetPaymentInstrument, ListPaymentInstruments on that ARN")).toBe(
      kind === "denied",
    );
  });
});

describe("waits", () => {
  test.each([
    ["none", 0, [0, 0, 0]],
    ["half", 0.5, [50, 100, 200]],
    ["all but all", 0.999, [99.9, 199.8, 399.6]],
  ])("full jitter: %s of each bound", async (_, random, expected) => {
    plane.answer(THROTTLED);
    await thrown(sessionsWith({ random: () => random }).delete(KEY, USER));
    expect(waits.map((ms) => Number(ms.toFixed(3)))).toEqual(expected);
  });

  test("bounded, however many", async () => {
    plane.answer(THROTTLED);
    await thrown(sessionsWith({ random: () => 1, attemptsMax: 12 }).delete(KEY, USER));
    expect(waits).toHaveLength(11);
    expect(Math.max(...waits)).toBe(PAUSE_MS_MAX);
  });

  test.each<[string, Record<string, string>, number]>([
    ["in seconds", { "retry-after": "2" }, 2000],
    ["too long", { "retry-after": "3600" }, RETRY_AFTER_MS_MAX],
    [
      "a date, by the server's clock",
      { "retry-after": "Sun, 01 Mar 2026 10:00:03 GMT", date: "Sun, 01 Mar 2026 10:00:00 GMT" },
      3000,
    ],
    [
      "a date in the past",
      { "retry-after": "Sun, 01 Mar 2026 09:00:00 GMT", date: "Sun, 01 Mar 2026 10:00:00 GMT" },
      0,
    ],
    ["nonsense", { "retry-after": "soon" }, 0],
    ["negative", { "retry-after": "-5" }, 0],
  ])("Retry-After: %s, and the jitter on top", async (_, headers, asked) => {
    plane.answer(fault(429, "ThrottlingException", "Rate exceeded", headers), DELETED);
    await sessionsWith().delete(KEY, USER);
    expect(waits).toEqual([asked + 50]);
  });
});

describe("regions", () => {
  test.each([
    ["arn:aws:bedrock-agentcore:eu-central-1:123456789012:payment-manager/m-1", "eu-central-1"],
    ["arn:aws-cn:bedrock-agentcore:cn-north-1:123456789012:payment-manager/m-1", "cn-north-1"],
    ["arn:aws-us-gov:bedrock-agentcore:us-gov-west-1:123456789012:payment-manager/m-1", "us-gov-west-1"],
  ])("%s is signed for %s", async (managerArn, region) => {
    plane.answer(DELETED);
    const sessions = sessionsWith();
    await sessions.delete({ managerArn, sessionId: SESSION }, USER);
    expect(plane.requests[0]?.headers.authorization).toContain(`/${region}/bedrock-agentcore/`);
  });

  test("made-up regions without end are refused", async () => {
    plane.answer(DELETED);
    const sessions = sessionsWith();
    const key = (i: number) => ({ ...KEY, managerArn: MANAGER.replace("us-west-2", `made-up-${i}`) });
    for (let i = 0; i < 64; i++) expect(await sessions.delete(key(i), USER)).toEqual({ outcome: "deleted" });
    expect(await sessions.delete(key(64), USER)).toMatchObject({ outcome: "refused", fault: "invalid" });
    expect(await sessions.delete(key(0), USER)).toEqual({ outcome: "deleted" });
  });
});

describe("secrets", () => {
  const canonical = `The Canonical String for this request should have been 'POST x-amz-security-token:${TOKEN}'`;
  test.each<[string, Answer]>([
    ["a signature error with the request in it", fault(403, "InvalidSignatureException", canonical)],
    ["the same under another name", fault(400, "ValidationException", canonical)],
    ["an Authorization header", fault(400, "IncompleteSignatureException", `Signature=${"ab".repeat(32)}`)],
    ["a signature in a payload", fault(400, "ValidationException", `bad signature 0x${"ab".repeat(65)}`)],
    ["half a signature", fault(400, "ValidationException", `bad r ${"ab".repeat(32)}`)],
    ["a token of a web login", fault(400, "ValidationException", "bad eyJhbGciOiJFUzI1NiJ9.c2VjcmV0.c2ln")],
    ["a key", fault(403, "AccessDeniedException", "AKIAIOSFODNN7EXAMPLE may not, Authorization: Basic-c2VjcmV0")],
    ["a body that is no JSON", { status: 200, body: `<p>${TOKEN}</p>` }],
  ])("stay out of messages: %s", async (_, answer) => {
    plane.answer(answer);
    const error = await thrown(sessionsWith({ attemptsMax: 1 }).list(MANAGER, USER, null));
    const told = `${error.message} ${error.stack} ${JSON.stringify(error)} ${String(error.cause)}`;
    for (const secret of [TOKEN.slice(0, 40), SECRET, "ab".repeat(16), "AKIAIOSFODNN7EXAMPLE", "c2VjcmV0"]) {
      expect(told).not.toContain(secret);
    }
  });

  test("AWS's words are cleaned and cut, and stand last", async () => {
    plane.answer(fault(403, "AccessDeniedException", `not\u0000 \u202eallowed\n${"so ".repeat(500)}`));
    const { message } = await thrown(sessionsWith().get(KEY, USER));
    expect(message).toMatchInlineSnapshot(
      `"GetPaymentSession payment-session-AbCdEfGhIjKlMnO for user user-7 at arn:aws:bedrock-agentcore:us-west-2:123456789012:payment-manager/manager-ab12cd34ef: denied. Check the credentials; allow bedrock-agentcore:GetPaymentSession, ListPaymentSessions, DeletePaymentSession on that ARN. AWS: AccessDeniedException: not allowed so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so so"`,
    );
  });
});

describe("close", () => {
  test("ends what is under way and what comes later", async () => {
    const sessions = sessionsWith();
    const asked = new Promise<void>((resolve) => {
      plane.answerBy(() => {
        resolve();
        return "hang";
      });
    });
    const under = thrown(sessions.delete(KEY, USER));
    await asked;
    sessions.close();
    expect((await under).fault).toBe("unavailable");
    expect(plane.requests).toHaveLength(1);
    expect((await thrown(sessions.delete(KEY, USER))).message).toContain("closed");
    expect(plane.requests).toHaveLength(1);
  });

  test("ends a wait", async () => {
    plane.answer(fault(429, "ThrottlingException", "Rate exceeded", { "retry-after": "3600" }));
    const sessions = createSessions({
      endpoint: plane.endpoint,
      credentials: { accessKeyId: "A", secretAccessKey: "B" },
      // The wait has begun when the jitter is drawn; it is long, and close cuts it.
      random: () => {
        setImmediate(() => sessions.close());
        return 1;
      },
    });
    const started = performance.now();
    expect((await thrown(sessions.delete(KEY, USER))).fault).toBe("unavailable");
    expect(performance.now() - started).toBeLessThan(RETRY_AFTER_MS_MAX);
  });
});

test.each([{ attemptsMax: 0 }, { timeoutMs: Number.NaN }, { concurrency: 1.5 }])(
  "%j leaves nothing to do",
  (options) => {
    expect(() => createSessions(options)).toThrow(RangeError);
  },
);
