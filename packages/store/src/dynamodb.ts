/**
 * The table in DynamoDB. Reads are consistent but for the indexes; a commit that moves no counter is one conditional
 * put (one write unit a KB), anything more a transaction (two).
 */
import {
  DeleteItemCommand,
  type DynamoDBClient,
  PutItemCommand,
  QueryCommand,
  type QueryCommandInput,
  TransactionCanceledException,
  type TransactWriteItem,
  TransactWriteItemsCommand,
} from "@aws-sdk/client-dynamodb";
import type { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import type { Add, Key, Put, Store, Stored, VersionedPut } from "@bursar/core/ports";
import { batchGet } from "./dynamodb-batch.ts";
import { readStream } from "./dynamodb-changes.ts";
import { indexCondition, indexCursor, parseIndexCursor } from "./dynamodb-index.ts";
import { type Attributes, factAttributes, factOf, keyAttributes, stateAttributes, storedOf } from "./dynamodb-items.ts";
import { StoreError, unknownCursor } from "./error.ts";
import { checkCommit, checkKey, compareText, keyText, pageLimit } from "./keys.ts";
import { joinAmount, splitAmount } from "./limbs.ts";
import { inParallel, type Pause, pauseSeconds, RETRIES_MAX } from "./retry.ts";

export interface DynamoOptions {
  readonly table: string;
  /** For `changes` only; a Lambda that the stream wakes does not need it. */
  readonly streams?: DynamoDBStreamsClient;
  /** Waits before a retry; default a timer. */
  readonly pause?: Pause;
}

/** Puts that are under way at once in one `putAll`. */
const PUTS_AT_ONCE = 16;

/** The table over a client that the caller owns and closes. Makes no call by itself. */
export function openDynamoStore(client: DynamoDBClient, options: DynamoOptions): Store {
  const { table } = options;
  const pause = options.pause ?? pauseSeconds;

  async function putFact(put: Put): Promise<void> {
    const later = put.at === undefined ? "" : " OR #at > :at";
    const command = new PutItemCommand({
      TableName: table,
      Item: factAttributes(put),
      ConditionExpression: `attribute_not_exists(pk)${later}`,
      ...(put.at === undefined
        ? {}
        : { ExpressionAttributeNames: { "#at": "at" }, ExpressionAttributeValues: { ":at": { S: put.at } } }),
    });
    for (let attempt = 0; ; attempt += 1) {
      try {
        await client.send(command);
        return;
      } catch (error) {
        const { name } = error as Error;
        if (name === "ConditionalCheckFailedException") return; // it is there, as early or earlier
        // A transaction holds the item, and may yet fail: this put must not be lost for it.
        if (name !== "TransactionConflictException" || attempt === RETRIES_MAX) throw error;
        await pause(attempt);
      }
    }
  }

  async function dropFact(key: Key): Promise<void> {
    try {
      await client.send(
        new DeleteItemCommand({
          TableName: table,
          Key: keyAttributes(key),
          ConditionExpression: "attribute_not_exists(v)",
        }),
      );
    } catch (error) {
      if ((error as Error).name !== "ConditionalCheckFailedException") throw error; // under a version: it stays
    }
  }

  async function putOne(put: VersionedPut): Promise<"done" | "conflict"> {
    try {
      await client.send(new PutItemCommand({ TableName: table, ...conditionalPut(put) }));
      return "done";
    } catch (error) {
      if (CONFLICTS.has((error as Error).name)) return "conflict";
      throw error;
    }
  }

  /** The SDK sends a token along, so a retry whose first answer was lost adds nothing twice. */
  async function transact(items: TransactWriteItem[]): Promise<"done" | "conflict"> {
    try {
      await client.send(new TransactWriteItemsCommand({ TransactItems: items }));
      return "done";
    } catch (error) {
      if (!(error instanceof TransactionCanceledException)) throw error;
      const codes = (error.CancellationReasons ?? [])
        .map(({ Code }) => Code ?? "None")
        .filter((code) => code !== "None");
      if (
        codes.length > 0 &&
        codes.every((code) => code === "ConditionalCheckFailed" || code === "TransactionConflict")
      ) {
        return "conflict";
      }
      throw error;
    }
  }

  /** Up to `count` items that `keep` takes, page by page. */
  async function query<T>(
    input: QueryCommandInput,
    count: number,
    keep: (item: Attributes) => T | undefined,
  ): Promise<T[]> {
    const found: T[] = [];
    let from = input.ExclusiveStartKey;
    do {
      const page = await client.send(
        new QueryCommand({
          ...input,
          TableName: table,
          Limit: count - found.length,
          ...(from === undefined ? {} : { ExclusiveStartKey: from }),
        }),
      );
      for (const item of page.Items ?? []) {
        const kept = keep(item);
        if (kept !== undefined) found.push(kept);
      }
      from = page.LastEvaluatedKey;
    } while (from !== undefined && found.length < count);
    return found;
  }

  return {
    async get(keys) {
      for (const key of keys) checkKey(key);
      const items = await batchGet(client, table, keys, pause);
      return keys.map((key) => {
        const item = items.get(keyText(key));
        return item === undefined ? undefined : storedOf(item);
      });
    },

    async facts(pk, prefix, page = {}) {
      checkKey({ pk, sk: prefix === "" ? "." : prefix });
      const limit = pageLimit(page.limit);
      const after = page.after ?? null;
      if (after !== null && !after.startsWith(prefix)) throw unknownCursor(after);
      const found = await query(
        {
          TableName: table,
          ConsistentRead: true,
          KeyConditionExpression: prefix === "" ? "pk = :pk" : "pk = :pk AND begins_with(sk, :prefix)",
          ExpressionAttributeValues: { ":pk": { S: pk }, ...(prefix === "" ? {} : { ":prefix": { S: prefix } }) },
          ...(after === null ? {} : { ExclusiveStartKey: keyAttributes({ pk, sk: after }) }),
        },
        limit + 1, // one more tells whether there is a next page
        factOf,
      );
      const items = found.slice(0, limit);
      return { items, next: found.length > limit ? (items[limit - 1]?.sk ?? null) : null };
    },

    async index(name, partition, range = {}) {
      const limit = pageLimit(range.limit);
      const [from, to] = [range.from ?? "", range.to];
      const start = range.after == null ? undefined : parseIndexCursor(name, partition, range.after);
      if (to !== undefined && compareText(from, to) >= 0) return { items: [], next: null };
      const condition = indexCondition(name, partition, from, to);
      const found = await query(
        {
          TableName: table,
          IndexName: name,
          ...condition,
          ...(start === undefined ? {} : { ExclusiveStartKey: start }),
        },
        limit + 1,
        storedOf,
      );
      // BETWEEN takes its end in, the port leaves it out; what equals it stands last.
      const inside = found.filter((item) => item.index?.[name]?.sort !== to);
      const items = inside.slice(0, limit);
      return { items, next: inside.length > limit ? indexCursor(name, items[limit - 1] as Stored) : null };
    },

    async putAll(puts) {
      for (const put of puts) checkKey(put);
      await inParallel(puts, PUTS_AT_ONCE, putFact);
    },

    async drop(keys) {
      for (const key of keys) checkKey(key);
      await inParallel(keys, PUTS_AT_ONCE, dropFact);
    },

    async commit(puts, adds) {
      const counted = checkCommit(puts, adds);
      const [only] = puts;
      if (only === undefined && counted.length === 0) return "done";
      if (only !== undefined && puts.length === 1 && counted.length === 0) return putOne(only);
      return transact([
        ...puts.map((put) => ({ Put: { TableName: table, ...conditionalPut(put) } })),
        ...counted.map((add) => ({ Update: { TableName: table, ...addition(add) } })),
      ]);
    },

    async counters(keys) {
      for (const key of keys) checkKey(key);
      const items = await batchGet(client, table, keys, pause);
      return keys.map((key) => {
        const item = items.get(keyText(key));
        return item === undefined ? 0n : joinAmount((name) => item[name]?.N);
      });
    },

    async changes(after, limit) {
      if (options.streams === undefined) {
        throw new StoreError(
          "missing",
          "changes reads the table's stream: open the store with a DynamoDBStreamsClient",
        );
      }
      return readStream(client, options.streams, table, after, limit);
    },

    async close() {},
  };
}

const CONFLICTS = new Set(["ConditionalCheckFailedException", "TransactionConflictException"]);

function conditionalPut(put: VersionedPut) {
  const Item = stateAttributes(put);
  if (put.expected === null) return { Item, ConditionExpression: "attribute_not_exists(pk)" };
  if (put.expected === 0) return { Item, ConditionExpression: "attribute_exists(pk) AND attribute_not_exists(v)" };
  return { Item, ConditionExpression: "v = :v", ExpressionAttributeValues: { ":v": { N: String(put.expected) } } };
}

function addition(add: Add) {
  const limbs = splitAmount(add.amount);
  return {
    Key: keyAttributes(add),
    UpdateExpression: `ADD ${limbs.map(({ name }) => `${name} :${name}`).join(", ")}`,
    ExpressionAttributeValues: Object.fromEntries(limbs.map(({ name, value }) => [`:${name}`, { N: value }])),
  };
}
