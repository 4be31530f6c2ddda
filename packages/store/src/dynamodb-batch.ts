/** Reads any number of items by key, consistently: BatchGetItem takes 100 keys, each once, and may answer only some. */
import { BatchGetItemCommand, type BatchGetItemCommandOutput, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import type { Key } from "@bursar/core/ports";
import { type Attributes, keyAttributes } from "./dynamodb-items.ts";
import { StoreError } from "./error.ts";
import { keyText } from "./keys.ts";
import { inParallel, type Pause, RETRIES_MAX } from "./retry.ts";

/** Keys of one call, by DynamoDB. */
const KEYS_PER_CALL = 100;
const CALLS_AT_ONCE = 8;

/**
 * The items that are there, by `keyText`.
 * @throws {StoreError} `busy` when DynamoDB leaves keys out again and again: it throttles
 */
export async function batchGet(
  client: DynamoDBClient,
  table: string,
  keys: readonly Key[],
  pause: Pause,
): Promise<Map<string, Attributes>> {
  const asked = [...new Map(keys.map((key) => [keyText(key), key])).values()];
  const calls: Key[][] = [];
  for (let i = 0; i < asked.length; i += KEYS_PER_CALL) calls.push(asked.slice(i, i + KEYS_PER_CALL));
  const found = new Map<string, Attributes>();
  await inParallel(calls, CALLS_AT_ONCE, async (call) => {
    let left: Attributes[] | undefined = call.map(keyAttributes);
    for (let attempt = 0; left !== undefined && left.length > 0; ) {
      const answer: BatchGetItemCommandOutput = await client.send(
        new BatchGetItemCommand({ RequestItems: { [table]: { Keys: left, ConsistentRead: true } } }),
      );
      const items = answer.Responses?.[table] ?? [];
      for (const item of items) found.set(keyText({ pk: item.pk?.S as string, sk: item.sk?.S as string }), item);
      left = answer.UnprocessedKeys?.[table]?.Keys;
      if (left === undefined || left.length === 0) return;
      if (items.length > 0) {
        attempt = 0; // large items: it answers 16 MB at a time
        continue;
      }
      if (attempt === RETRIES_MAX) {
        throw new StoreError(
          "busy",
          `DynamoDB left ${left.length} keys of ${table} unread ${RETRIES_MAX + 1} times: it throttles`,
        );
      }
      await pause(attempt);
      attempt += 1;
    }
  });
  return found;
}
