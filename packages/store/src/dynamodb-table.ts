/** Makes the table, for tests and tools: on AWS `infra/table` makes the same one. */
import { CreateTableCommand, type DynamoDBClient, waitUntilTableExists } from "@aws-sdk/client-dynamodb";
import { INDEX_NAMES } from "./dynamodb-items.ts";

/** Seconds that a new table may take to become active. */
const WAIT_SECONDS_MAX = 120;

/** Creates the table with its two indexes and its stream, billed on demand, and waits until it takes writes. */
export async function createTable(client: DynamoDBClient, { table }: { readonly table: string }): Promise<void> {
  const names = ["pk", "sk", ...INDEX_NAMES.flatMap((name) => [`${name}P`, `${name}S`])];
  await client.send(
    new CreateTableCommand({
      TableName: table,
      BillingMode: "PAY_PER_REQUEST",
      AttributeDefinitions: names.map((name) => ({ AttributeName: name, AttributeType: "S" })),
      KeySchema: keySchema("pk", "sk"),
      GlobalSecondaryIndexes: INDEX_NAMES.map((name) => ({
        IndexName: name,
        KeySchema: keySchema(`${name}P`, `${name}S`),
        Projection: { ProjectionType: "ALL" },
      })),
      StreamSpecification: { StreamEnabled: true, StreamViewType: "NEW_AND_OLD_IMAGES" },
    }),
  );
  await waitUntilTableExists({ client, maxWaitTime: WAIT_SECONDS_MAX, minDelay: 1 }, { TableName: table });
}

function keySchema(hash: string, range: string) {
  return [
    { AttributeName: hash, KeyType: "HASH" as const },
    { AttributeName: range, KeyType: "RANGE" as const },
  ];
}
