import { DETAIL_TYPE as CONTRACT_DETAIL_TYPE } from "@bursar/events/contract";
import * as limits from "@bursar/events/limits";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { DETAIL_TYPE, EVENT_BYTES_MAX, type Item, packCall } from "../src/entries.ts";

const item = (bytes: number, seq: number): Item => ({
  seq,
  json: JSON.stringify("x".repeat(bytes - 2)),
  bytes,
  oddities: 0,
});

describe("packCall", () => {
  it("packs a prefix in order, never an empty one, within every limit, and no more than needed", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.integer({ min: 2, max: 2_000 }), fc.integer({ min: 2, max: EVENT_BYTES_MAX })), {
          maxLength: 700,
        }),
        (sizes) => {
          const items = sizes.map(item);
          const entries = packCall(items);
          const packed = entries.flatMap((entry) => entry.items);
          expect(packed).toEqual(items.slice(0, packed.length));
          expect(packed.length > 0 || items.length === 0).toBe(true);
          expect(entries.length).toBeLessThanOrEqual(limits.ENTRIES_PER_CALL);
          for (const entry of entries) {
            expect(entry.items.length).toBeLessThanOrEqual(limits.EVENTS_PER_ENTRY);
            expect(Buffer.byteLength(entry.detail)).toBeLessThanOrEqual(limits.DETAIL_BYTES);
            expect(JSON.parse(entry.detail).events).toHaveLength(entry.items.length);
          }
          const bytes = entries.reduce((sum, entry) => sum + Buffer.byteLength(entry.detail), 0);
          expect(bytes).toBeLessThanOrEqual(limits.CALL_BYTES_MAX);
          const next = items[packed.length];
          if (next !== undefined && entries.length < limits.ENTRIES_PER_CALL) {
            expect(bytes + next.bytes).toBeGreaterThan(limits.CALL_BYTES_MAX - limits.DETAIL_BYTES);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it("uses the contract's detail type", () => {
    expect(DETAIL_TYPE).toBe(CONTRACT_DETAIL_TYPE);
  });
});
