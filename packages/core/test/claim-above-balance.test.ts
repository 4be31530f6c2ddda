/** A claim above what its wallet holds: warned of where the balance was read of late, at no read for each event. */
import type { Told } from "@bursar/events/envelope";
import { expect, test } from "vitest";
import { ingest } from "../src/ingest.ts";
import { emptyNotes } from "../src/notes.ts";
import type { Json, Store } from "../src/ports.ts";
import { walletKey } from "../src/wallet-items.ts";
import { newWallet } from "../src/wallet-state.ts";
import { governed } from "./governed.ts";
import { at, signed, wallet } from "./story.ts";

async function holding(balance: string, readAt: string) {
  const g = await governed([]);
  let reads = 0;
  const store: Store = {
    ...g.store,
    get(keys) {
      if (keys.some(({ pk }) => pk.startsWith("WALLET#"))) reads += 1;
      return g.store.get(keys);
    },
  };
  const state = { ...newWallet(wallet.research, ["research"], at(0)), balance, readAt };
  const put = { ...walletKey(42161, wallet.research), data: state as unknown as Json, expected: null };
  await g.store.commit([put], []);
  const base = { ...g.base, notes: emptyNotes() };
  return {
    reads: () => reads,
    notes: base.notes,
    async told(told: readonly Told[], now: string): Promise<readonly string[]> {
      const { alerts } = await ingest(store, base, told, now);
      return alerts.map(({ rule, subject, severity, text }) => `${severity} ${rule} ${subject}: ${text}`);
    },
  };
}

test("a claim above the balance is a warning about the wallet; one of all that is there is none", async () => {
  const h = await holding("900", at(0));
  const said = await h.told([signed("1", 1), signed("2", 1, { amount: "900" })], at(1));
  expect(said).toMatchInlineSnapshot(`
    [
      "warning claim_above_balance wallet:0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: research signed $0.001 with wallet 0xaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa, which held $0.0009 at 2026-11-20T10:00:00.000Z: it cannot settle before the wallet is refilled. Send it USDC, or stop its agent from signing (nonce 0x1111111111111111111111111111111111111111111111111111111111111111)",
    ]
  `);
});

test("many events of a wallet, in many batches, are one look at its item in five seconds", async () => {
  const h = await holding("900", at(0));
  for (let i = 0; i < 10; i++) await h.told([signed("1", 1), signed("2", 1), signed("3", 1)], at(1));
  expect(h.reads()).toBe(1);
  await h.told([signed("4", 7)], at(7));
  expect(h.reads()).toBe(2);
});

test("a balance that was read more than five minutes ago proves nothing, nor does none at all", async () => {
  const h = await holding("900", at(0));
  expect(await h.told([signed("1", 301)], at(301))).toEqual([]);
  expect(await h.told([signed("1", 301, {}, "trader", wallet.trader)], at(301))).toEqual([]);
});

test("a cache that begins anew in the middle of a batch forgets no balance that the batch needs", async () => {
  const h = await holding("900", at(0));
  await h.told([signed("1", 1, { amount: "900" })], at(1));
  for (let n = 0; n <= 50_000; n++) h.notes.balances.set(`${n}`, { held: null, lookedAt: at(1) });
  const batch = [signed("2", 2), signed("3", 2, {}, "trader", wallet.trader)];
  expect(await h.told(batch, at(2))).toHaveLength(1);
  expect(h.notes.balances.size).toBe(1);
});

test("who signs with another's wallet says nothing about it", async () => {
  const h = await holding("900", at(0));
  const said = await h.told([signed("1", 1, {}, "trader")], at(1));
  expect(said.filter((line) => line.includes("claim_above_balance"))).toEqual([]);
});
