import * as fs from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Claim, openSpool } from "../src/spool.ts";

const SOURCE = "bursar.agent.research";

function inDirectory<T>(act: (directory: string) => T): T {
  const directory = fs.mkdtempSync(join(tmpdir(), "bursar-spool-"));
  try {
    return act(directory);
  } finally {
    fs.rmSync(directory, { recursive: true, force: true });
  }
}

/** As if a minute had passed since anyone touched a claim. */
function age(directory: string): void {
  for (const name of fs.readdirSync(directory)) fs.utimesSync(join(directory, name), new Date(0), new Date(0));
}

const often = <T>(what: T): T[] => [what, what, what];

describe("openSpool", () => {
  const step = fc.record({
    process: fc.nat(1),
    does: fc.constantFrom(
      ...often("write"),
      ...often("claim"),
      ...often("send some"),
      "send all",
      "die",
      "a minute passes",
    ),
    count: fc.integer({ min: 1, max: 20 }),
  });

  it("loses no line, whatever processes that share it do and wherever they die", () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: "max" }), (steps) =>
        inDirectory((directory) => {
          const open = () => ({ spool: openSpool(directory, SOURCE, 1e9), claim: null as Claim | null });
          const processes = [open(), open()];
          const written: string[] = [];
          const sent = new Set<string>();
          for (const { process, does, count } of steps) {
            const one = processes[process] as ReturnType<typeof open>;
            if (does === "write") {
              const lines = Array.from({ length: count }, () =>
                JSON.stringify({ n: written.length, pad: "x".repeat(2_000) }),
              );
              const fresh = lines.map((line, index) => line.replace(/\d+/, String(written.length + index)));
              expect(one.spool.write(fresh)).toBe(0);
              written.push(...fresh);
            } else if (does === "claim") one.claim ??= one.spool.claim();
            else if (does === "die") processes[process] = open();
            else if (does === "a minute passes") age(directory);
            else if (one.claim !== null) {
              const { lines, release } = one.claim;
              const taken = does === "send all" ? lines.length : Math.min(count, lines.length);
              for (const line of lines.slice(0, taken)) sent.add(line);
              release(lines.slice(taken));
              one.claim = null;
            }
          }
          age(directory);
          const last = openSpool(directory, SOURCE, 1e9);
          for (let claim = last.claim(); claim !== null; claim = last.claim()) {
            for (const line of claim.lines) sent.add(line);
            claim.release([]);
          }
          expect([...sent].sort()).toEqual([...written].sort());
          expect(fs.readdirSync(directory)).toEqual([]);
        }),
      ),
      { numRuns: 100 },
    );
  });

  it("gives lines back in the order they came", () => {
    inDirectory((directory) => {
      const spool = openSpool(directory, SOURCE, 1e9);
      const lines = Array.from({ length: 900 }, (_, n) => JSON.stringify({ n, pad: "x".repeat(1_000) }));
      for (let from = 0; from < lines.length; from += 30) spool.write(lines.slice(from, from + 30));
      const first = spool.claim();
      first?.release(first.lines.slice(1));
      const got = first?.lines.slice(0, 1) ?? [];
      for (let claim = spool.claim(); claim !== null; claim = spool.claim()) {
        got.push(...claim.lines);
        claim.release([]);
      }
      expect(got).toEqual(lines);
    });
  });

  it("is readable by its owner alone, and bounds what was refused", () => {
    inDirectory((parent) => {
      const directory = join(parent, "made", "when", "needed");
      const spool = openSpool(directory, SOURCE, 1e9);
      expect(spool.claim()).toBeNull();
      spool.write(["{}"]);
      const [name] = fs.readdirSync(directory);
      expect(fs.statSync(join(directory, name ?? "")).mode & 0o777).toBe(0o600);
      for (let index = 0; index < 40; index += 1) spool.refuse(["x".repeat(100_000)], "too odd");
      const bytes = fs.readdirSync(directory).reduce((sum, file) => sum + fs.statSync(join(directory, file)).size, 0);
      expect(bytes).toBeLessThan(2_500_000);
      expect(spool.claim()?.lines).toEqual(["{}"]);
    });
  });

  it("removes what a killed writer left half-written", () => {
    inDirectory((directory) => {
      const half = join(directory, `.${SOURCE}~000000000000001-00000001-dead.ndjson.dead.tmp`);
      fs.writeFileSync(half, "{");
      const spool = openSpool(directory, SOURCE, 1e9);
      expect(spool.claim()).toBeNull();
      expect(fs.existsSync(half)).toBe(true);
      age(directory);
      expect(spool.claim()).toBeNull();
      expect(fs.existsSync(half)).toBe(false);
    });
  });
});
