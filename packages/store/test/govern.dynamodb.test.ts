/** Governance over DynamoDB's own engine: writers that share one budget stop everybody in it, once, with right books. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { DynamoDBStreamsClient } from "@aws-sdk/client-dynamodb-streams";
import { enforceDue } from "@bursar/core/enforce";
import { govern, governAll } from "@bursar/core/govern";
import { baseOf, worldAt } from "@bursar/core/govern-world";
import { ingest, movedBy } from "@bursar/core/ingest";
import { eachAction } from "@bursar/core/outbox";
import { all } from "@bursar/core/pages";
import { applyConfig, noteBooked } from "@bursar/core/policies";
import type { Sessions, Store } from "@bursar/core/ports";
import { recount } from "@bursar/core/recount";
import { worldOf } from "@bursar/core/world";
import { parseConfig } from "@bursar/events/config-schema";
import { parseEntry, type Told } from "@bursar/events/envelope";
import { beforeAll, expect, test } from "vitest";
import { openDynamoStore } from "../src/dynamodb.ts";
import { createTable } from "../src/dynamodb-table.ts";

const endpoint = process.env.BURSAR_TEST_DYNAMODB;
const settings = {
  ...(endpoint === undefined ? {} : { endpoint }),
  region: "eu-central-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
};
const client = new DynamoDBClient(settings);
const streams = new DynamoDBStreamsClient(settings);

const NOW = "2026-11-20T10:30:00.000Z";
const AGENTS = 12;
const WRITERS = 4;
const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const ARN = "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1";
const hex = (n: number, length: number) => `0x${n.toString(16).padStart(length, "0")}`;
const payTo = hex(0xfff, 40);

const config = parseConfig({
  org: "acme",
  agents: Object.fromEntries(
    Array.from({ length: AGENTS }, (_, i) => [
      `a${i}`,
      { wallets: [hex(i + 1, 40)], paymentManagerArn: ARN, userId: `u${i}` },
    ]),
  ),
  apis: { reports: { payTo: [payTo] } },
  // Every agent signs $0.003; half of what they sign together is enough.
  budgets: [
    { id: "org", scope: { org: "*" }, window: "day", limitUsd: "0.018", thresholds: [{ at: 1, do: "revoke" }] },
    { id: "api", scope: { api: "reports" }, window: "hour", limitUsd: "0.018", thresholds: [{ at: 1, do: "alert" }] },
  ],
  limits: { revocationsPerMinute: 100 },
});

beforeAll(() => createTable(client, { table: "governed" }));

test(`${WRITERS} writers of ${AGENTS} agents under one budget: every session is deleted once, and the books are right`, async () => {
  const store = openDynamoStore(client, { table: "governed", streams });
  await noteBooked(store, (await applyConfig(store, config.budgets)).edition);
  const parts = Array.from({ length: WRITERS }, (_, writer) =>
    Array.from({ length: AGENTS }, (_, i) => payments(i, 3))
      .flat()
      .filter((_, n) => n % WRITERS === writer),
  );
  await Promise.all(parts.map((told) => tell(store, told)));

  const open = new Map(Array.from({ length: AGENTS }, (_, i) => [`s${i}`, `u${i}`]));
  const deleted: string[] = [];
  const sessions: Sessions = {
    async delete({ sessionId }, userId) {
      if (open.get(sessionId) !== userId) return { outcome: "not_found" };
      open.delete(sessionId);
      deleted.push(sessionId);
      return { outcome: "deleted" };
    },
    list: async () => ({ items: [], next: null }),
    get: async () => null,
    instruments: async () => ({ items: [], next: null }),
  };
  const enforcer = () =>
    enforceDue({ store, sessions, agents: config.agents, now: () => NOW, tell: (told) => tell(store, told) });
  await Promise.all([enforcer(), enforcer()]); // two that meet over the same actions
  await enforcer();

  expect([...open.keys()]).toEqual([]);
  expect(deleted.sort()).toEqual([...new Set(deleted)].sort());
  const actions = await all(eachAction(store));
  expect(actions.map(({ outcome }) => outcome)).toEqual(Array.from({ length: AGENTS }, () => "done"));
  const base = baseOf(worldOf(config), config);
  const world = await worldAt(store, base, NOW);
  expect(await recount(store, world, NOW)).toMatchObject({ payments: AGENTS * 3, wrong: [], stale: 0 });

  // The stream says it all again, and nothing more comes of it.
  let after: string | null = null;
  for (;;) {
    const { changes, next } = await store.changes(after, 500);
    if (changes.length === 0) break;
    const again = await govern(store, world, movedBy(changes, base), NOW);
    expect([again.due, again.heldBack, again.frozen, again.alerts]).toEqual([[], [], [], []]);
    after = next;
  }
  expect((await governAll(store, world, NOW)).alerts).toEqual([]);
});

/** Tells batches as a queue would: what failed is told again. Each writer is a process of its own. */
async function tell(store: Store, events: readonly Told[]): Promise<void> {
  const base = baseOf(worldOf(config), config);
  for (let i = 0; i < events.length; i += 9) {
    let batch: readonly Told[] = events.slice(i, i + 9);
    while (batch.length > 0) {
      const told = batch;
      const { failed } = await ingest(store, base, told, NOW);
      batch = failed.map((place) => told[place] as Told);
    }
  }
}

/** What one agent signs in its session, and the API verifies. */
function payments(index: number, count: number): Told[] {
  return Array.from({ length: count }, (_, n) => {
    const payment = {
      method: "eip3009",
      chainId: 42161,
      asset: USDC,
      payer: hex(index + 1, 40),
      nonce: hex(index * 100 + n + 1, 64),
    };
    const claim = { payment, amount: "1000", payTo, validBefore: "1795172400" };
    const session = { managerArn: ARN, sessionId: `s${index}`, userId: `u${index}` };
    return [
      said(`bursar.agent.a${index}`, "agent.authorization_signed", { ...claim, session }),
      said("bursar.api.reports", "api.verification_started", claim),
    ];
  }).flat();
}

function said(source: string, type: string, fields: object): Told {
  const event = { id: type, type, at: "2026-11-20T10:00:00.000Z", ...fields };
  const entry = { source, "detail-type": "payment.events.v1", detail: { version: 1, events: [event] } };
  const { told, quarantined } = parseEntry(entry, "replay");
  if (told[0] === undefined) throw new Error(`${type}: ${quarantined[0]?.reason}`);
  return told[0];
}
