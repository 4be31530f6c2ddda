/** Everything that must not show the order in which it came: payments as kept, lists as shown, counters. */

import { counterKey } from "../src/items.ts";
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
  const counters = [...memory.counters].filter(([, amount]) => amount !== 0n).sort(([a], [b]) => (a < b ? -1 : 1));
  const expected = [...sums].map(([name, amount]): [string, bigint] => {
    const { pk, sk } = counterKey(name);
    return [`${pk}\u0000${sk}`, amount];
  });
  expected.sort(([a], [b]) => (a < b ? -1 : 1));
  const asText = (entries: [string, bigint][]) => entries.map(([name, amount]) => `${name}=${amount}`).join("\n");
  if (asText(counters) !== asText(expected))
    throw new Error(`the books lie:\n${asText(counters)}\nagainst\n${asText(expected)}`);
  return { shown, kept, counters: asText(counters) };
}
