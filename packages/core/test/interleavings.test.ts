/** Two and more writers over one table: whatever order their reads and writes take, and wherever one dies, no fact is lost. */
import type { Told } from "@bursar/events/envelope";
import type { Source } from "@bursar/events/source";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonical } from "../src/canonical.ts";
import { correlate } from "../src/correlate.ts";
import type { Json } from "../src/ports.ts";
import { worldOf } from "../src/world.ts";
import { config, history, PAYEES, tell, WALLETS } from "./history.ts";
import { emptyMemory, type Memory, memoryStore } from "./memory-store.ts";
import { type Choose, everySchedule, runScheduled } from "./scheduler.ts";
import { snapshot } from "./snapshot.ts";

const NOW = "2026-11-20T10:30:00.000Z";
const world = worldOf(config);
const SCHEDULES = Number(process.env.SCHEDULES ?? 1500);

const state = async (memory: Memory) =>
  canonical((await snapshot(memoryStore(memory), memory, world, NOW)) as unknown as Json);

async function sequential(batches: readonly (readonly Told[])[]): Promise<string> {
  const memory = emptyMemory();
  for (const batch of batches) await correlate(memoryStore(memory), world, batch, NOW);
  return state(memory);
}

const research: Source = { kind: "agent", id: "research" };
const stray: Source = { kind: "agent", id: "stray" };
const reports: Source = { kind: "api", id: "reports" };
const chain: Source = { kind: "chain" };
const hash = (digit: string) => `0x${digit.repeat(64)}`;
const asset = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const key = (nonce: string, payer = WALLETS[0]) => ({
  method: "eip3009",
  chainId: 42161,
  asset,
  payer,
  nonce: hash(nonce),
});
const at = "2026-11-20T10:00:00.000Z";
const offer = { scheme: "exact", network: "eip155:42161", asset, amount: "5", payTo: PAYEES[0], maxTimeoutSeconds: 60 };
const session = { managerArn: "arn:pm", sessionId: "s1", userId: "u" };
const event = (source: Source, type: string, fields: object): Told => {
  const told = tell(source, { type, at, ...fields });
  if (told === null) throw new Error(`${type} is no event`);
  return told;
};
const signed = (nonce: string, fields: object = {}, source = research, payer = WALLETS[0]) =>
  event(source, "agent.authorization_signed", {
    payment: key(nonce, payer),
    amount: "5",
    payTo: PAYEES[0],
    validBefore: "1795172400",
    session,
    ...fields,
  });
const settled = (nonce: string, tx: string, logIndex: number, fields: object = {}, payer = WALLETS[0]) =>
  event(chain, "chain.settled", {
    payment: key(nonce, payer),
    txHash: hash(tx),
    logIndex,
    blockNumber: 7,
    blockHash: hash("9"),
    payee: PAYEES[0],
    amount: "5",
    sharedBy: 1,
    ...fields,
  });

const pairs: Record<string, Told[][]> = {
  "a 402 and the signing of its request": [
    [event(research, "agent.payment_required", { requestId: "r1", offers: [offer] })],
    [signed("7", { requestId: "r1" })],
  ],
  "a hash-only answer and the settlement": [
    [event(reports, "api.content_returned", { txHash: hash("4"), status: 200 })],
    [settled("7", "4", 1)],
  ],
  "a revocation and a signing": [[event({ kind: "govern" }, "session.revoked", { session })], [signed("7")]],
  "a wallet's claim and its shadow spend": [
    [signed("7", {}, stray, WALLETS[2])],
    [settled("8", "4", 1, {}, WALLETS[2])],
  ],
  "two settlements of one request": [
    [signed("7", { requestId: "r1" }), settled("7", "4", 1)],
    [signed("8", { requestId: "r1" }), settled("8", "5", 1)],
  ],
  "an orphaning and the next settlement": [
    [
      event(chain, "chain.orphaned", {
        payment: key("7"),
        txHash: hash("4"),
        logIndex: 1,
        blockHash: hash("9"),
        seq: 2,
      }),
    ],
    [settled("7", "4", 1, { seq: 1 }), settled("7", "5", 1, { seq: 3 })],
  ],
  "a transfer and the settlement on the same log": [
    [
      event(chain, "chain.transferred", {
        chainId: 42161,
        txHash: hash("4"),
        logIndex: 1,
        blockNumber: 7,
        blockHash: hash("9"),
        asset,
        payer: WALLETS[0],
        payee: PAYEES[0],
        amount: "5",
      }),
    ],
    [settled("7", "4", 1)],
  ],
  "purchase id and payTo from two mouths": [
    [event(research, "agent.payment_sent", { payment: key("7"), purchaseId: "p1" })],
    [
      event(reports, "api.verification_started", {
        payment: key("7"),
        amount: "5",
        payTo: PAYEES[0],
        validBefore: "1795172400",
      }),
    ],
  ],
};

describe("interleavings of two writers", () => {
  for (const [name, batches] of Object.entries(pairs)) {
    for (const crashes of [0, 1]) {
      test(`${name}, ${crashes === 0 ? "both live" : "one dies at any step"}`, async () => {
        const expected = await sequential(batches);
        const check = async (choose: Choose) => {
          expect(await state(await runScheduled(world, batches, NOW, choose, crashes))).toBe(expected);
        };
        const { runs, complete } = await everySchedule(SCHEDULES, check);
        expect(runs).toBeGreaterThan(3);
        // Where there are too many to try them all, a random sample reaches what depth first did not.
        const random = fc.asyncProperty(fc.infiniteStream(fc.nat()), (choices) =>
          check((count) => (choices.next().value as number) % count),
        );
        if (!complete) await fc.assert(random, { numRuns: SCHEDULES / 3 });
      }, 120_000);
    }
  }
});

describe("random schedules", () => {
  test("three writers with random batches, doubled, two crashes", async () => {
    const writers = fc.array(history(5), { minLength: 3, maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(writers, fc.infiniteStream(fc.nat()), async (batches, choices) => {
        const choose = (count: number) => (choices.next().value as number) % count;
        const doubled = [...batches, [...(batches[0] as Told[]), ...(batches[1] as Told[])]];
        expect(await state(await runScheduled(world, doubled, NOW, choose, 2))).toBe(await sequential(batches));
      }),
      { numRuns: 300 },
    );
  }, 120_000);
});
