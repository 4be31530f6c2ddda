/** The machine's own troubles as alerts, and what a publisher is handed. */
import { join } from "node:path";
import { listAlerts, raiseAlerts } from "@bursar/core/alert-book";
import type { AlertMove } from "@bursar/core/alert-shape";
import { openLmdbStore } from "@bursar/store/lmdb";
import { describe, expect, onTestFinished, test } from "vitest";
import { type Alerting, startAlerting, type TroubleRule } from "../src/alerting.ts";
import { directoryForTest } from "./machines.ts";

const SUBJECTS = { chain_lag: "chain:42161", rpc_down: "chain:42161", queue_stuck: "queue:entries" };

async function alertingForTest(lastingMs: number) {
  const store = await openLmdbStore(join(directoryForTest(), "store"));
  const troubles = new Map<TroubleRule, string>();
  const moves: AlertMove[] = [];
  const faults: (string | null)[] = [];
  let isAway = false;
  const now = () => new Date().toISOString();
  const start = (): Alerting =>
    startAlerting({
      ...{ store, now, lastingMs, subjects: SUBJECTS },
      publisher: {
        async publish(move) {
          if (isAway) throw new Error("no answer");
          moves.push(move);
        },
      },
      troubles: () => troubles,
      onAlerts: () => {},
      onFault: (part, message) => part === "delivery" && faults.push(message),
    });
  let alerting = start();
  onTestFinished(async () => {
    await alerting.stop();
    await store.close();
  });
  return {
    ...{ store, troubles, moves, faults, now },
    wake: () => alerting.wake(),
    away: (is: boolean) => {
      isAway = is;
    },
    async restart() {
      await alerting.stop();
      alerting = start();
    },
    said: () => moves.map(({ change, alert }) => `${change} ${alert.rule}`),
    open: async () => (await listAlerts(store, now(), "standing")).map(({ id }) => id),
  };
}

describe("a trouble of the machine itself", () => {
  test("that lasts is an alert, and over when it is over, after a restart too", async () => {
    const a = await alertingForTest(50);
    a.troubles.set("rpc_down", "the chain cannot be read: connection refused");
    await expect.poll(() => a.said(), { timeout: 20_000 }).toEqual(["opened rpc_down"]);
    expect(a.moves[0]?.alert).toMatchObject({
      id: "rpc_down/chain:42161/-",
      severity: "critical",
      subject: "chain:42161",
    });
    a.troubles.clear();
    await a.restart();
    await expect.poll(() => a.said(), { timeout: 20_000 }).toEqual(["opened rpc_down", "resolved rpc_down"]);
    expect(await a.open()).toEqual([]);
  });

  test("that does not last is none", async () => {
    const a = await alertingForTest(600_000);
    a.troubles.set("chain_lag", "the chain stands still");
    await raiseAlerts(
      a.store,
      [{ rule: "drift", subject: "session:x", severity: "warning", sample: "x", period: "-" }],
      a.now(),
    );
    a.wake();
    await expect.poll(() => a.said(), { timeout: 20_000 }).toEqual(["opened drift"]);
    expect(await a.open()).toEqual(["drift/session:x/-"]);
  });
});

test("what a channel does not take is a fault until it does, and is not lost", async () => {
  const a = await alertingForTest(600_000);
  a.away(true);
  await raiseAlerts(
    a.store,
    [{ rule: "drift", subject: "session:x", severity: "warning", sample: "x", period: "-" }],
    a.now(),
  );
  a.wake();
  await expect.poll(() => a.faults, { timeout: 20_000 }).toContain("alerts cannot be delivered: no answer");
  a.away(false);
  await expect.poll(() => a.said(), { timeout: 20_000 }).toEqual(["opened drift"]);
  await expect.poll(() => a.faults.at(-1), { timeout: 20_000 }).toBeNull();
});
