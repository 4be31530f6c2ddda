/** The fold's laws, end to end: any order, any grouping and any repetition of the same events gives the same payments. */
import type { Told } from "@bursar/events/envelope";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonical } from "../src/canonical.ts";
import { correlate } from "../src/correlate.ts";
import type { Json } from "../src/ports.ts";
import { worldOf } from "../src/world.ts";
import { config, history } from "./history.ts";
import { emptyMemory, memoryStore } from "./memory-store.ts";
import { snapshot } from "./snapshot.ts";

const NOW = "2026-11-20T10:30:00.000Z";
const RUNS = Number(process.env.LAW_RUNS ?? 1000);

async function run(chunks: readonly (readonly Told[])[]): Promise<string> {
  const memory = emptyMemory();
  const store = memoryStore(memory);
  const world = worldOf(config);
  for (const chunk of chunks) {
    const { failed } = await correlate(store, world, chunk, NOW);
    expect(failed).toEqual([]);
  }
  return canonical((await snapshot(store, memory, world, NOW)) as unknown as Json);
}

/** The events doubled here and there, shuffled, and cut into batches. */
const arranged = (maxLength: number) =>
  history(maxLength).chain((events) =>
    fc.record({
      events: fc.constant(events),
      order: fc.shuffledSubarray([...events.keys(), ...events.keys()], { minLength: events.length }),
      cuts: fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 20 }),
    }),
  );

describe("laws of the fold", () => {
  test(`any order, grouping and repetition gives the same payments, byte for byte (${RUNS} histories)`, async () => {
    await fc.assert(
      fc.asyncProperty(arranged(24), async ({ events, order, cuts }) => {
        const missing = [...events.keys()].filter((i) => !order.includes(i));
        const shuffled = [...order, ...missing].map((i) => events[i] as Told);
        const chunks: Told[][] = [];
        for (let i = 0, c = 0; i < shuffled.length; c++) {
          const size = cuts[c % cuts.length] as number;
          chunks.push(shuffled.slice(i, i + size));
          i += size;
        }
        expect(await run(chunks)).toBe(await run([events]));
      }),
      { numRuns: RUNS },
    );
  }, 240_000);

  test("a whole history told again changes nothing and writes nothing", async () => {
    await fc.assert(
      fc.asyncProperty(history(16), async (events) => {
        const memory = emptyMemory();
        const store = memoryStore(memory);
        await correlate(store, worldOf(config), events, NOW);
        const versions = canonical(
          [...memory.items.values()].map(({ pk, version }) => ({ pk, version })) as unknown as Json,
        );
        const again = await correlate(store, worldOf(config), events, NOW);
        expect(again.changed).toEqual([]);
        expect(
          canonical([...memory.items.values()].map(({ pk, version }) => ({ pk, version })) as unknown as Json),
        ).toBe(versions);
      }),
      { numRuns: 200 },
    );
  }, 60_000);
});
