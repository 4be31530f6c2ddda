import { DeletePaymentSessionCommand } from "@aws-sdk/client-bedrock-agentcore";
import { describe, expect, test } from "vitest";
import type { Fault } from "../src/agentcore/data-plane.ts";
import { createSessionKeeper, type Stop } from "../src/agentcore/session-keeper.ts";
import { MANAGER, offerOf, planeForTest } from "./data-plane.ts";

async function keeperForTest() {
  const faults: { next: Fault | undefined } = { next: undefined };
  const plane = await planeForTest({ fault: () => faults.next });
  const payer = await plane.payer();
  const stops: Stop[] = [];
  let now = 0;
  const keeper = createSessionKeeper({
    payer,
    terms: { limitUsd: "1.00", expiryMinutes: 15 },
    pauseMs: (count) => count * 1_000,
    now: () => now,
    onStop: (stop) => stops.push(stop),
  });
  return {
    plane,
    keeper,
    stops,
    faults,
    later(ms: number) {
      now += ms;
    },
    async pay(amount: bigint) {
      const session = await keeper.session();
      return payer.pay(session, offerOf(amount)).catch((error: unknown) => {
        keeper.refused(session, error);
        throw error;
      });
    },
    async revoke() {
      const { sessionId: paymentSessionId } = await keeper.session();
      await plane.client.send(
        new DeletePaymentSessionCommand({ paymentManagerArn: MANAGER, userId: "research", paymentSessionId }),
      );
    },
  };
}

describe("createSessionKeeper", () => {
  test("opens one session for many at once, and keeps it", async () => {
    const { keeper, plane } = await keeperForTest();
    const sessions = await Promise.all([keeper.session(), keeper.session(), keeper.session()]);
    sessions.push(await keeper.session());
    expect(new Set(sessions.map(({ sessionId }) => sessionId)).size).toBe(1);
    expect(plane.plane.sessions()).toHaveLength(1);
  });

  test.each<[string, (kept: Awaited<ReturnType<typeof keeperForTest>>) => Promise<void> | void, string]>([
    ["deleted", ({ revoke }) => revoke(), "Payment session not found"],
    ["expired", ({ plane }) => plane.wait(15), "Payment session has expired"],
    ["exhausted", async ({ pay }) => void (await pay(1_000_000n)), "Insufficient budget"],
  ])("opens another when one is %s, after a pause", async (_what, end, words) => {
    const kept = await keeperForTest();
    const { keeper, stops, later, pay } = kept;
    const first = await keeper.session();
    await end(kept);
    await expect(pay(1n)).rejects.toThrow(words);
    expect(stops).toEqual([
      { sessionId: first.sessionId, message: expect.stringContaining(words), stops: 1, pauseMs: 1_000 },
    ]);
    await expect(keeper.session()).rejects.toThrow("research has no payment session, and opens one in 1.0 s");
    expect(keeper.waitMs()).toBe(1_000);
    later(1_000);
    expect(keeper.waitMs()).toBe(0);
    expect((await keeper.session()).sessionId).not.toBe(first.sessionId);
    await pay(1n);
  });

  test("pauses longer from stop to stop, until a session has lasted", async () => {
    const { keeper, stops, later, pay, revoke } = await keeperForTest();
    for (const lasted of [0, 0, 60_000, 0]) {
      await revoke();
      later(lasted);
      await expect(pay(1n)).rejects.toThrow("not found");
      later(keeper.waitMs());
    }
    expect(stops.map((stop) => stop.stops)).toEqual([1, 2, 1, 2]);
  });

  test("takes many refusals of one session for one stop", async () => {
    const { stops, pay, revoke } = await keeperForTest();
    await revoke();
    const results = await Promise.allSettled([pay(1n), pay(1n), pay(1n)]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "rejected", "rejected"]);
    expect(stops).toHaveLength(1);
  });

  test("keeps its session over throttles and faults", async () => {
    const { keeper, stops, faults, pay } = await keeperForTest();
    const before = await keeper.session();
    faults.next = "deny";
    await expect(pay(1n)).rejects.toThrow("not authorized");
    faults.next = undefined;
    expect(await keeper.session()).toEqual(before);
    expect(stops).toEqual([]);
    await pay(1n);
  });
});
