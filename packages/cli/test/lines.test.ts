/** Lines out of bytes: however the bytes are cut, the same lines come out, and memory is bounded. */
import { ENTRY_BYTES_MAX } from "@bursar/events/limits";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { linesOf } from "../src/lines.ts";

async function linesIn(chunks: readonly Uint8Array[]): Promise<unknown[]> {
  const lines: unknown[] = [];
  for await (const batch of linesOf(each(chunks))) lines.push(...batch);
  return lines;
}

async function* each(chunks: readonly Uint8Array[]): AsyncGenerator<Uint8Array> {
  yield* chunks;
}

function cutAt(bytes: Buffer, places: readonly number[]): Buffer[] {
  const sorted = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return sorted.slice(1).map((end, i) => bytes.subarray(sorted[i], end));
}

describe("linesOf", () => {
  test.each([
    ["", []],
    ["\n", [""]],
    ["one", ["one"]],
    ["one\n", ["one"]],
    ["one\ntwo", ["one", "two"]],
    ["one\r\n\ntwo\n", ["one\r", "", "two"]],
    ["\ufeffone\n\ufefftwo", ["one", "\ufefftwo"]],
    ["\ufeff", []],
    ["é✓支\n", ["é✓支"]],
  ])("%j", async (text, expected) => {
    expect(await linesIn([Buffer.from(text)])).toEqual(expected);
    const bytes = [...Buffer.from(text)].map((byte) => Uint8Array.of(byte));
    expect((await linesIn(bytes)).filter((line) => line !== "")).toEqual(expected.filter((line) => line !== ""));
  });

  test("any cut of any text gives its lines", async () => {
    const texts = fc.array(
      fc.string({ unit: "binary" }).map((text) => text.replaceAll("\n", "")),
      { minLength: 1 },
    );
    await fc.assert(
      fc.asyncProperty(texts, fc.array(fc.nat()), async (lines, places) => {
        const bytes = Buffer.from(`x${lines.join("\n")}\n`);
        const expected = bytes.toString().slice(0, -1).split("\n");
        expect(await linesIn(cutAt(bytes, places))).toEqual(expected);
      }),
    );
  });

  test("any bytes: what is text comes out as text, the rest as a refusal, line by line", async () => {
    const bytes = fc.array(fc.constantFrom(0x0a, 0x41, 0xc3, 0xa9, 0xff, 0xe2), { maxLength: 60 });
    await fc.assert(
      fc.asyncProperty(bytes, fc.array(fc.nat(), { maxLength: 5 }), async (raw, places) => {
        const whole = Buffer.from([0x41, ...raw, 0x0a]);
        const lines = await linesIn(cutAt(whole, places));
        expect(lines).toEqual(await linesIn([whole]));
        expect(lines).toHaveLength(whole.filter((byte) => byte === 0x0a).length);
      }),
    );
  });

  test("a line that never ends keeps its head and its hash, nothing else", async () => {
    const chunk = Buffer.alloc(1 << 20, "y");
    const lines = await linesIn([...Array.from({ length: 40 }, () => chunk), Buffer.from("\nnext\n")]);
    expect(lines).toMatchObject([{ eventId: null, source: null, event: { bytes: 40 << 20 } }, "next"]);
    const { reason } = lines[0] as { reason: string };
    expect(reason).toBe(`entry is ${40 << 20} bytes: at most ${ENTRY_BYTES_MAX} are taken`);
  });
});
