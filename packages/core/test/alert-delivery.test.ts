/** Alerts through the table: storms, redeliveries, crashes between any two steps, deliveries that fail. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import { openLmdbStore } from "@bursar/store/lmdb";
import { describe, expect, test } from "vitest";
import { listAlerts, raiseAlerts, resolveAlert } from "../src/alert-book.ts";
import { deliverAlerts, undelivered } from "../src/alert-delivery.ts";
import { judgeAlerts, lookAgain, sweepAlerts } from "../src/alert-judge.ts";
import { touchedBy } from "../src/alert-marks.ts";
import { acknowledgeAlert } from "../src/alert-orders.ts";
import { applyAlertRules, keepQuiet } from "../src/alert-settings.ts";
import type { AlertMove } from "../src/alert-shape.ts";
import { baseOf, worldAt } from "../src/govern-world.ts";
import { ingest } from "../src/ingest.ts";
import type { Publisher, Store } from "../src/ports.ts";
import { recount } from "../src/recount.ts";
import { sweep } from "../src/sweep.ts";
import { worldOf } from "../src/world.ts";
import { emptyMemory, memoryStore } from "./memory-store.ts";
import { checkAlertCounters } from "./snapshot.ts";
import { answered, api, at, hash, idOf, key, payTo, session, settled, signed, wallet } from "./story.ts";

const config = parseConfig({
  org: "acme",
  agents: { research: { wallets: [wallet.research] }, trader: { wallets: [wallet.trader] } },
  apis: { reports: { payTo: [payTo.reports] } },
});
const base = baseOf(worldOf(config), config);
const ID = "paid_not_delivered/api:reports/2026-11-20";

/** A payment that was paid and refused: one break at once. */
const refused = (nonce: string, tx: string): Told[] => [
  signed(nonce, 0, { session: session("s1") }),
  settled(nonce, tx, 1),
  answered(nonce, 2, { txHash: hash(tx), status: 500 }),
  api("reports")("content_returned", 2, { payment: key(nonce), status: 500 }),
];
/** A later answer heals it. */
const healed = (nonce: string): Told[] => [answered(nonce, 9, { status: 200 })];

const collector = (fails: () => boolean = () => false) => {
  const moves: AlertMove[] = [];
  const publisher: Publisher = {
    async publish(move) {
      if (fails()) throw new Error("SNS is away");
      moves.push(move);
    },
  };
  return { moves, publisher, said: () => moves.map(({ change, alert }) => `${change} ${alert.rule} ${alert.count}`) };
};

describe("breaks", () => {
  test("count each payment once, whatever is told again, and resolve when the last has healed", async () => {
    const memory = emptyMemory();
    const store = memoryStore(memory);
    const { publisher, said } = collector();
    for (const nonce of ["7", "8", "7"]) await ingest(store, base, refused(nonce, nonce === "7" ? "4" : "5"), at(10));
    expect(await listAlerts(store, at(11))).toMatchObject([
      {
        id: ID,
        status: "open",
        count: 2,
        standing: 2,
        amount: "2000",
        agentId: null,
        samples: [{ paymentId: idOf("7") }, { paymentId: idOf("8") }],
      },
    ]);
    await ingest(store, base, healed("7"), at(12));
    expect(await listAlerts(store, at(12))).toMatchObject([{ status: "open", count: 2, standing: 1 }]);
    await ingest(store, base, healed("8"), at(13));
    expect(await listAlerts(store, at(13))).toMatchObject([{ status: "resolved", count: 2, standing: 0 }]);
    await ingest(store, base, [...refused("7", "4"), ...healed("8")], at(14));
    await deliverAlerts(store, publisher, () => at(15));
    expect(said()).toEqual(["opened paid_not_delivered 1", "resolved paid_not_delivered 2"]);
    checkAlertCounters(memory);
  });

  test("keep the day on which a payment was first seen, over healing and midnight", async () => {
    const memory = emptyMemory();
    const store = memoryStore(memory);
    await ingest(store, base, refused("7", "4"), at(10));
    await ingest(store, base, healed("7"), at(20));
    await ingest(store, base, [answered("7", 86_400, { status: 502 })], at(86_410));
    expect(await listAlerts(store, at(86_420))).toMatchObject([{ id: ID, status: "open", count: 1, reopened: 1 }]);
    checkAlertCounters(memory);
  });

  test("that time alone brings are judged after the sweep", async () => {
    const store = memoryStore();
    await ingest(store, base, refused("7", "4").slice(0, 2), at(10));
    const under = await worldAt(store, base, at(400));
    const changed = await sweep(store, under, at(400));
    expect(
      (await judgeAlerts(store, touchedBy(changed), at(400))).map(({ change, alert }) => [change, alert.rule]),
    ).toEqual([["opened", "unreported_by_api"]]);
  });
});

test("a storm of 10,000 breaks over LMDB is one alert, five messages and the right count", async () => {
  const directory = mkdtempSync(join(tmpdir(), "bursar-storm-"));
  const store = await openLmdbStore(directory);
  try {
    const { publisher, said } = collector();
    const nonceOf = (n: number) => `0x${n.toString(16).padStart(64, "0")}`;
    for (let i = 0; i < 10_000; i += 500) {
      const told = Array.from({ length: 500 }, (_, j) => {
        const payment = { ...key("7"), nonce: nonceOf(i + j) };
        return [
          settled("7", "4", 1, { payment, txHash: nonceOf(i + j + 1_000_000) }),
          answered("7", 2, { payment, status: 500 }),
        ];
      }).flat();
      await ingest(store, base, told, at(10 + i / 500));
      await deliverAlerts(store, publisher, () => at(60));
    }
    const [alert, ...others] = (await listAlerts(store, at(60))).filter(({ rule }) => rule === "paid_not_delivered");
    expect(others).toEqual([]);
    expect(alert).toMatchObject({ id: ID, count: 10_000, standing: 10_000, step: 4, amount: "10000000" });
    expect(alert?.samples).toHaveLength(10);
    expect(said().length).toBeLessThanOrEqual(5);
    expect(said().at(-1)).toBe("escalated paid_not_delivered 10000");
    expect((await recount(store, await worldAt(store, base, at(60)), at(60))).wrongAlerts).toEqual([]);
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}, 180_000);

describe("a crash", () => {
  /** A store that dies before its n-th step. */
  const dying = (memory: ReturnType<typeof emptyMemory>, steps: number): Store => {
    let left = steps;
    return memoryStore(memory, async () => {
      if (left-- <= 0) throw new Error("died");
    });
  };

  test("between any two steps of a batch and its delivery loses no message and repeats one at most", async () => {
    for (let died = 0; ; died++) {
      const memory = emptyMemory();
      const { moves, publisher, said } = collector();
      const store = dying(memory, died);
      const run = async (over: Store) => {
        await ingest(over, base, [...refused("7", "4"), ...refused("8", "5")], at(10));
        await ingest(over, base, [...healed("7"), ...healed("8")], at(11));
        await deliverAlerts(over, publisher, () => at(12));
      };
      const whole = await run(store).then(
        () => true,
        () => false,
      );
      const before = moves.length;
      if (!whole) await run(memoryStore(memory));
      const repeated = before > 0 ? 1 : 0;
      expect(new Set(said()), `died before step ${died}`).toEqual(
        new Set(["opened paid_not_delivered 2", "resolved paid_not_delivered 2"]),
      );
      expect(moves.length).toBeLessThanOrEqual(2 + repeated);
      expect(await undelivered(memoryStore(memory))).toEqual([]);
      checkAlertCounters(memory);
      if (whole) break;
    }
  }, 120_000);
});

describe("delivery", () => {
  test("is tried again until it is taken, in the alert's order, and shown as undelivered until then", async () => {
    const store = memoryStore();
    let away = true;
    const { publisher, said } = collector(() => away);
    await ingest(store, base, refused("7", "4"), at(10));
    await ingest(store, base, healed("7"), at(11));
    expect(await deliverAlerts(store, publisher, () => at(12))).toEqual({ delivered: 0, fault: "SNS is away" });
    const first = (await undelivered(store)).find(({ move }) => move.change === "opened");
    expect(first).toMatchObject({ target: ID, detail: "SNS is away", outcome: "failed", tries: 1, nextAt: at(13) });
    await ingest(store, base, [answered("7", 12, { status: 503 })], at(12)); // told behind what waits
    expect(await undelivered(store)).toHaveLength(3);
    away = false;
    for (let i = 12; i < 20; i++) await deliverAlerts(store, publisher, () => at(i));
    expect(said().map((one) => one.split(" ")[0])).toEqual(["opened", "resolved", "reopened"]);
    expect(await undelivered(store)).toEqual([]);
  });
});

describe("causes", () => {
  const cause = (sample: string) => ({
    rule: "large_payment",
    subject: "agent:research",
    severity: "warning" as const,
    sample,
  });

  test("are counted each once, past any number of samples", async () => {
    const memory = emptyMemory();
    const store = memoryStore(memory);
    const all = Array.from({ length: 250 }, (_, i) => cause(`payment ${i}`));
    await raiseAlerts(store, all, at(1));
    await raiseAlerts(store, all.slice(100), at(2));
    await Promise.all([raiseAlerts(store, [cause("x")], at(3)), raiseAlerts(store, [cause("x")], at(3))]);
    const [alert] = await listAlerts(store, at(4));
    expect(alert).toMatchObject({ count: 251, status: "open", step: 2, agentId: "research" });
    expect(alert?.samples).toHaveLength(10);
    checkAlertCounters(memory);
  });

  test("an acknowledged one is opened again after its end, and told once", async () => {
    const store = memoryStore();
    const { publisher, said } = collector();
    const low = { ...cause("low"), rule: "wallet_low", period: "-" };
    await raiseAlerts(store, [low], at(1));
    const id = "wallet_low/agent:research/-";
    expect(await acknowledgeAlert(store, id, "on it", at(2))).toMatchObject({ move: { change: "acknowledged" } });
    expect(await raiseAlerts(store, [low], at(3))).toEqual([]);
    expect(await acknowledgeAlert(store, id, null, at(4))).toMatchObject({ move: null });
    expect(await resolveAlert(store, id, "refilled", at(5))).toMatchObject({ status: "resolved", text: "refilled" });
    expect(await raiseAlerts(store, [low], at(6000))).toMatchObject([{ status: "open", acknowledged: null }]);
    await deliverAlerts(store, publisher, () => at(6001));
    expect(said().map((one) => one.split(" ")[0])).toEqual(["opened", "acknowledged", "resolved", "reopened"]);
  });

  test("end by time in the sweep, and the list shows it before", async () => {
    const store = memoryStore();
    await raiseAlerts(store, [{ ...cause("x"), until: at(100) }], at(1));
    expect(await listAlerts(store, at(101))).toMatchObject([{ status: "resolved", updatedAt: at(100) }]);
    expect((await sweepAlerts(store, at(101))).map(({ change }) => change)).toEqual(["resolved"]);
    expect(await sweepAlerts(store, at(102))).toEqual([]);
  });
});

test("recount finds an alert whose counters are not those of its payments", async () => {
  const store = memoryStore();
  await ingest(store, base, refused("7", "4"), at(10));
  const wrongAlerts = async () => (await recount(store, await worldAt(store, base, at(11)), at(11))).wrongAlerts;
  expect(await wrongAlerts()).toEqual([]);
  await store.commit([], [{ pk: `ALC2#${ID}`, sk: "seen", amount: 1n }]);
  expect(await wrongAlerts()).toEqual([{ alert: ID, kept: 2, counted: 1 }]);
});

test("what version 0.1.0 kept is read, not told again, and lives on", async () => {
  const store = memoryStore();
  const id = "wallet_low/wallet:0xaa/-";
  const earlier = {
    ...{ id, rule: "wallet_low", subject: "wallet:0xaa", severity: "warning", status: "open", count: 1 },
    ...{ openedAt: at(0), updatedAt: at(0), text: "low", until: null, samples: ["low"] },
  };
  const list = { partition: "#alerts", sort: `${at(0)}#x` };
  await store.commit([{ pk: `ALERT#${id}`, sk: ".", data: earlier, index: { list }, expected: null }], []);
  expect(await listAlerts(store, at(1))).toMatchObject([{ id, status: "open", samples: [{ at: at(0), text: "low" }] }]);
  expect(await resolveAlert(store, id, "refilled", at(2))).toMatchObject({ id, status: "resolved" });
  expect((await undelivered(store)).map(({ move }) => move.change)).toEqual(["resolved"]);
});

describe("how people want it", () => {
  test("the config's rules: graver, or untold", async () => {
    const store = memoryStore();
    const { publisher, said } = collector();
    await applyAlertRules(store, { paid_not_delivered: { severity: "critical" }, payee_mismatch: { tell: false } });
    await ingest(
      store,
      base,
      [...refused("7", "4"), signed("8", 0, { payTo: payTo.stranger }), signed("8", 1)],
      at(10),
    );
    await deliverAlerts(store, publisher, () => at(11));
    const alerts = await listAlerts(store, at(11));
    expect(alerts.map(({ rule, severity }) => [rule, severity]).sort()).toEqual([
      ["paid_not_delivered", "critical"],
      ["payee_mismatch", "warning"],
    ]);
    expect(said()).toEqual(["opened paid_not_delivered 1"]);
  });

  test("what is kept quiet is told at its end, or when that is taken back", async () => {
    for (const early of [false, true]) {
      const store = memoryStore();
      const { publisher, said } = collector();
      await keepQuiet(store, { about: "api:reports", until: at(3600), reason: "a release", at: at(0) });
      await ingest(store, base, refused("7", "4"), at(10));
      await deliverAlerts(store, publisher, () => at(11));
      expect([said(), (await listAlerts(store, at(11)))[0]?.quietUntil]).toEqual([[], at(3600)]);
      if (early) {
        await keepQuiet(store, { about: "api:reports", until: at(20), reason: "", at: at(20) });
        await lookAgain(store, "api:reports", at(20));
      } else await sweepAlerts(store, at(3600));
      await deliverAlerts(store, publisher, () => at(3601));
      expect(said()).toEqual(["opened paid_not_delivered 1"]);
    }
  });

  test("a payment's agent has its name on the alert of its wallet", async () => {
    const store = memoryStore();
    await ingest(store, base, [settled("7", "4", 1)], at(2));
    const changed = await sweep(store, await worldAt(store, base, at(400)), at(400));
    await judgeAlerts(store, touchedBy(changed), at(400));
    expect(await listAlerts(store, at(400))).toMatchObject([
      { rule: "shadow_spend", severity: "critical", agentId: "research", subject: `wallet:${wallet.research}` },
    ]);
  });
});
