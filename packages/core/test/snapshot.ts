/** Everything that must not show the order in which it came: payments as kept, lists as shown, counters. */

import { counterKeys, readCounters } from "../src/counters.ts";
import { eachPayment } from "../src/lists.ts";
import type { Store } from "../src/ports.ts";
import { load } from "../src/record.ts";
import { isRow } from "../src/rows.ts";
import type { CorrelateWorld } from "../src/write.ts";
import type { Memory } from "./memory-store.ts";

export async function snapshot(store: Store, memory: Memory, world: CorrelateWorld, now: string) {
  const shown = [];
  for await (const { payment } of eachPayment(store, world, now, null, null)) shown.push(payment);
  const kept = [];
  const sums = new Map<string, bigint>();
  for (const item of memory.items.values()) {
    if (!item.pk.startsWith("PAY#")) continue;
    const id = item.pk.slice("PAY#".length);
    if (isRow(id)) continue;
    const { payment, applied } = load(id, item);
    kept.push({
      payment,
      applied: Object.fromEntries(Object.entries(applied).map(([name, amount]) => [name, amount.toString()])),
    });
    for (const [name, amount] of Object.entries(applied)) sums.set(name, (sums.get(name) ?? 0n) + amount);
  }
  kept.sort((a, b) => (a.payment.id < b.payment.id ? -1 : 1));
  // What shards hold, shard by shard under the counter's own key.
  const whole = new Map<string, bigint>();
  for (const [key, amount] of memory.counters) {
    if (!key.startsWith("CTR")) continue;
    const name = key.replace(/^CTR\d*#/, "CTR#");
    whole.set(name, (whole.get(name) ?? 0n) + amount);
  }
  const expected = new Map([...sums].map(([name, amount]) => [keyOf(name), amount]));
  const asText = (amounts: Map<string, bigint>) =>
    [...amounts]
      .filter(([, amount]) => amount !== 0n)
      .map(([name, amount]) => `${name}=${amount}`)
      .sort()
      .join("\n");
  const counters = asText(whole);
  if (counters !== asText(expected)) throw new Error(`the books lie:\n${counters}\nagainst\n${asText(expected)}`);
  const names = [...sums.keys()];
  const figures = await readCounters(store, names);
  if (names.some((name, i) => figures[i] !== sums.get(name))) throw new Error("counters are not read as they are kept");
  checkAlertCounters(memory);
  return { shown, kept, counters };
}

/** An alert's counters are the sum over the marks of all payments, listed or not, and of events that were counted. */
export function checkAlertCounters(memory: Memory): void {
  const expected = new Map<string, bigint>();
  const add = (name: string, amount: bigint) => expected.set(name, (expected.get(name) ?? 0n) + amount);
  for (const item of memory.items.values()) {
    if (item.pk.startsWith("ALEV#")) add(`${item.pk.slice("ALEV#".length)} seen`, 1n);
    if (!item.pk.startsWith("PAY#")) continue;
    for (const [id, { stands, amount }] of Object.entries(load(item.pk.slice("PAY#".length), item).marks)) {
      add(`${id} seen`, 1n);
      add(`${id} sum`, BigInt(amount));
      if (!stands) add(`${id} over`, 1n);
    }
  }
  const kept = new Map<string, bigint>();
  for (const [key, amount] of memory.counters) {
    if (!key.startsWith("ALC")) continue;
    const name = key.slice(key.indexOf("#") + 1).replace("\u0000", " ");
    kept.set(name, (kept.get(name) ?? 0n) + amount);
  }
  const texts = (of: Map<string, bigint>) =>
    [...of]
      .flatMap(([name, amount]) => (amount === 0n ? [] : [`${name}=${amount}`]))
      .sort()
      .join("\n");
  if (texts(kept) !== texts(expected)) throw new Error(`alerts lie:\n${texts(kept)}\nagainst\n${texts(expected)}`);
}

/** The key of a counter's first shard, as the memory spells it. */
function keyOf(counter: string): string {
  const [first] = counterKeys(counter);
  return `${first?.pk}\u0000${first?.sk}`;
}
