/** Nobody makes a payment so large that its spend cannot be written. */
import type { Told } from "@bursar/events/envelope";
import { describe, expect, test } from "vitest";
import { correlate } from "../src/correlate.ts";
import { eachPayment } from "../src/lists.ts";
import { worldOf } from "../src/world.ts";
import { emptyMemory, memoryStore } from "./memory-store.ts";
import { agent, api, config, idOf, key, LATE, offer, payTo, settled, signed } from "./story.ts";

/** What DynamoDB takes in one item, and the store with it. */
const ITEM_BYTES_MAX = 390 * 1024;
const fat = "界".repeat(100);
const offers = Array.from({ length: 32 }, (_, i) => ({
  ...offer(String(i + 1)),
  network: `x:${fat}`,
  asset: fat,
  payTo: fat,
  scheme: fat,
}));

/** Everything that speakers can pile on one payment: many requests, other prices each time, long texts. */
function flood(speakers: number): Told[] {
  const events: Told[] = [];
  for (let speaker = 0; speaker < speakers; speaker++) {
    const by = speaker === 0 ? "research" : `stray${speaker}`;
    for (let request = 0; request < 10; request++) {
      const requestId = `${fat}${request}`;
      events.push(signed("7", request, { requestId, amount: String(1000 + request), purchaseId: fat }, by));
      events.push(
        agent(by)("payment_failed", request, {
          requestId,
          payment: key("7"),
          reason: "other",
          message: fat,
          errorCode: fat,
        }),
      );
      for (let price = 0; price < 4; price++) {
        events.push(
          agent(by)("payment_required", price, {
            requestId,
            offers: offers.map((one) => ({ ...one, maxTimeoutSeconds: price })),
          }),
        );
      }
    }
    events.push(api(`api${speaker}`)("payment_rejected", 1, { payment: key("7"), reason: fat, errorCode: fat }));
  }
  return events;
}

describe("a flooded payment", () => {
  test("stays within an item, and its spend is booked", async () => {
    const memory = emptyMemory();
    const store = memoryStore(memory);
    const world = worldOf(config);
    const story = [...flood(3), settled("7", "4", 30, { amount: "1009", payee: payTo.reports })];
    for (let i = 0; i < story.length; i += 7) {
      expect((await correlate(store, world, story.slice(i, i + 7), LATE)).failed).toEqual([]);
    }
    for (const item of [...memory.items.values(), ...memory.facts.values()]) {
      expect(Buffer.byteLength(JSON.stringify(item.data)), item.pk.slice(0, 60)).toBeLessThan(ITEM_BYTES_MAX);
    }
    const listed = [];
    for await (const one of eachPayment(store, world, LATE, null, null))
      if (one.payment.id === idOf("7")) listed.push(one);
    expect(listed.map(({ payment }) => [payment.state, payment.amount, payment.agentId])).toEqual([
      ["settled", "1009", "research"],
    ]);
    expect(listed[0]?.applied["spent|agent:research|day|2026-11-20T00:00:00.000Z"]).toBe(1009n);
  });
});
