import {
  CreatePaymentInstrumentCommand,
  CreatePaymentSessionCommand,
  DeletePaymentInstrumentCommand,
  DeletePaymentSessionCommand,
  GetPaymentInstrumentBalanceCommand,
  GetPaymentInstrumentCommand,
  GetPaymentSessionCommand,
  ListPaymentInstrumentsCommand,
  ListPaymentSessionsCommand,
  ProcessPaymentCommand,
  paginateListPaymentSessions,
} from "@aws-sdk/client-bedrock-agentcore";
import { type Hex, verifyTypedData } from "viem";
import { describe, expect, test } from "vitest";
import type { Fault } from "../src/agentcore/data-plane.ts";
import type { Proof } from "../src/agentcore/payer.ts";
import { type Authorization, TRANSFER_TYPES } from "../src/authorization.ts";
import { USDC_DOMAIN } from "../src/usdc.ts";
import { ACCOUNTS, MANAGER, NOW, OTHER_MANAGER, offerOf, planeForTest, refusalOf } from "./data-plane.ts";

const TOKEN = "00000000-0000-4000-8000-000000000001";
const USER = { paymentManagerArn: MANAGER, userId: "research" };
const OPEN = { ...USER, expiryTimeInMinutes: 15 };
const usd = (value: string) => ({ maxSpendAmount: { value, currency: "USD" } }) as const;

describe("CreatePaymentSession", () => {
  test("opens a capped session, as it then is read", async () => {
    const { client } = await planeForTest();
    const created = await client.send(new CreatePaymentSessionCommand({ ...OPEN, limits: usd("20") }));
    expect(created.$metadata.httpStatusCode).toBe(201);
    expect(created.paymentSession).toEqual({
      paymentSessionId: expect.stringMatching(/^payment-session-[0-9a-z]{15}$/),
      paymentManagerArn: MANAGER,
      userId: "research",
      expiryTimeInMinutes: 15,
      createdAt: new Date(NOW),
      updatedAt: new Date(NOW),
      limits: usd("20.000000"),
      availableLimits: { availableSpendAmount: { value: "20.000000", currency: "USD" }, updatedAt: new Date(NOW) },
    });
    const { paymentSessionId } = created.paymentSession ?? {};
    const read = await client.send(new GetPaymentSessionCommand({ ...USER, paymentSessionId }));
    expect(read.paymentSession).toEqual(created.paymentSession);
  });

  test("opens one without a cap", async () => {
    const { client } = await planeForTest();
    const { paymentSession } = await client.send(new CreatePaymentSessionCommand(OPEN));
    expect(paymentSession).not.toHaveProperty("limits");
    expect(paymentSession).not.toHaveProperty("availableLimits");
  });

  test("is done once for one client token", async () => {
    const { client, plane } = await planeForTest();
    const call = { ...OPEN, clientToken: TOKEN };
    const [first, second] = await Promise.all([
      client.send(new CreatePaymentSessionCommand(call)),
      client.send(new CreatePaymentSessionCommand(call)),
    ]);
    expect(second.paymentSession).toEqual(first.paymentSession);
    expect(plane.sessions()).toHaveLength(1);
    const [name, message] = await refusalOf(
      client.send(new CreatePaymentSessionCommand({ ...call, expiryTimeInMinutes: 16 })),
    );
    expect([name, message]).toEqual(["ValidationException", expect.stringContaining("clientToken was used before")]);
    await client.send(new CreatePaymentSessionCommand({ ...call, userId: "trader" }));
    expect(plane.sessions()).toHaveLength(2);
  });

  test.each([
    [{ expiryTimeInMinutes: 14 }, "integer between 15 and 480"],
    [{ expiryTimeInMinutes: 481 }, "integer between 15 and 480"],
    [{ expiryTimeInMinutes: 15.5 }, "integer between 15 and 480"],
    [{ paymentManagerArn: "payment-manager/demo" }, "regular expression pattern"],
    [{ clientToken: "short" }, "length between 33 and 256"],
    [{ limits: usd("5,00") }, "decimal amount"],
    [{ limits: usd("-5") }, "decimal amount"],
    [{ limits: usd("0.0000001") }, "decimal amount"],
    [{ limits: { maxSpendAmount: { value: "5", currency: "EUR" as "USD" } } }, "enum value set: [USD]"],
  ])("refuses %j", async (wrong, said) => {
    const { client, plane } = await planeForTest();
    const error = await client.send(new CreatePaymentSessionCommand({ ...OPEN, ...wrong })).catch((thrown) => thrown);
    expect(error).toMatchObject({
      name: "ValidationException",
      message: expect.stringContaining(said),
      reason: "FieldValidationFailed",
      fieldList: [{ name: expect.any(String), message: expect.any(String) }],
      $metadata: { httpStatusCode: 400 },
    });
    expect(plane.sessions()).toEqual([]);
  });

  test("finds no manager but its own", async () => {
    const { client } = await planeForTest({ managerArns: [MANAGER] });
    const call = { ...OPEN, paymentManagerArn: OTHER_MANAGER };
    expect(await refusalOf(client.send(new CreatePaymentSessionCommand(call)))).toEqual([
      "ResourceNotFoundException",
      `Payment manager not found: ${OTHER_MANAGER}`,
    ]);
  });
});

describe("a session", () => {
  test.each([
    ["another user", { userId: "trader" }],
    ["no user", { userId: undefined }],
    ["another manager", { paymentManagerArn: OTHER_MANAGER }],
  ])("is not found by %s, neither to read nor to delete nor to pay", async (_who, change) => {
    const { client, plane, payer } = await planeForTest();
    const { sessionId } = await (await payer()).openSession();
    const named = { ...USER, ...change, paymentSessionId: sessionId };
    const gone = ["ResourceNotFoundException", `Payment session not found: ${sessionId}`];
    expect(await refusalOf(client.send(new GetPaymentSessionCommand(named)))).toEqual(gone);
    expect(await refusalOf(client.send(new DeletePaymentSessionCommand(named)))).toEqual(gone);
    expect(plane.sessions()).toHaveLength(1);
    const theirs = await client.send(
      new CreatePaymentInstrumentCommand({
        ...named,
        paymentConnectorId: "wallets-0123456789",
        paymentInstrumentType: "EMBEDDED_CRYPTO_WALLET",
        paymentInstrumentDetails: { embeddedCryptoWallet: { network: "ETHEREUM", linkedAccounts: [] } },
      }),
    );
    const call = {
      ...named,
      paymentInstrumentId: theirs.paymentInstrument?.paymentInstrumentId,
      paymentType: "CRYPTO_X402",
      paymentInput: { cryptoX402: { version: "2", payload: { ...offerOf(1n) } } },
    } as const;
    expect(await refusalOf(client.send(new ProcessPaymentCommand(call)))).toEqual([
      "ValidationException",
      `Payment session not found: ${sessionId}`,
    ]);
  });

  test("is deleted once and for good", async () => {
    const { client, plane, payer } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession();
    const named = { ...USER, paymentSessionId: session.sessionId };
    const { status } = await client.send(new DeletePaymentSessionCommand(named));
    expect(status).toBe("DELETED");
    const gone = ["ResourceNotFoundException", `Payment session not found: ${session.sessionId}`];
    expect(await refusalOf(client.send(new DeletePaymentSessionCommand(named)))).toEqual(gone);
    expect(await refusalOf(client.send(new GetPaymentSessionCommand(named)))).toEqual(gone);
    expect(plane.sessions()).toEqual([]);
  });
});

describe("ListPaymentSessions", () => {
  test("pages through a user's own, in the order of opening, over deletions", async () => {
    const { client, payer } = await planeForTest();
    const agent = await payer();
    const ids: string[] = [];
    for (let n = 0; n < 5; n++) ids.push((await agent.openSession({ limitUsd: "1" })).sessionId);
    await (await payer("trader")).openSession();
    await (await payer("research", OTHER_MANAGER)).openSession();

    const first = await client.send(new ListPaymentSessionsCommand({ ...USER, maxResults: 2 }));
    expect(first.paymentSessions?.map(({ paymentSessionId }) => paymentSessionId)).toEqual(ids.slice(0, 2));
    expect(first.paymentSessions?.[0]).not.toHaveProperty("limits");
    await client.send(new DeletePaymentSessionCommand({ ...USER, paymentSessionId: ids[1] }));
    const { nextToken } = first;
    const second = await client.send(new ListPaymentSessionsCommand({ ...USER, maxResults: 2, nextToken }));
    expect(second.paymentSessions?.map(({ paymentSessionId }) => paymentSessionId)).toEqual(ids.slice(2, 4));

    // The paginator writes into the input that it is given.
    const seen: (string | undefined)[] = [];
    for await (const page of paginateListPaymentSessions({ client, pageSize: 3 }, { ...USER }))
      seen.push(...(page.paymentSessions ?? []).map(({ paymentSessionId }) => paymentSessionId));
    expect(seen).toEqual([ids[0], ...ids.slice(2)]);
  });

  test("ends with a full page without a token", async () => {
    const { client, payer } = await planeForTest();
    const agent = await payer();
    for (let n = 0; n < 2; n++) await agent.openSession();
    expect(await client.send(new ListPaymentSessionsCommand({ ...USER, maxResults: 2 }))).not.toHaveProperty(
      "nextToken",
    );
  });

  test.each([{ nextToken: "x" }, { maxResults: 0 }, { maxResults: 101 }])("refuses %j", async (wrong) => {
    const { client } = await planeForTest();
    const [name] = await refusalOf(client.send(new ListPaymentSessionsCommand({ ...USER, ...wrong })));
    expect(name).toBe("ValidationException");
  });
});

describe("payment instruments", () => {
  const create = (walletAddress?: string) =>
    new CreatePaymentInstrumentCommand({
      ...USER,
      paymentConnectorId: "wallets-0123456789",
      paymentInstrumentType: "EMBEDDED_CRYPTO_WALLET",
      paymentInstrumentDetails: {
        embeddedCryptoWallet: {
          network: "ETHEREUM",
          linkedAccounts: [{ email: { emailAddress: "a@example.com" } }],
          walletAddress,
        },
      },
    });

  test("are wallets over the given accounts, read and listed for their user", async () => {
    const { client } = await planeForTest();
    const { paymentInstrument: made, $metadata } = await client.send(create());
    expect($metadata.httpStatusCode).toBe(201);
    expect(made).toEqual({
      paymentInstrumentId: expect.stringMatching(/^payment-instrument-[0-9a-z]{15}$/),
      paymentManagerArn: MANAGER,
      paymentConnectorId: "wallets-0123456789",
      userId: "research",
      paymentInstrumentType: "EMBEDDED_CRYPTO_WALLET",
      paymentInstrumentDetails: {
        embeddedCryptoWallet: {
          network: "ETHEREUM",
          linkedAccounts: [{ email: { emailAddress: "a@example.com" } }],
          walletAddress: ACCOUNTS[0]?.address,
        },
      },
      status: "ACTIVE",
      createdAt: new Date(NOW),
      updatedAt: new Date(NOW),
    });
    const named = { ...USER, paymentInstrumentId: made?.paymentInstrumentId };
    expect((await client.send(new GetPaymentInstrumentCommand(named))).paymentInstrument).toEqual(made);
    const { paymentInstrumentDetails: _, ...summary } = made ?? {};
    const { paymentInstruments } = await client.send(new ListPaymentInstrumentsCommand(USER));
    expect(paymentInstruments).toEqual([summary]);
    const others = await client.send(new ListPaymentInstrumentsCommand({ ...USER, userId: "trader" }));
    expect(others.paymentInstruments).toEqual([]);
    const [name] = await refusalOf(client.send(new GetPaymentInstrumentCommand({ ...named, userId: "trader" })));
    expect(name).toBe("ResourceNotFoundException");
  });

  test("are over the account that is asked for, or none", async () => {
    const { client } = await planeForTest();
    const { paymentInstrument } = await client.send(create(ACCOUNTS[2]?.address.toLowerCase()));
    expect(paymentInstrument?.paymentInstrumentDetails?.embeddedCryptoWallet?.walletAddress).toBe(ACCOUNTS[2]?.address);
    const [name, message] = await refusalOf(client.send(create(`0x${"1".repeat(40)}`)));
    expect([name, message]).toEqual(["ValidationException", expect.stringContaining("none of this connector's")]);
    for (let n = 0; n < 2; n++) await client.send(create());
    expect(await refusalOf(client.send(create()))).toEqual([
      "ServiceQuotaExceededException",
      "All 3 wallets are taken",
    ]);
  });

  test("that are deleted sign nothing and are not shown", async () => {
    const { client, payer } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession();
    const named = { ...USER, paymentConnectorId: "demo-wallets-0000000000", paymentInstrumentId: agent.instrumentId };
    const { status } = await client.send(new DeletePaymentInstrumentCommand(named));
    expect(status).toBe("DELETED");
    expect((await client.send(new ListPaymentInstrumentsCommand(USER))).paymentInstruments).toEqual([]);
    const [name] = await refusalOf(client.send(new DeletePaymentInstrumentCommand(named)));
    expect(name).toBe("ResourceNotFoundException");
    expect(await refusalOf(agent.pay(session, offerOf(1n)))).toEqual([
      "ValidationException",
      `Payment instrument is inactive: ${agent.instrumentId}`,
    ]);
  });
});

describe("ProcessPayment", () => {
  test("signs what the offer asks for, and takes it out of the session", async () => {
    const { client, payer } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    const offer = offerOf(250_000n);
    const answer = await client.send(
      new ProcessPaymentCommand({
        ...USER,
        paymentSessionId: session.sessionId,
        paymentInstrumentId: agent.instrumentId,
        paymentType: "CRYPTO_X402",
        paymentInput: { cryptoX402: { version: "2", payload: { ...offer } } },
      }),
    );
    expect(answer).toMatchObject({
      $metadata: { httpStatusCode: 200 },
      processPaymentId: expect.stringMatching(/^process-payment-/),
      paymentManagerArn: MANAGER,
      paymentSessionId: session.sessionId,
      paymentInstrumentId: agent.instrumentId,
      paymentType: "CRYPTO_X402",
      status: "PROOF_GENERATED",
      createdAt: new Date(NOW),
      updatedAt: new Date(NOW),
    });
    const payload = answer.paymentOutput?.cryptoX402?.payload as unknown as Omit<Proof, "processPaymentId">;
    expect(Object.keys(payload).sort()).toEqual(["authorization", "signature"]);
    expect(payload.authorization).toEqual({
      from: ACCOUNTS[0]?.address,
      to: offer.payTo,
      value: "250000",
      validAfter: "0",
      validBefore: String(NOW / 1000 + 60),
      nonce: expect.stringMatching(/^0x[0-9a-f]{64}$/),
    });
    expect(await verified(payload)).toBe(true);
    const { paymentSession } = await client.send(
      new GetPaymentSessionCommand({ ...USER, paymentSessionId: session.sessionId }),
    );
    expect(paymentSession?.availableLimits?.availableSpendAmount?.value).toBe("0.750000");
  });

  test("signs exactly the cap, and not one unit more", async () => {
    const { payer } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    await agent.pay(session, offerOf(600_000n));
    expect(await refusalOf(agent.pay(session, offerOf(400_001n)))).toEqual([
      "ValidationException",
      `Insufficient budget in payment session ${session.sessionId}: the payment is 0.400001 USD and 0.400000 USD are available`,
    ]);
    await agent.pay(session, offerOf(400_000n));
    expect((await refusalOf(agent.pay(session, offerOf(1n))))[1]).toContain("Insufficient budget");
  });

  test("never signs for more than the cap, however many ask at once", async () => {
    const { payer, plane } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    const results = await Promise.allSettled(Array.from({ length: 40 }, () => agent.pay(session, offerOf(70_000n))));
    const signed = results.filter(({ status }) => status === "fulfilled");
    expect(signed).toHaveLength(14);
    expect(plane.sessions().map(({ spent }) => spent)).toEqual([980_000n]);
  });

  test("signs without a cap for whatever is asked", async () => {
    const { payer } = await planeForTest();
    const agent = await payer();
    const { authorization } = await agent.pay(await agent.openSession(), offerOf(10n ** 15n));
    expect(authorization.value).toBe("1000000000000000");
  });

  test("signs until the expiry and not from then on", async () => {
    const { payer, wait } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession({ expiryMinutes: 15 });
    wait(14.999);
    await agent.pay(session, offerOf(1n));
    wait(0.001);
    expect(await refusalOf(agent.pay(session, offerOf(1n)))).toEqual([
      "ValidationException",
      `Payment session has expired: ${session.sessionId}`,
    ]);
  });

  test("signs nothing after the deletion; what was signed stays signed", async () => {
    const { client, payer } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession();
    const before = await agent.pay(session, offerOf(1n));
    await client.send(new DeletePaymentSessionCommand({ ...USER, paymentSessionId: session.sessionId }));
    expect(await refusalOf(agent.pay(session, offerOf(1n)))).toEqual([
      "ValidationException",
      `Payment session not found: ${session.sessionId}`,
    ]);
    expect(await verified(before)).toBe(true);
  });

  test("is done once for one client token", async () => {
    const { client, payer, plane } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    const call = (amount: bigint) =>
      client.send(
        new ProcessPaymentCommand({
          ...USER,
          paymentSessionId: session.sessionId,
          paymentInstrumentId: agent.instrumentId,
          paymentType: "CRYPTO_X402",
          paymentInput: { cryptoX402: { version: "2", payload: { ...offerOf(amount) } } },
          clientToken: TOKEN,
        }),
      );
    const [first, second] = await Promise.all([call(500_000n), call(500_000n)]);
    expect(second.processPaymentId).toBe(first.processPaymentId);
    expect(second.paymentOutput).toEqual(first.paymentOutput);
    expect(plane.sessions()[0]?.spent).toBe(500_000n);
    expect((await refusalOf(call(1n)))[1]).toContain("clientToken was used before");
  });

  test("can be tried again under its token when it failed", async () => {
    const { payer } = await planeForTest({ fault: failing(1, "throttle") });
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    await agent.pay(session, offerOf(1_000_000n)); // the client's own retry
  });

  test("a lost answer is asked for again and costs nothing more", async () => {
    const { payer, plane } = await planeForTest({ fault: failing(1, "lost") });
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    await agent.pay(session, offerOf(600_000n));
    expect(plane.sessions()[0]?.spent).toBe(600_000n);
  });

  test.each([
    [{ scheme: "upto" }, "Unsupported x402 scheme: upto"],
    [{ network: "eip155:8453" }, "Unsupported x402 network: eip155:8453"],
    [{ asset: `0x${"1".repeat(40)}` }, "Unsupported x402 asset"],
    [{ amount: "1.5" }, "atomic units"],
    [{ amount: "-1" }, "atomic units"],
    [{ amount: String(2n ** 256n) }, "atomic units"],
    [{ payTo: "0x1" }, "must be an address"],
    [{ maxTimeoutSeconds: 0 }, "integer between 1 and"],
  ])("refuses an offer with %j, and takes nothing", async (wrong, said) => {
    const { payer, plane } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession({ limitUsd: "1.00" });
    const [name, message] = await refusalOf(agent.pay(session, { ...offerOf(1n), ...wrong }));
    expect([name, message]).toEqual(["ValidationException", expect.stringContaining(said)]);
    expect(plane.sessions()[0]?.spent).toBe(0n);
  });

  test("signs for version 1, by its names", async () => {
    const { client, payer } = await planeForTest();
    const agent = await payer();
    const session = await agent.openSession();
    const { amount, ...rest } = offerOf(7n);
    const { paymentOutput } = await client.send(
      new ProcessPaymentCommand({
        ...USER,
        paymentSessionId: session.sessionId,
        paymentInstrumentId: agent.instrumentId,
        paymentType: "CRYPTO_X402",
        paymentInput: {
          cryptoX402: { version: "1", payload: { ...rest, network: "arbitrum", maxAmountRequired: amount } },
        },
      }),
    );
    expect(paymentOutput?.cryptoX402).toMatchObject({ version: "1", payload: { authorization: { value: "7" } } });
  });
});

describe("the protocol", () => {
  const post = (url: string, path: string, body: string, method = "POST") =>
    fetch(`${url}${path}`, { method, ...(method === "GET" ? {} : { body }) });

  test("has AWS's answers for what is no call", async () => {
    const { url, client } = await planeForTest();
    const unknown = await post(url, "/payments/updatePaymentSession", "{}");
    expect([unknown.status, unknown.headers.get("x-amzn-errortype")]).toEqual([404, "UnknownOperationException"]);
    const read = await post(url, "/payments/getPaymentSession", "", "GET");
    expect([read.status, read.headers.get("x-amzn-errortype")]).toEqual([404, "UnknownOperationException"]);
    for (const body of ["{", "[]", '"x"']) {
      const broken = await post(url, "/payments/getPaymentSession", body);
      expect([broken.status, broken.headers.get("x-amzn-errortype")]).toEqual([400, "SerializationException"]);
    }
    const large = await post(url, "/payments/getPaymentSession", JSON.stringify({ x: "x".repeat(300_000) }));
    expect(large.headers.get("x-amzn-errortype")).toBe("SerializationException");
    const balance = {
      ...USER,
      paymentConnectorId: "c",
      paymentInstrumentId: "i",
      chain: "BASE",
      token: "USDC",
    } as const;
    const [name] = await refusalOf(client.send(new GetPaymentInstrumentBalanceCommand(balance)));
    expect(name).toBe("BedrockAgentCoreServiceException");
  });

  test("names the field that is missing", async () => {
    const { url } = await planeForTest();
    const answer = await post(url, "/payments/getPaymentSession", JSON.stringify({ paymentManagerArn: MANAGER }));
    expect(answer.headers.get("x-amzn-errortype")).toBe("ValidationException");
    const message = "Value null at 'paymentSessionId' failed to satisfy constraint: Member must not be null";
    expect(await answer.json()).toEqual({
      message: `1 validation error detected: ${message}`,
      reason: "FieldValidationFailed",
      fieldList: [{ name: "paymentSessionId", message }],
    });
  });

  test.each<[Fault, string, string]>([
    ["throttle", "ThrottlingException", "Rate exceeded"],
    ["deny", "AccessDeniedException", "not authorized"],
    ["internal", "InternalServerException", "internal error"],
    ["garbage", "SyntaxError", "Unexpected token"],
  ])("answers %s when it is told to, and does nothing", async (fault, name, said) => {
    const { client, plane } = await planeForTest({ fault: () => fault });
    const [thrown, message] = await refusalOf(client.send(new CreatePaymentSessionCommand(OPEN)));
    expect([thrown, message]).toEqual([name, expect.stringContaining(said)]);
    expect(plane.sessions()).toEqual([]);
  });

  test("is slow when it is told to, for the operation meant, and tells of each call", async () => {
    const calls: [string, number][] = [];
    const { client } = await planeForTest({
      fault: (operation, input) =>
        operation === "CreatePaymentSession" && input.userId === "research" ? { delayMs: 80 } : undefined,
      onCall: (operation, at) => calls.push([operation, at]),
    });
    const startedAt = performance.now();
    await client.send(new CreatePaymentSessionCommand(OPEN));
    expect(performance.now() - startedAt).toBeGreaterThan(75);
    await client.send(new ListPaymentSessionsCommand(USER));
    expect(calls).toEqual([
      ["CreatePaymentSession", NOW],
      ["ListPaymentSessions", NOW],
    ]);
  });
});

/** A fault of the first `times` payments. */
function failing(times: number, fault: Fault) {
  let left = times;
  return (operation: string): Fault | undefined => (operation === "ProcessPayment" && left-- > 0 ? fault : undefined);
}

function verified({ authorization, signature }: Omit<Proof, "processPaymentId">): Promise<boolean> {
  const { from, to, value, validAfter, validBefore, nonce } = authorization;
  const message = {
    ...({ from, to, nonce } as Pick<Authorization, "from" | "to" | "nonce">),
    value: BigInt(value),
    validAfter: BigInt(validAfter),
    validBefore: BigInt(validBefore),
  };
  return verifyTypedData({
    address: message.from,
    domain: USDC_DOMAIN,
    types: TRANSFER_TYPES,
    primaryType: "TransferWithAuthorization",
    message,
    signature: signature as Hex,
  });
}
