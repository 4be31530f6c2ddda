/**
 * Reads the table's stream by polling: parents before children, so each item's changes come in order. On AWS a Lambda
 * trigger does this; here it serves tools and the contract suite. DynamoDB keeps the stream for 24 hours.
 */
import { DescribeTableCommand, type DynamoDBClient } from "@aws-sdk/client-dynamodb";
import {
  DescribeStreamCommand,
  type DynamoDBStreamsClient,
  GetRecordsCommand,
  type GetRecordsCommandOutput,
  GetShardIteratorCommand,
  type Shard,
} from "@aws-sdk/client-dynamodb-streams";
import type { Change } from "@bursar/core/ports";
import { changeOf } from "./dynamodb-items.ts";
import { StoreError, unknownCursor } from "./error.ts";
import { pageLimit } from "./keys.ts";

/**
 * What was read of each shard: the last sequence number, where to go on (DynamoDB knows it for 15 minutes; kept because
 * many empty pages can come first, and a reader that began them anew would never get through), or that it is read out.
 */
interface Position {
  last: string | null;
  iterator: string | null;
  done: boolean;
}

interface Cursor {
  readonly stream: string;
  readonly shards: Record<string, Position>;
}

/** GetRecords calls of one shard in one `changes` call; DynamoDB allows five a second. */
const READS_PER_SHARD = 5;
/** Records of one GetRecords call, by DynamoDB. */
const RECORDS_MAX = 1000;
/** Pages of 100 shards: far more than a table of this use has. */
const SHARD_PAGES_MAX = 50;

export async function readStream(
  client: DynamoDBClient,
  streams: DynamoDBStreamsClient,
  table: string,
  after: string | null,
  limit: number,
): Promise<{ readonly changes: readonly Change[]; readonly next: string }> {
  const changesMax = pageLimit(limit);
  const held = after === null ? null : parseCursor(after);
  const stream = held?.stream ?? (await streamOf(client, table));
  const shards = await listShards(streams, stream);
  const ids = new Set(shards.map((shard) => shard.ShardId));
  const positions: Record<string, Position> = {};
  const changes: Change[] = [];
  for (const shard of parentsFirst(shards)) {
    const id = shard.ShardId as string;
    const position: Position = { ...(held?.shards[id] ?? { last: null, iterator: null, done: false }) };
    positions[id] = position;
    const parent = shard.ParentShardId;
    const waits = parent !== undefined && ids.has(parent) && positions[parent]?.done !== true;
    if (waits || position.done || changes.length >= changesMax) continue;
    await readShard(streams, stream, id, position, changes, changesMax);
  }
  return { changes, next: Buffer.from(JSON.stringify({ stream, shards: positions })).toString("base64url") };
}

async function readShard(
  streams: DynamoDBStreamsClient,
  stream: string,
  id: string,
  position: Position,
  changes: Change[],
  changesMax: number,
): Promise<void> {
  for (let reads = 0; reads < READS_PER_SHARD && changes.length < changesMax; reads += 1) {
    const page = await readPage(streams, stream, id, position, Math.min(changesMax - changes.length, RECORDS_MAX));
    for (const { dynamodb } of page.Records ?? []) {
      if (dynamodb?.SequenceNumber === undefined) continue;
      position.last = dynamodb.SequenceNumber;
      const change = changeOf(dynamodb);
      if (change !== null) changes.push(change);
    }
    position.iterator = page.NextShardIterator ?? null;
    position.done = page.NextShardIterator === undefined;
    if (position.done || page.Records?.length === 0) return;
  }
}

async function readPage(
  streams: DynamoDBStreamsClient,
  stream: string,
  id: string,
  position: Position,
  records: number,
): Promise<GetRecordsCommandOutput> {
  if (position.iterator !== null) {
    try {
      return await streams.send(new GetRecordsCommand({ ShardIterator: position.iterator, Limit: records }));
    } catch (error) {
      if (!LOST.has((error as Error).name)) throw error;
    }
  }
  const iterator = await iteratorOf(streams, stream, id, position.last);
  return streams.send(new GetRecordsCommand({ ShardIterator: iterator, Limit: records }));
}

/** The place in the stream is no longer known, or no longer kept. */
const LOST = new Set(["ExpiredIteratorException", "TrimmedDataAccessException"]);

async function iteratorOf(
  streams: DynamoDBStreamsClient,
  stream: string,
  id: string,
  last: string | null,
): Promise<string> {
  const shard = { StreamArn: stream, ShardId: id };
  try {
    const answer = await streams.send(
      new GetShardIteratorCommand(
        last === null
          ? { ...shard, ShardIteratorType: "TRIM_HORIZON" }
          : { ...shard, ShardIteratorType: "AFTER_SEQUENCE_NUMBER", SequenceNumber: last },
      ),
    );
    return answer.ShardIterator as string;
  } catch (error) {
    // Read more than a day ago: go on with the oldest that is kept.
    if (last !== null && LOST.has((error as Error).name)) return iteratorOf(streams, stream, id, null);
    throw error;
  }
}

async function streamOf(client: DynamoDBClient, table: string): Promise<string> {
  const { Table } = await client.send(new DescribeTableCommand({ TableName: table }));
  const stream = Table?.LatestStreamArn;
  if (stream !== undefined) return stream;
  throw new StoreError("missing", `table ${table} has no stream: enable one with new and old images`);
}

async function listShards(streams: DynamoDBStreamsClient, stream: string): Promise<Shard[]> {
  const shards: Shard[] = [];
  let from: string | undefined;
  for (let page = 0; page < SHARD_PAGES_MAX; page += 1) {
    const { StreamDescription } = await streams.send(
      new DescribeStreamCommand({ StreamArn: stream, ...(from === undefined ? {} : { ExclusiveStartShardId: from }) }),
    );
    shards.push(...(StreamDescription?.Shards ?? []));
    from = StreamDescription?.LastEvaluatedShardId;
    if (from === undefined) return shards;
  }
  throw new StoreError("limit", `stream ${stream} has more shards than ${SHARD_PAGES_MAX} pages hold`);
}

function parentsFirst(shards: readonly Shard[]): Shard[] {
  const byId = new Map(shards.map((shard) => [shard.ShardId, shard]));
  const ordered = new Set<Shard>();
  const place = (shard: Shard): void => {
    if (ordered.has(shard)) return;
    const parent = byId.get(shard.ParentShardId ?? "");
    if (parent !== undefined) place(parent);
    ordered.add(shard);
  };
  for (const shard of shards) place(shard);
  return [...ordered];
}

function parseCursor(after: string): Cursor {
  try {
    const cursor = JSON.parse(Buffer.from(after, "base64url").toString()) as Partial<Cursor>;
    if (typeof cursor.stream === "string" && typeof cursor.shards === "object" && cursor.shards !== null) {
      return cursor as Cursor;
    }
  } catch {
    // not even JSON
  }
  throw unknownCursor(after);
}
