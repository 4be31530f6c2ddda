/**
 * How fast the LMDB store is, in the two ways it is used. `node --import tsx packages/store/bench/lmdb.ts`
 *
 * One event here: get a payment, query one alias, put one fact, commit the payment with one counter add; eight events a
 * payment, payments of 1 KB.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Store } from "@bursar/core/ports";
import { openLmdbStore } from "../src/lmdb.ts";

const PAYMENT_EVENTS = 8;

async function event(store: Store, n: number, spread: number): Promise<void> {
  // Events of `spread` payments come mixed, as those of a fleet do.
  const round = Math.floor(n / (spread * PAYMENT_EVENTS));
  const payment = `PAY#${round * spread + (n % spread)}`;
  const step = Math.floor(n / spread) % PAYMENT_EVENTS;
  const alias = `AL#tx:42161:${payment}`;
  const [held] = await store.get([{ pk: payment, sk: "." }]);
  await store.facts(alias, "F#");
  await store.putAll([
    { pk: alias, sk: `F#bursar.agent.research#${step}`, data: { type: "t", n }, at: "2026-01-01T00:00:00.000Z" },
  ]);
  const data = { facts: `${step}`.padEnd(1000, "x"), state: "signed" };
  const index = { list: { partition: "payments", sort: payment }, due: { partition: "due", sort: `${n}` } };
  const put = { pk: payment, sk: ".", expected: held?.version ?? null, data, index };
  const answer = await store.commit([put], [{ pk: `CTR#agent:${n % 7}`, sk: "day#2026-01-01", amount: 10_000n }]);
  if (answer !== "done") throw new Error(`event ${n}: ${answer}`);
}

async function run(
  name: string,
  events: number,
  inFlight: number,
  options: Parameters<typeof openLmdbStore>[1],
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const store = await openLmdbStore(directory, options);
  const start = performance.now();
  const before = process.cpuUsage();
  const spread = Math.max(inFlight, 64);
  const worker = async (first: number) => {
    for (let n = first; n < events; n += inFlight) await event(store, n, spread);
  };
  await Promise.all(Array.from({ length: inFlight }, (_, i) => worker(i)));
  await store.flush();
  const seconds = (performance.now() - start) / 1000;
  const { user, system } = process.cpuUsage(before);
  const rate = Math.round(events / seconds).toLocaleString("en");
  const cpu = ((user + system) / events).toFixed(1);
  const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
  console.log(
    `${name}: ${rate} events/s (${events} events, ${inFlight} in flight, ${cpu} us of CPU each, ${memory} MB)`,
  );
  await store.close();
  rmSync(directory, { recursive: true });
}

const many = Number(process.argv[2] ?? 400_000);
await run("replay, flushed late, no feed", many, 1, { durability: "flush", feedLength: 0 });
await run("replay, flushed late, feed", many, 1, { durability: "flush" });
await run("durable, one caller", 2000, 1, {});
await run("durable, 64 callers", 50_000, 64, {});
await run("durable, 1,000 callers", 200_000, 1000, {});
