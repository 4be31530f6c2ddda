/** What goes over the wire, held against the SDK's own model, so that no expectation of ours passes for AgentCore's. */
import {
  AccessDeniedException,
  DeletePaymentSession$,
  GetPaymentInstrument$,
  GetPaymentSession$,
  InternalServerException,
  ListPaymentInstruments$,
  ListPaymentSessions$,
  PaymentInstrumentSummary$,
  PaymentSessionSummary$,
  ResourceNotFoundException,
  ThrottlingException,
  ValidationException,
} from "@aws-sdk/client-bedrock-agentcore";
import { afterAll, beforeAll, expect, test } from "vitest";
import { createSessions } from "../src/sessions.ts";
import { type DataPlane, type Recorded, startDataPlane } from "./data-plane.ts";
import { ANSWERS, INSTRUMENT_SUMMARY, KEY, MANAGER, SESSION, USER } from "./fixtures.ts";

type Operation = keyof typeof ANSWERS;

const USER_HEADER = "x-amzn-bedrock-agentcore-payments-user-id";

/** What we believe each operation sends. */
const EXPECTED: { readonly [Name in Operation]: { path: string; body: Record<string, unknown> } } = {
  DeletePaymentSession: {
    path: "/payments/deletePaymentSession",
    body: { paymentManagerArn: MANAGER, paymentSessionId: SESSION },
  },
  GetPaymentSession: {
    path: "/payments/getPaymentSession",
    body: { paymentManagerArn: MANAGER, paymentSessionId: SESSION },
  },
  ListPaymentSessions: {
    path: "/payments/listPaymentSessions",
    body: { paymentManagerArn: MANAGER, nextToken: "page-1" },
  },
  ListPaymentInstruments: {
    path: "/payments/listPaymentInstruments",
    body: { paymentManagerArn: MANAGER, nextToken: "page-1" },
  },
  GetPaymentInstrument: {
    path: "/payments/getPaymentInstrument",
    body: {
      paymentManagerArn: MANAGER,
      paymentConnectorId: INSTRUMENT_SUMMARY.paymentConnectorId,
      paymentInstrumentId: INSTRUMENT_SUMMARY.paymentInstrumentId,
    },
  },
};
const MODEL: { readonly [Name in Operation]: unknown } = {
  DeletePaymentSession: DeletePaymentSession$,
  GetPaymentSession: GetPaymentSession$,
  ListPaymentSessions: ListPaymentSessions$,
  ListPaymentInstruments: ListPaymentInstruments$,
  GetPaymentInstrument: GetPaymentInstrument$,
};
const OPERATIONS = Object.keys(EXPECTED) as Operation[];

let plane: DataPlane;
const recorded = new Map<Operation, Recorded>();

beforeAll(async () => {
  plane = await startDataPlane();
  plane.answerBy(({ path }) => {
    const operation = OPERATIONS.find((name) => http(name)[1] === path) as Operation;
    return { status: 200, body: ANSWERS[operation] };
  });
  const sessions = createSessions({
    endpoint: plane.endpoint,
    credentials: { accessKeyId: "AKIAIOSFODNN7EXAMPLE", secretAccessKey: "secret" },
  });
  await sessions.delete(KEY, USER);
  await sessions.get(KEY, USER);
  await sessions.list(MANAGER, USER, "page-1");
  await sessions.instruments(MANAGER, USER, "page-1");
  for (const request of plane.requests) {
    recorded.set(OPERATIONS.find((name) => http(name)[1] === request.path) as Operation, request);
  }
  sessions.close();
});

afterAll(() => plane.close());

test("each operation is called once", () => {
  expect(plane.requests).toHaveLength(OPERATIONS.length);
  expect([...recorded.keys()].sort()).toEqual([...OPERATIONS].sort());
});

test.each(OPERATIONS)("%s: method, path, header of the user and body", (name) => {
  const { method, path, headers, body } = recorded.get(name) as Recorded;
  expect(method).toBe("POST");
  expect(path).toBe(EXPECTED[name].path);
  expect(headers[USER_HEADER]).toBe(USER);
  expect(headers["content-type"]).toBe("application/json");
  expect(JSON.parse(body)).toEqual(EXPECTED[name].body);
});

test.each(OPERATIONS)("%s is signed for the manager's region, the user's header included", (name) => {
  const { authorization = "" } = (recorded.get(name) as Recorded).headers;
  expect(authorization).toMatch(/Credential=AKIAIOSFODNN7EXAMPLE\/\d{8}\/us-west-2\/bedrock-agentcore\/aws4_request,/);
  expect(authorization).toContain(USER_HEADER);
});

test.each(OPERATIONS)("%s is what the SDK's model binds", (name) => {
  const { method, path, headers, body } = recorded.get(name) as Recorded;
  const [modelMethod, modelPath] = http(name);
  expect([method, path]).toEqual([modelMethod, modelPath]);

  const members = membersOf(operation(name)[4]());
  const bound = new Map(members.map(({ name, header }) => [name, header]));
  expect(bound.get("userId")?.toLowerCase()).toBe(USER_HEADER);
  for (const { name, header } of members) {
    if (header !== null && name !== "userId") expect(headers[header.toLowerCase()]).toBeUndefined();
  }
  const sent = JSON.parse(body) as Record<string, unknown>;
  for (const field of Object.keys(sent)) expect([field, bound.get(field)]).toEqual([field, null]);
  for (const { name, required } of members) if (required) expect(sent).toHaveProperty(name);
});

test.each(OPERATIONS)("%s: the answer that the tests give has the model's shape", (name) => {
  expect(differences(operation(name)[5](), ANSWERS[name], name)).toEqual([]);
});

test("a list's summary has what the port asks for and no limits, so that no session is read for a list", () => {
  const names = membersOf(PaymentSessionSummary$).map(({ name }) => name);
  expect(names).toEqual([
    "paymentSessionId",
    "paymentManagerArn",
    "userId",
    "expiryTimeInMinutes",
    "createdAt",
    "updatedAt",
  ]);
});

test("an instrument's summary has no address, so that each is read", () => {
  const names = membersOf(PaymentInstrumentSummary$).map(({ name }) => name);
  expect(names).not.toContain("paymentInstrumentDetails");
});

test("errors that deletion may answer have the names in the SDK that we sort them by", () => {
  const detail = { message: "", $metadata: {}, reason: undefined };
  expect([
    new AccessDeniedException(detail).name,
    new InternalServerException(detail).name,
    new ResourceNotFoundException(detail).name,
    new ThrottlingException(detail).name,
    new ValidationException(detail).name,
  ]).toEqual([
    "AccessDeniedException",
    "InternalServerException",
    "ResourceNotFoundException",
    "ThrottlingException",
    "ValidationException",
  ]);
});

test("without a user the header is not sent", async () => {
  const sessions = createSessions({
    endpoint: plane.endpoint,
    credentials: { accessKeyId: "A", secretAccessKey: "B" },
  });
  plane.answer({ status: 200, body: ANSWERS.DeletePaymentSession });
  await sessions.delete(KEY, null);
  sessions.close();
  expect(plane.requests).toHaveLength(1);
  expect(Object.keys((plane.requests[0] as Recorded).headers)).not.toContain(USER_HEADER);
});

/** The SDK's schemas are arrays: [9, namespace, name, traits, input, output], [3, ns, name, traits, names, types, required]. */
type OperationSchema = readonly [9, string, string, { http: [string, string, number] }, () => unknown, () => unknown];

function operation(name: Operation): OperationSchema {
  return MODEL[name] as unknown as OperationSchema;
}

function http(name: Operation): [string, string, number] {
  return operation(name)[3].http;
}

interface Member {
  readonly name: string;
  readonly type: unknown;
  readonly header: string | null;
  readonly required: boolean;
}

function membersOf(schema: unknown): Member[] {
  const [, , , , names, types, required = 0] = schema as [
    unknown,
    unknown,
    unknown,
    unknown,
    string[],
    unknown[],
    number,
  ];
  return names.map((name, index) => {
    const type = types[index];
    const traits = Array.isArray(type) && typeof type[1] === "object" ? (type[1] as { httpHeader?: string }) : {};
    return { name, type, header: traits?.httpHeader ?? null, required: index < required };
  });
}

/** Fields that the model does not know, or that it requires and the value lacks. */
function differences(type: unknown, value: unknown, path: string): string[] {
  const bare = Array.isArray(type) && type.length === 2 ? type[0] : type;
  const schema = typeof bare === "function" ? bare() : bare;
  if (!Array.isArray(schema)) return [];
  if (schema[0] === 1)
    return (value as unknown[]).flatMap((entry, i) => differences(schema[4], entry, `${path}[${i}]`));
  if (schema[0] !== 3 && schema[0] !== 4) return [];
  const members = membersOf(schema);
  const fields = value as Record<string, unknown>;
  return [
    ...Object.keys(fields).flatMap((field) => {
      const member = members.find(({ name }) => name === field);
      if (member === undefined) return [`${path}.${field}: not in the model`];
      return differences(member.type, fields[field], `${path}.${field}`);
    }),
    ...members
      .filter(({ name, required }) => required && !(name in fields))
      .map(({ name }) => `${path}.${name}: required by the model`),
  ];
}
