/** The steps over DynamoDB's own engine: writers that work at once on one story lose nothing and book nothing twice. */
import { DynamoDBClient } from "@aws-sdk/client-dynamodb";
import { correlate } from "@bursar/core/correlate";
import { readCounters } from "@bursar/core/counters";
import { eachPayment } from "@bursar/core/lists";
import type { Store } from "@bursar/core/ports";
import { worldOf } from "@bursar/core/world";
import { parseConfig } from "@bursar/events/config-schema";
import { parseEntry, type Told } from "@bursar/events/envelope";
import { beforeAll, expect, test } from "vitest";
import { openDynamoStore } from "../src/dynamodb.ts";
import { createTable } from "../src/dynamodb-table.ts";

const endpoint = process.env.BURSAR_TEST_DYNAMODB;
const client = new DynamoDBClient({
  ...(endpoint === undefined ? {} : { endpoint }),
  region: "eu-central-1",
  credentials: { accessKeyId: "local", secretAccessKey: "local" },
});

const NOW = "2026-11-20T11:00:00.000Z";
const WRITERS = 4;
const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const address = (digit: string) => `0x${digit.repeat(40)}`;
const config = parseConfig({
  org: "acme",
  agents: { research: { wallets: [address("a")] }, trader: { wallets: [address("b")] } },
  apis: { reports: { payTo: [address("1")] } },
  budgets: [{ id: "agents", scope: { agent: "*" }, window: "day", limitUsd: "5.00" }],
});

beforeAll(async () => {
  for (const table of ["together", "alone"]) await createTable(client, { table });
});

test(`${WRITERS} writers, each told everything in another order, agree with one who was told once`, async () => {
  const alone = openDynamoStore(client, { table: "alone" });
  const together = openDynamoStore(client, { table: "together" });
  const events = history(12);
  await tell(alone, events, 10);
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => tell(together, shuffled(events, writer + 1), 7)));

  const expected = await everything(alone);
  expect(expected.payments.map(({ verdict }) => verdict)).toEqual(Array.from({ length: 12 }, () => "matched"));
  expect(await everything(together)).toEqual(expected);
});

/** Tells batches as a queue would: what failed is told again. */
async function tell(store: Store, events: readonly Told[], size: number): Promise<void> {
  for (let i = 0; i < events.length; i += size) {
    let batch: readonly Told[] = events.slice(i, i + size);
    while (batch.length > 0) {
      const told = batch;
      const { failed } = await correlate(store, worldOf(config), told, NOW);
      batch = failed.map((place) => told[place] as Told);
    }
  }
}

/** Payments as listed, and every counter that they applied as the table holds it; the two must agree. */
async function everything(store: Store) {
  const payments = [];
  const sums = new Map<string, bigint>();
  for await (const { payment, applied } of eachPayment(store, worldOf(config), NOW, null, null)) {
    payments.push(payment);
    for (const [counter, amount] of Object.entries(applied)) sums.set(counter, (sums.get(counter) ?? 0n) + amount);
  }
  const names = [...sums.keys()].sort();
  const counters = await readCounters(store, names);
  expect(counters).toEqual(names.map((name) => sums.get(name)));
  return { payments, counters: names.map((name, i) => `${name}=${counters[i]}`) };
}

/** Honest payments of two agents, some sharing a transaction, all over requests, hashes and sessions. */
function history(count: number): Told[] {
  return Array.from({ length: count }, (_, i) => {
    const [agent, payer] = i % 3 === 0 ? ["trader", address("b")] : ["research", address("a")];
    const payment = { method: "eip3009", chainId: 42161, asset: USDC, payer, nonce: hash(i + 1) };
    const txHash = hash(1000 + (i >> 1));
    const requestId = `r${i}`;
    const claim = { payment, amount: "1000", payTo: address("1"), validBefore: "1795172400" };
    const offer = {
      scheme: "exact",
      network: "eip155:42161",
      asset: USDC,
      amount: "1000",
      payTo: address("1"),
      maxTimeoutSeconds: 60,
    };
    const session = { managerArn: "arn:pm", sessionId: `s-${agent}`, userId: agent };
    const log = {
      txHash,
      logIndex: 1 + 2 * (i % 2),
      blockNumber: 7,
      blockHash: hash(7),
      payee: address("1"),
      amount: "1000",
      sharedBy: 2,
      seq: 1,
    };
    return [
      said(`bursar.agent.${agent}`, "agent.payment_required", { requestId, offers: [offer] }),
      said(`bursar.agent.${agent}`, "agent.authorization_signed", { requestId, session, ...claim }),
      said("bursar.api.reports", "api.verification_started", claim),
      said("bursar.api.reports", "api.transaction_confirmed", { txHash }),
      said("bursar.chain", "chain.settled", { payment, ...log }),
      said(`bursar.agent.${agent}`, "agent.response_received", {
        requestId,
        payment,
        status: 200,
        settled: true,
        txHash,
      }),
    ];
  }).flat();
}

function said(source: string, type: string, fields: object): Told {
  const event = { id: type, type, at: "2026-11-20T10:00:00.000Z", ...fields };
  const parsed = parseEntry(
    { source, "detail-type": "payment.events.v1", detail: { version: 1, events: [event] } },
    "replay",
  );
  const [told] = parsed.told;
  if (told === undefined) throw new Error(`${type}: ${parsed.quarantined[0]?.reason}`);
  return told;
}

function shuffled<T>(items: readonly T[], seed: number): T[] {
  const mixed = [...items];
  let state = seed;
  for (let i = mixed.length - 1; i > 0; i--) {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    const j = state % (i + 1);
    [mixed[i], mixed[j]] = [mixed[j] as T, mixed[i] as T];
  }
  return mixed;
}

const hash = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
