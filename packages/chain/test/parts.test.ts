/** The watcher's parts that need no chain: a node's health, the chain's pace, the lease, the journal, wallets that move. */

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@bursar/core/ports";
import { openLmdbStore } from "@bursar/store/lmdb";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { firstCursor, readCursor, writeCursor } from "../src/cursor.ts";
import { answered, complained, HEALTHY, isResting, penaltyAt, refused, scoreAt } from "../src/health.ts";
import { forget, pagesOf, writeDown } from "../src/journal.ts";
import { LEASE_MS, LeaseHeld, leaseFor, release } from "../src/lease.ts";
import type { Fact } from "../src/scan.ts";
import { type KnownWallets, movesOf, noteMoves, readKnown } from "../src/wallets.ts";

const CHAIN = 42161;
let directory: string;
let store: Store;
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), "bursar-parts-"));
  store = await openLmdbStore(directory);
});
afterEach(async () => {
  await store.close();
  rmSync(directory, { recursive: true });
});

describe("a node's health", () => {
  test("complaints add up, fade by half in half a minute, and are forgotten", () => {
    const bad = complained(complained(HEALTHY, 0), 0);
    expect(penaltyAt(bad, 0)).toBe(2);
    expect(penaltyAt(bad, 30_000)).toBe(1);
    expect(scoreAt(bad, 0)).toBe(0.75);
    expect(penaltyAt(bad, 300_000)).toBe(0);
    expect(scoreAt(bad, 300_000)).toBe(1);
  });

  test("a node rests as long as it asks, else longer with each refusal, until it answers", () => {
    expect(isResting(refused(HEALTHY, 0, 5_000), 4_999)).toBe(true);
    expect(isResting(refused(HEALTHY, 0, 5_000), 5_000)).toBe(false);
    const twice = refused(refused(HEALTHY, 0, undefined), 1_000, undefined);
    expect(twice.restUntil).toBe(3_000);
    expect(answered(twice)).toMatchObject({ refusals: 0, restUntil: 0 });
    expect(refused(HEALTHY, 0, 86_400_000).restUntil).toBe(600_000); // nobody is believed to want a day
  });
});

describe("the lease", () => {
  const time = (ms: number) => new Date(ms).toISOString();

  test("is another's until it ends; each new holder has a higher fence", () => {
    const first = leaseFor(null, "a", time(0));
    expect(first).toEqual({ holder: "a", until: time(LEASE_MS), fence: 1 });
    expect(() => leaseFor(first, "b", time(LEASE_MS - 1))).toThrow(LeaseHeld);
    expect(leaseFor(first, "b", time(LEASE_MS))).toMatchObject({ holder: "b", fence: 2 });
  });

  test("is renewed when half of it is over, under the same fence", () => {
    const lease = leaseFor(null, "a", time(0));
    expect(leaseFor(lease, "a", time(1_000))).toBe(lease);
    expect(leaseFor(lease, "a", time(LEASE_MS / 2))).toEqual({ ...lease, until: time(LEASE_MS * 1.5) });
  });

  test("given back it is free at once, and only its holder gives it back", async () => {
    const lease = leaseFor(null, "a", time(0));
    await writeCursor(store, CHAIN, { cursor: firstCursor(1), version: null }, { ...firstCursor(1), lease });
    await release(store, CHAIN, "b", time(1));
    expect((await readCursor(store, CHAIN))?.cursor.lease).toEqual(lease);
    await release(store, CHAIN, "a", time(1));
    expect(leaseFor((await readCursor(store, CHAIN))?.cursor.lease ?? null, "b", time(1))).toMatchObject({ fence: 2 });
  });
});

describe("the journal", () => {
  const hash = (digits: string) => `0x${digits.padStart(64, "0")}`;
  const settled = (blockNumber: number, logIndex: number): Fact => ({
    type: "chain.settled",
    id: `settled:${CHAIN}:${hash(String(blockNumber))}:${logIndex}`,
    at: "2026-11-24T10:00:00.000Z",
    txHash: hash("a"),
    logIndex,
    blockNumber,
    blockHash: hash(String(blockNumber)),
    payee: `0x${"1".repeat(40)}`,
    amount: "7",
    payment: {
      method: "eip3009",
      chainId: CHAIN,
      asset: `0x${"2".repeat(40)}`,
      payer: `0x${"3".repeat(40)}`,
      nonce: hash("9"),
    },
    sharedBy: 2,
  });
  const sent = (blockNumber: number): Fact => {
    const { payment: _, sharedBy: __, ...where } = settled(blockNumber, 0) as Extract<Fact, { type: "chain.settled" }>;
    const id = `transferred:${CHAIN}:${where.blockHash}:0`;
    return {
      ...where,
      type: "chain.transferred",
      id,
      chainId: CHAIN,
      asset: `0x${"2".repeat(40)}`,
      payer: `0x${"3".repeat(40)}`,
    };
  };

  test("gives facts back as they were written, by their blocks", async () => {
    await writeDown(store, CHAIN, [settled(9, 1), settled(9, 3), sent(10), settled(11, 0)], 5);
    expect(
      (await pagesOf(store, CHAIN, 9, 10)).map(({ blockNumber, seq, facts }) => [blockNumber, seq, facts]),
    ).toEqual([
      [9, 5, [settled(9, 1), settled(9, 3)]],
      [10, 5, [sent(10)]],
    ]);
    expect(await pagesOf(store, CHAIN, 12, 99)).toEqual([]);
  });

  test("holds a block of thousands on several pages, and forgets up to a block", async () => {
    const many = Array.from({ length: 2_100 }, (_, index) => settled(20, index));
    await writeDown(store, CHAIN, [settled(5, 0), ...many, settled(21, 0)], 1);
    expect((await pagesOf(store, CHAIN, 20, 20)).flatMap(({ facts }) => facts)).toHaveLength(2_100);
    expect(await forget(store, CHAIN, 20)).toBe(false);
    expect((await pagesOf(store, CHAIN, 0, 99)).map(({ blockNumber }) => blockNumber)).toEqual([21]);
  });
});

describe("wallets that come and go", () => {
  const [a, b] = [`0x${"a".repeat(40)}`, `0x${"b".repeat(40)}`] as [string, string];
  const cursor = { ...firstCursor(100), scanned: 200 };

  test("a new one without a past joins, one with a past is read back, one that is known is left alone", () => {
    const known: KnownWallets = new Map([[a, null]]);
    expect(movesOf(known, [{ address: a, fromBlock: 1 }, { address: b }], cursor)).toEqual({
      came: [b],
      left: [],
      backfills: [],
    });
    expect(movesOf(known, [{ address: a }, { address: b, fromBlock: 150 }], cursor)).toEqual({
      came: [b],
      left: [],
      backfills: [{ wallets: [b], next: 150, to: 200 }],
    });
    expect(movesOf(known, [{ address: a }, { address: b, fromBlock: 201 }], cursor).backfills).toEqual([]);
  });

  test("one that left and comes back is read from where it was left, through a restart", async () => {
    const known: KnownWallets = new Map();
    await noteMoves(store, CHAIN, known, movesOf(known, [{ address: a }], cursor), cursor.scanned);
    await noteMoves(store, CHAIN, known, movesOf(known, [], cursor), 200);
    const read = await readKnown(store, CHAIN);
    expect([...read]).toEqual([[a, 200]]);
    const later = { ...cursor, scanned: 300, final: 290 };
    const back = movesOf(read, [{ address: a }], later);
    expect(back).toEqual({ came: [a], left: [], backfills: [{ wallets: [a], next: 201, to: 300 }] });
    await noteMoves(store, CHAIN, read, back, 300);
    expect([...(await readKnown(store, CHAIN))]).toEqual([[a, null]]);
  });

  test("of many with a past, what the cursor has no room for waits for a later round", () => {
    const many = Array.from({ length: 600 }, (_, i) => ({
      address: `0x${i.toString(16).padStart(40, "0")}`,
      fromBlock: 1,
    }));
    const full = { ...cursor, backfills: Array.from({ length: 63 }, () => ({ id: null, next: 1, to: 2 })) };
    const { came, backfills } = movesOf(new Map(), many, full);
    expect([came.length, backfills.length]).toEqual([250, 1]);
  });
});
