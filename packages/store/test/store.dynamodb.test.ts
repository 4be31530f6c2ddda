/** The DynamoDB adapter: the contract on a real engine, and how it takes that engine's bad days. `npm run test:dynamodb` */
import { CreateTableCommand, DynamoDBClient, TransactionCanceledException } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { beforeAll, describe, expect, test } from "vitest";
import { openDynamoStore } from "../src/dynamodb.ts";
import { createTable } from "../src/dynamodb-table.ts";
import { storeContract } from "./contract.ts";

const endpoint = process.env.BURSAR_TEST_DYNAMODB;
const settings = {
  ...(endpoint === undefined ? {} : { endpoint }),
  region: "eu-central-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};
const client = new DynamoDBClient(settings);
const streams = new DynamoDBStreamsClient(settings);
const pause = async () => {};

storeContract("DynamoDB", async () => {
  await createTable(client, { table: "contract" });
  return { store: openDynamoStore(client, { table: "contract", streams }), dispose: async () => {} };
});

/** A client whose calls first go through `before`, which may answer or throw in DynamoDB's place. */
function tampered(
  before: (name: string, input: Record<string, unknown>, call: number) => Promise<unknown>,
): DynamoDBClient {
  let calls = 0;
  const send = async (command: { constructor: { name: string }; input: Record<string, unknown> }) => {
    calls += 1;
    const answer = await before(command.constructor.name, command.input, calls);
    return answer ?? (await client.send(command as never));
  };
  return { send } as unknown as DynamoDBClient;
}

const named = (name: string) => Object.assign(new Error(name), { name });
const canceled = (...codes: string[]) =>
  new TransactionCanceledException({
    $metadata: {},
    message: "canceled",
    CancellationReasons: codes.map((Code) => ({ Code })),
  });

describe("a bad day of DynamoDB", () => {
  const table = "bad-days";
  const put = (pk: string) => ({ pk, sk: ".", data: 1, expected: null });
  const add = { pk: "CTR#1", sk: "HELD", amount: 1n };
  beforeAll(() => createTable(client, { table }));

  test("keys that a batch leaves unread are asked for again", async () => {
    const store = openDynamoStore(client, { table });
    const keys = Array.from({ length: 30 }, (_, i) => ({ pk: `AL#${i}`, sk: "F#" }));
    await store.putAll(keys.map((key) => ({ ...key, data: key.pk })));
    const left = openDynamoStore(
      tampered(async (_, input, call) => {
        if (call > 3) return undefined;
        return { Responses: {}, UnprocessedKeys: input.RequestItems };
      }),
      { table, pause },
    );
    expect((await left.get(keys)).map((item) => item?.data)).toEqual(keys.map(({ pk }) => pk));
    const never = openDynamoStore(
      tampered(async (_, input) => ({ Responses: {}, UnprocessedKeys: input.RequestItems })),
      { table, pause },
    );
    await expect(never.get(keys)).rejects.toMatchObject({ fault: "busy" });
  });

  test("items of 300 KB: a page of the query, and of the batch, holds 1 MB and 16 MB; all come", async () => {
    const store = openDynamoStore(client, { table });
    const puts = Array.from({ length: 12 }, (_, i) => ({ pk: "AL#large", sk: `F#${i}`, data: "x".repeat(300_000) }));
    await store.putAll(puts);
    expect((await store.facts("AL#large", "F#")).items.length).toBe(12);
    expect((await store.get(puts)).every((item) => item?.data === puts[0]?.data)).toBe(true);
  });

  test("a fact that a transaction holds is put again; what is no conflict is thrown", async () => {
    const held = openDynamoStore(
      tampered(async (_, __, call) => {
        if (call < 4) throw named("TransactionConflictException");
      }),
      { table, pause },
    );
    await held.putAll([{ pk: "AL#held", sk: "F#", data: 1 }]);
    expect((await openDynamoStore(client, { table }).facts("AL#held", "")).items.length).toBe(1);
    for (const name of ["TransactionConflictException", "ProvisionedThroughputExceededException", "TimeoutError"]) {
      const failing = openDynamoStore(
        tampered(async () => Promise.reject(named(name))),
        { table, pause },
      );
      await expect(failing.putAll([{ pk: "AL#held", sk: "F#", data: 1 }])).rejects.toThrow(name);
    }
  });

  test.each([
    [["None", "ConditionalCheckFailed"], "conflict"],
    [["TransactionConflict", "None"], "conflict"],
    [["TransactionConflict", "ConditionalCheckFailed"], "conflict"],
    [["ThrottlingError", "None"], "throws"],
    [["ConditionalCheckFailed", "ProvisionedThroughputExceeded"], "throws"],
    [["ValidationError", "None"], "throws"],
    [[], "throws"],
  ])("a transaction canceled for %j: %s", async (codes, outcome) => {
    const store = openDynamoStore(
      tampered(async () => Promise.reject(canceled(...codes))),
      { table },
    );
    const answer = store.commit([put("PAY#canceled")], [add]);
    if (outcome === "conflict") expect(await answer).toBe("conflict");
    else await expect(answer).rejects.toThrow(TransactionCanceledException);
  });

  test.each([
    ["ConditionalCheckFailedException", "conflict"],
    ["TransactionConflictException", "conflict"],
    ["ThrottlingException", "throws"],
  ])("a single put refused with %s: %s", async (name, outcome) => {
    const store = openDynamoStore(
      tampered(async () => Promise.reject(named(name))),
      { table },
    );
    const answer = store.commit([put("PAY#refused")], []);
    if (outcome === "conflict") expect(await answer).toBe("conflict");
    else await expect(answer).rejects.toThrow(name);
  });

  test("a put alone is one plain PutItem; with an add, or alone an add, it is a transaction", async () => {
    const calls: string[] = [];
    const store = openDynamoStore(
      tampered(async (name) => {
        calls.push(name);
      }),
      { table },
    );
    await store.commit([put("PAY#plain")], [{ ...add, amount: 0n }]);
    await store.commit([put("PAY#added")], [add]);
    await store.commit([], [add]);
    expect(calls).toEqual(["PutItemCommand", "TransactWriteItemsCommand", "TransactWriteItemsCommand"]);
  });

  test("a table without a stream, or a store without a streams client, says so", async () => {
    await client.send(
      new CreateTableCommand({
        TableName: "no-stream",
        BillingMode: "PAY_PER_REQUEST",
        AttributeDefinitions: [{ AttributeName: "pk", AttributeType: "S" }],
        KeySchema: [{ AttributeName: "pk", KeyType: "HASH" }],
      }),
    );
    await expect(openDynamoStore(client, { table: "no-stream", streams }).changes(null, 1)).rejects.toThrow(
      /has no stream/,
    );
    await expect(openDynamoStore(client, { table }).changes(null, 1)).rejects.toThrow(/DynamoDBStreamsClient/);
  });
});
