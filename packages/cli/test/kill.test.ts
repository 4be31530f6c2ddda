/** kill -9 at random moments under load: what was acknowledged is in exactly once, and the books are its sum. */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { readCounters } from "@bursar/core/counters";
import { eachPayment } from "@bursar/core/lists";
import { replay } from "@bursar/core/replay";
import { worldOf } from "@bursar/core/world";
import { parseConfig } from "@bursar/events/config-schema";
import { openLmdbStore } from "@bursar/store/lmdb";
import { expect, test } from "vitest";
import { settledOf } from "./chain-facts.ts";
import { agentEvents, apiEvents, clientOf, detailOf, entryOf, keyOf, PAY_TO, put } from "./producers.ts";

const KILLS = 20;
/** Kills and restarts need time; each start is one of Node with TypeScript. */
const TIME_MS = 180_000;
const NOW = "2026-11-20T12:00:00.000Z";
const config = {
  org: "acme",
  apis: { reports: { payTo: [PAY_TO] } },
  budgets: [{ id: "day", scope: { agent: "*" }, window: "day", limitUsd: "5.00" }],
};

interface Entry {
  readonly source: string;
  readonly events: readonly unknown[];
}

test(
  "nothing that was acknowledged is lost or doubled over 20 kills",
  async () => {
    const directory = mkdtempSync(join(tmpdir(), "bursar-kill-"));
    const data = join(directory, "data");
    /** Every entry once; those not acknowledged yet, in the order of their making. */
    const sent: Entry[] = [];
    let waiting: Entry[] = [];
    let acknowledged = 0;
    let payments = 0;
    try {
      for (let kill = 0; kill <= KILLS; kill++) {
        const { child, url } = await startProcess(data);
        const client = clientOf(url);
        const isLast = kill === KILLS;
        const end = Date.now() + (isLast ? 0 : 20 + Math.random() * 600);
        const until = isLast ? () => waiting.length > 0 : () => Date.now() < end;
        const dying = isLast ? null : onExit(child);
        const killing = isLast ? null : setTimeout(() => child.kill("SIGKILL"), end - Date.now());
        while (until()) {
          if (!isLast && waiting.length < 40) {
            for (let i = 0; i < 10; i++, payments++) waiting.push(...entriesOf(payments));
          }
          const call = waiting.slice(0, 10);
          const answer = await put(
            client,
            call.map(({ source, events }) => entryOf(source, events)),
          ).catch(() => null);
          if (answer === null) continue; // killed meanwhile: nobody knows, so it is sent again
          const taken = new Set(call.filter((_, i) => answer.Entries?.[i]?.EventId !== undefined));
          acknowledged += taken.size;
          sent.push(...taken);
          waiting = waiting.filter((entry) => !taken.has(entry));
        }
        if (killing === null) {
          const stopped = onExit(child);
          child.stdin?.write(`${payments}\n`);
          expect(await stopped).toBe(0);
        } else {
          await dying;
          clearTimeout(killing);
        }
        client.destroy();
      }
      expect(payments).toBeGreaterThan(100);
      expect(acknowledged).toBe(payments * 2);

      const parsed = parseConfig(config);
      const store = await openLmdbStore(join(data, "store"));
      const throwaway = await openLmdbStore(join(directory, "replayed"), { durability: "flush", feedLength: 0 });
      const lines = [...sent.map(lineOf), ...Array.from({ length: payments }, (_, n) => chainLine(n))];
      const replayed = await replay(throwaway, parsed, inBatches(lines), { now: NOW });
      const listed: unknown[] = [];
      const sums: Record<string, bigint> = {};
      for await (const { payment, applied } of eachPayment(store, worldOf(parsed), NOW, null, null)) {
        listed.push(payment);
        for (const [counter, amount] of Object.entries(applied)) sums[counter] = (sums[counter] ?? 0n) + amount;
      }
      expect(listed.length).toBe(payments);
      // One by one, so that a failure names the payment.
      for (const [i, payment] of listed.entries()) expect(payment).toEqual(replayed.payments[i]);
      const names = Object.keys(sums);
      expect(await readCounters(store, names)).toEqual(names.map((name) => sums[name]));
      expect(sums["spent|org:acme|day|2026-11-20T00:00:00.000Z"]).toBe(10_000n * BigInt(payments));
      expect((await store.facts("QUARANTINE", "")).items).toEqual([]);
      expect(await readCounters(store, ["held|org:acme", "held|agent:research"])).toEqual([0n, 0n]);
      await store.close();
      await throwaway.close();
    } finally {
      rmSync(directory, { recursive: true, force: true });
    }
  },
  TIME_MS,
);

function entriesOf(n: number): Entry[] {
  return [
    { source: "bursar.agent.research", events: agentEvents(n) },
    { source: "bursar.api.reports", events: apiEvents(n) },
  ];
}

function lineOf({ source, events }: Entry): string {
  const detail = JSON.parse(detailOf(events));
  return JSON.stringify({ id: "x", source, "detail-type": "payment.events.v1", time: NOW, detail });
}

function chainLine(n: number): string {
  return lineOf({ source: "bursar.chain", events: [settledOf(keyOf(n))] });
}

async function* inBatches(lines: readonly string[]) {
  yield lines;
}

async function startProcess(data: string): Promise<{ child: ChildProcess; url: string }> {
  const file = fileURLToPath(new URL("./machine-process.ts", import.meta.url));
  const args = ["--import", "tsx", file, data, JSON.stringify(config), "settle"];
  const child = spawn(process.execPath, args, { stdio: ["pipe", "pipe", "inherit"] });
  for await (const line of createInterface({ input: child.stdout as NodeJS.ReadableStream })) {
    if (line.startsWith("http://")) return { child, url: line };
  }
  throw new Error("the machine did not start");
}

function onExit(child: ChildProcess): Promise<number | null> {
  return new Promise((resolve) => child.once("exit", resolve));
}
