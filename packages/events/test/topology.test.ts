/** The one list of steps that infrastructure, the one machine and the edge all go by. */
import { describe, expect, test } from "vitest";
import { DETAIL_TYPE, VERSION } from "../src/contract.ts";
import { parseEntry } from "../src/envelope.ts";
import { producerSource } from "../src/source.ts";
import { INGEST_PREFIXES, topology } from "../src/topology.ts";

describe("topology", () => {
  const names = topology.map(({ name }) => name);

  test("names each step once, and hands work to steps that are there", () => {
    expect(new Set(names).size).toBe(names.length);
    for (const { handsTo } of topology) for (const next of handsTo) expect(names).toContain(next);
  });

  test("every step is woken by something from outside or by another step", () => {
    for (const { name, wokenBy } of topology) {
      const fed =
        ["queue", "stream", "clock", "topic"].includes(wokenBy) ||
        topology.some(({ handsTo }) => handsTo.includes(name));
      expect(fed, name).toBe(true);
    }
  });

  test("the bus hears what the ingest rule takes, and nothing else", () => {
    const said = (source: string) => ({
      source,
      "detail-type": DETAIL_TYPE,
      detail: { version: VERSION, events: [{}] },
    });
    const refusal = (source: string) => parseEntry(said(source), "bus").quarantined[0]?.reason ?? "";
    for (const kind of ["agent", "api"] as const) {
      const source = producerSource(kind, "x");
      expect(INGEST_PREFIXES.some((prefix) => source.startsWith(prefix))).toBe(true);
      expect(refusal(source)).not.toContain("source is");
    }
    for (const source of ["bursar", "bursar.chain", "bursar.govern", "aws.events"])
      expect(refusal(source)).toContain("source is");
  });
});
