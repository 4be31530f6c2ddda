/** The queue by itself: order, bounds, what a crash leaves, and that a failing disk is said. */
import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { describe, expect, test, vi } from "vitest";
import { openQueue, type Queue, type Queued } from "../src/queue.ts";
import { directoryForTest } from "./machines.ts";

const offer = (queue: Queue, n: number) => queue.offer({ n }, JSON.stringify({ n }));
const ns = (entries: readonly Queued[]) => entries.map(({ entry }) => (entry as { n: number }).n);
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, i) => from + i);

async function offerAll(queue: Queue, numbers: readonly number[]): Promise<void> {
  await Promise.all(numbers.map((n) => offer(queue, n)));
}

describe("openQueue", () => {
  test("gives entries in order, and those not acknowledged again", async () => {
    const directory = directoryForTest();
    const queue = await openQueue(directory);
    await offerAll(queue, range(0, 100));
    const first = await queue.take(60);
    expect(ns(first)).toEqual(range(0, 60));
    queue.ack(first.slice(0, 30));
    expect(queue.depth()).toBe(70);
    await queue.close();

    const again = await openQueue(directory);
    expect(again.depth()).toBe(70);
    expect(ns(await again.take(1_000))).toEqual(range(30, 100));
    await again.close();
  });

  test("a note made while a segment of a crash is begun anew takes no acknowledged entry away", async () => {
    for (let ticks = 0; ticks < 40; ticks++) {
      const directory = directoryForTest();
      const before = await openQueue(directory);
      await offer(before, 1);
      await before.close();
      writeFileSync(join(directory, "0000000000000002.seg"), ""); // begun, and killed before the first entry
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
      try {
        const queue = await openQueue(directory);
        queue.ack(await queue.take(10)); // a note is due
        const durable = offer(queue, 2);
        for (let tick = 0; tick < ticks; tick++) await new Promise((resolve) => setImmediate(resolve));
        vi.runAllTimers();
        await durable;
      } finally {
        vi.useRealTimers();
      }
      const again = await openQueue(directory); // the process is gone without a close
      expect(again.depth() === 0 ? [] : ns(await again.take(10)), `after ${ticks} ticks`).toContain(2);
      await again.close();
    }
  });

  test("acknowledged out of order: what stands behind the first open one may come again, nothing is lost", async () => {
    const directory = directoryForTest();
    const queue = await openQueue(directory);
    await offerAll(queue, range(0, 10));
    const taken = await queue.take(10);
    queue.ack(taken.filter(({ seq }) => seq % 2 === 0)); // seq 1 is n 0
    await queue.close();
    const again = await openQueue(directory);
    expect(ns(await again.take(10))).toEqual(range(0, 10));
    await again.close();
  });

  test("forgets files that are done with, and goes on counting over restarts", async () => {
    const directory = directoryForTest();
    for (let run = 0; run < 3; run++) {
      const queue = await openQueue(directory, { segmentBytes: 200 });
      for (let n = 0; n < 50; n++) await offer(queue, n);
      expect(readdirSync(directory).filter((name) => name.endsWith(".seg")).length).toBeGreaterThan(3);
      const taken = await queue.take(100);
      expect(ns(taken)).toEqual(range(0, 50));
      expect(taken[0]?.seq).toBe(run * 50 + 1);
      queue.ack(taken);
      await queue.drained();
      await queue.close();
      expect(readdirSync(directory).filter((name) => name.endsWith(".seg")).length).toBeLessThanOrEqual(1);
    }
  });

  test("is bounded: full, it says so, and takes again when there is room", async () => {
    const queue = await openQueue(directoryForTest(), { bytesMax: 100 });
    let taken = 0;
    while (offer(queue, taken) !== null) taken += 1;
    expect(taken).toBe(Math.floor(100 / (8 + '{"n":0}'.length)));
    const entries = await queue.take(1);
    expect(offer(queue, 99)).toBeNull();
    queue.ack(entries);
    await offer(queue, 99);
    expect(queue.depth()).toBe(taken);
    await queue.close();
  });

  test("an entry larger than the bound is taken by an empty queue: it must not wait for ever", async () => {
    const queue = await openQueue(directoryForTest(), { bytesMax: 10 });
    await queue.offer({}, JSON.stringify({ text: "x".repeat(100) }));
    expect(queue.depth()).toBe(1);
    await queue.close();
  });

  test.each([
    ["half a header", (file: string) => appendFileSync(file, Buffer.from([1, 2, 3]))],
    ["half an entry", (file: string) => truncateSync(file, readFileSync(file).length - 3)],
    ["noughts", (file: string) => appendFileSync(file, Buffer.alloc(64))],
    ["a wrong checksum", (file: string) => appendFileSync(file, Buffer.from([2, 0, 0, 0, 9, 9, 9, 9, 123, 125]))],
  ])("a tail torn off by a crash is cut, kept beside, and told: %s", async (_name, tear) => {
    const directory = directoryForTest();
    const queue = await openQueue(directory);
    await offerAll(queue, range(0, 5));
    await queue.close();
    const file = join(directory, readdirSync(directory).find((name) => name.endsWith(".seg")) as string);
    tear(file);
    const said: string[] = [];
    const again = await openQueue(directory, { log: (line) => said.push(line) });
    const kept = again.depth();
    expect(kept).toBeGreaterThanOrEqual(4);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(".torn");
    await offer(again, 7);
    expect(ns(await again.take(10))).toEqual([...range(0, kept), 7]);
    await again.close();
    const third = await openQueue(directory, { log: (line) => said.push(line) });
    expect(third.depth()).toBe(kept + 1);
    expect(said).toHaveLength(1);
    await third.close();
  });

  test.each([
    ["an entry", 8 + 2],
    ["a length", 0],
    ["a checksum", 5],
  ])("damage in the middle takes what it hit, not what stands behind it: %s", async (_name, offset) => {
    const directory = directoryForTest();
    const queue = await openQueue(directory);
    await offerAll(queue, range(0, 5));
    queue.ack(await queue.take(4)); // the note must not pass for the entries behind the damage
    await queue.close();
    const file = join(directory, readdirSync(directory).find((name) => name.endsWith(".seg")) as string);
    const content = readFileSync(file);
    const second = 8 + content.readUInt32LE(0);
    content[second + offset] = (content[second + offset] as number) ^ 0xff;
    writeFileSync(file, content);
    const said: string[] = [];
    const again = await openQueue(directory, { log: (line) => said.push(line) });
    expect(said).toEqual([expect.stringContaining(".damaged")]);
    await offer(again, 7);
    const taken = await again.take(10);
    expect(ns(taken)).toEqual([0, 2, 3, 4, 7]);
    again.ack(taken);
    await again.close();
    const third = await openQueue(directory, { log: (line) => said.push(line) });
    expect(third.depth()).toBe(0);
    expect(said).toHaveLength(1);
    await third.close();
  });

  test("a note that cannot be written is told once and costs nothing but repeats", async () => {
    const directory = directoryForTest();
    const said: string[] = [];
    const queue = await openQueue(directory, { log: (line) => said.push(line) });
    mkdirSync(join(directory, "acked.new")); // where the note would be
    await offerAll(queue, range(0, 3));
    queue.ack(await queue.take(2));
    await setTimeout(300);
    queue.ack(await queue.take(1));
    await setTimeout(300);
    await queue.close();
    expect(said).toHaveLength(1);
    const again = await openQueue(directory);
    expect(again.depth()).toBe(3);
    await again.close();
  });

  test("a lost or damaged note gives everything again", async () => {
    const directory = directoryForTest();
    const queue = await openQueue(directory);
    await offerAll(queue, range(0, 5));
    queue.ack(await queue.take(3));
    await queue.close();
    writeFileSync(join(directory, "acked"), "no number");
    const again = await openQueue(directory);
    expect(again.depth()).toBe(5);
    await again.close();
  });

  test("what cannot be written is not acknowledged, and the next is taken", async () => {
    const directory = directoryForTest();
    const queue = await openQueue(directory);
    const blocking = join(directory, "0000000000000001.seg");
    mkdirSync(blocking); // where the first file would be
    await expect(offer(queue, 1)).rejects.toMatchObject({
      name: "QueueError",
      message: expect.stringContaining("room"),
    });
    expect(queue.depth()).toBe(0);
    await import("node:fs").then(({ rmdirSync }) => rmdirSync(blocking));
    await offer(queue, 2);
    expect(ns(await queue.take(10))).toEqual([2]);
    await queue.close();
  });

  test("a waiting consumer is woken by an entry, and by being told to end", async () => {
    const queue = await openQueue(directoryForTest());
    const waiting = queue.take(10);
    await offer(queue, 1);
    expect(ns(await waiting)).toEqual([1]);
    const second = queue.take(10);
    queue.wake();
    expect(await second).toEqual([]);
    await queue.close();
    await expect(offer(queue, 3)).rejects.toThrow("stopping");
  });
});
