import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type Channel, type Parsed, parseEntry, parseEntryText, parseEvent } from "../src/envelope.ts";
import { parseSource } from "../src/source.ts";
import { entryOf, HASH, least, samples, sourceNameOf } from "./samples.ts";

const sent = least["agent.payment_sent"];
const good = entryOf([sent]);
const agent = { kind: "agent", id: "research" } as const;
const bus = (entry: unknown) => parseEntryText(JSON.stringify(entry), "bus");

function refusal(parsed: Parsed): string {
  expect(parsed.told).toEqual([]);
  expect(parsed.quarantined).toHaveLength(1);
  return parsed.quarantined[0]?.reason ?? "";
}

describe("who speaks", () => {
  test.each([
    ["bursar.agent.research", agent],
    ["bursar.api.reports-2_x.y", { kind: "api", id: "reports-2_x.y" }],
    ["bursar.chain", { kind: "chain" }],
    ["bursar.govern", { kind: "govern" }],
    ["bursar", null],
    ["bursar.agent.", null],
    ["bursar.agent", null],
    ["bursar.agent.a b", null],
    ["bursar.agent.a\n", null],
    [`bursar.agent.${"x".repeat(129)}`, null],
    ["bursar.chain.x", null],
    ["Bursar.agent.a", null],
    ["aws.events", null],
    ["", null],
  ])("%j", (name, source) => expect(parseSource(name)).toEqual(source));

  const others = ["bursar.agent.a", "bursar.api.a", "bursar.chain", "bursar.govern"];
  const lies = samples.flatMap(({ type }) =>
    others.filter((o) => o.split(".")[1] !== sourceNameOf(type).split(".")[1]).map((o) => [o, type] as const),
  );
  test.each(lies)("%s may not assert %s", (source, type) => {
    const reason = refusal(parseEntry(entryOf([least[type]], source), "replay"));
    expect(reason).toMatch(/this source may assert \w+\.\* only$/);
  });

  test.each(samples.map((event) => event.type))("%s is heard from its own side", (type) => {
    const source = sourceNameOf(type);
    expect(parseEntry(entryOf([least[type]], source), "replay").told).toEqual([
      { source: parseSource(source), event: least[type] },
    ]);
  });

  test.each(["bursar.chain", "bursar.govern"])("the bus does not carry %s", (source) => {
    const event = source === "bursar.chain" ? least["chain.heads"] : least["session.revoked"];
    expect(refusal(parseEntry(entryOf([event], source), "bus"))).toMatch(/^source is "bursar\.(chain|govern)"/);
  });

  test.each(["chain", "govern"] as const)(
    "an unknown type of %s is refused: no newer producer is behind it",
    (kind) => {
      const type = kind === "chain" ? "chain.forked" : "session.frozen";
      expect(parseEvent({ ...sent, type }, { kind })).toBe(`type is "${type}": unknown`);
    },
  );
});

describe("what is no entry is one quarantined entry", () => {
  const line = JSON.stringify(good);
  test.each([
    ["nothing", "", /^entry is no JSON: /],
    ["a word", "hello", /^entry is no JSON: /],
    ["a truncated line", line.slice(0, 200), /^entry is no JSON: /],
    ["two entries", line + line, /^entry is no JSON: /],
    ["a comma at the end", `${line},`, /^entry is no JSON: /],
    ["an array", `[${line}]`, /^entry is no JSON object$/],
    ["null", "null", /^entry is no JSON object$/],
    ["a number", "1", /^entry is no JSON object$/],
    ["a text", '"x"', /^entry is no JSON object$/],
    ["100,000 brackets", "[".repeat(100_000), /^entry is no JSON/],
    ["100,000 brackets and back", "[".repeat(100_000) + "]".repeat(100_000), /^entry is no JSON/],
  ])("%s", (_, text, reason) => {
    const parsed = parseEntryText(text, "bus");
    expect(refusal(parsed)).toMatch(reason);
    expect(parsed.quarantined[0]).toMatchObject({ source: null, eventId: null, event: { head: expect.any(String) } });
  });

  test.each<[string, unknown, RegExp]>([
    ["no source", { ...good, source: undefined }, /^source is missing$/],
    ["a source that is no text", { ...good, source: 5 }, /^source is missing$/],
    ["an unknown source", { ...good, source: "acme.agent.x" }, /^source is "acme\.agent\.x"/],
    ["our own source", { ...good, source: "bursar" }, /^source is "bursar"/],
    ["no detail type", { ...good, "detail-type": undefined }, /^detail-type is missing/],
    ["another detail type", { ...good, "detail-type": "payment.events.v2" }, /^detail-type is "payment\.events\.v2"/],
    ["no detail", { ...good, detail: undefined }, /^detail is no JSON object$/],
    ["a detail in JSON in JSON", { ...good, detail: "{}" }, /^detail is no JSON object$/],
    ["a detail that is a list", { ...good, detail: [] }, /^detail is no JSON object$/],
    ["no version", { ...good, detail: { events: [sent] } }, /^detail\.version is missing/],
    ["version 2", { ...good, detail: { version: 2, events: [sent] } }, /^detail\.version is 2/],
    ["version as text", { ...good, detail: { version: "1", events: [sent] } }, /^detail\.version is "1"/],
    ["no events", { ...good, detail: { version: 1 } }, /^detail\.events is no list/],
    ["no list of events", { ...good, detail: { version: 1, events: { 0: sent } } }, /^detail\.events is no list/],
    ["an empty list", entryOf([]), /^detail\.events is no list of at least one event$/],
    ["1,001 events", entryOf(Array(1001).fill(0)), /^detail\.events has 1001 events: at most 1000 are taken$/],
  ])("%s", (_, entry, reason) => expect(refusal(bus(entry))).toMatch(reason));

  test("more than 256 KB, of which the first KB and a hash are kept", () => {
    const padded = (bytes: number) => {
      const empty = JSON.stringify({ ...good, pad: "" }).length;
      return JSON.stringify({ ...good, pad: "x".repeat(bytes - empty) });
    };
    expect(parseEntryText(padded(256 * 1024), "bus").told).toHaveLength(1);
    const parsed = parseEntryText(padded(256 * 1024 + 1), "bus");
    expect(refusal(parsed)).toBe("entry is 262145 bytes: at most 262144 are taken");
    expect(parsed.quarantined[0]?.event).toMatchObject({
      bytes: 262_145,
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    });
    expect(parsed.quarantined[0]).toHaveProperty("event.head.length", 1024);
  });

  test("bytes are counted, not characters", () => {
    const wide = JSON.stringify({ ...good, pad: "€".repeat(90_000) });
    expect(wide.length).toBeLessThan(256 * 1024);
    expect(refusal(parseEntryText(wide, "bus"))).toMatch(/^entry is 27\d{4} bytes/);
  });

  test("a 10 MB detail", () => {
    const parsed = bus(entryOf([{ ...sent, id: "x".repeat(10 * 1024 * 1024) }]));
    expect(refusal(parsed)).toMatch(/^entry is 1048\d{4} bytes/);
    expect(JSON.stringify(parsed).length).toBeLessThan(2_000);
  });
});

describe("neighbours go on", () => {
  test("a bad event is quarantined with its reason, in its place", () => {
    const bad = { ...sent, id: "bad", payment: { ...sent.payment, nonce: "0x1" } };
    const parsed = bus(entryOf([sent, bad, 5, { ...sent, id: "last" }]));
    expect(parsed.told.map(({ event }) => event.id)).toEqual(["e-1", "last"]);
    expect(parsed.quarantined).toEqual([
      {
        source: "bursar.agent.research",
        eventId: "bad",
        reason: "payment.nonce: must be 0x and 64 hex digits",
        event: bad,
      },
      { source: "bursar.agent.research", eventId: null, reason: "event is no JSON object", event: 5 },
    ]);
  });

  test("1,000 events are taken, and more than 50 are told of", () => {
    const many = (count: number) => parseEntry(entryOf(Array(count).fill(sent)), "bus");
    expect(many(50)).toMatchObject({ oversized: null });
    expect(many(51)).toMatchObject({ oversized: "bursar.agent.research" });
    expect(many(1000).told).toHaveLength(1000);
  });

  test("a large bad event is kept as its first KB and its hash", () => {
    const parsed = bus(entryOf([sent, { ...sent, id: "big", at: "x".repeat(20_000) }]));
    expect(parsed.told).toHaveLength(1);
    expect(parsed.quarantined[0]?.event).toMatchObject({
      bytes: expect.any(Number),
      head: expect.stringMatching(/^\{"id":"big"/),
    });
  });

  test("a reason names at most three fields and stays short, whatever the names are", () => {
    const labels = Object.fromEntries(
      Array.from({ length: 8 }, (_, i) => [`\u001b[31m\ud800${"y".repeat(900)}${i}`, 1]),
    );
    const [quarantined] = bus(entryOf([{ ...least["agent.request_sent"], labels }])).quarantined;
    expect(quarantined?.reason.length).toBeLessThanOrEqual(512);
    expect(quarantined?.reason).not.toMatch(/\p{Cc}/u);
    expect(quarantined?.reason.isWellFormed()).toBe(true);
  });
});

describe("hostile JSON", () => {
  test("half a surrogate pair: replaced in text, refused in a name, never kept", () => {
    const text = JSON.stringify(entryOf([{ ...least["agent.payment_failed"], message: "a\ud800b" }]));
    expect(text).toContain("\\ud800");
    expect(parseEntryText(text, "bus").told[0]?.event).toMatchObject({ message: "a\ufffdb" });

    const bad = { ...sent, id: "\udc00", "\ud800": "C:\\ud800 \ud800" };
    const [quarantined] = bus(entryOf([bad])).quarantined;
    expect(quarantined).toMatchObject({
      eventId: "\ufffd",
      reason: "id: must be 1 to 256 characters without control characters",
    });
    expect(quarantined?.event).toEqual({ ...sent, id: "\ufffd", "\ufffd": "C:\\ud800 \ufffd" });
  });

  test("keys that reach for a prototype reach nothing", () => {
    const poison = '"__proto__":{"polluted":1,"payment":{}},"constructor":{"prototype":{"polluted":1}}';
    const event = JSON.stringify({ ...least["agent.request_sent"], labels: { team: "x" } })
      .replace("{", `{${poison},`)
      .replace('"labels":{', `"labels":{"__proto__":"y",`)
      .replace('"resource":{', `"resource":{${poison},`);
    const line = JSON.stringify(entryOf([0]))
      .replace("[0]", `[${event}]`)
      .replace("{", `{${poison},`);
    const parsed = parseEntryText(line, "bus");
    expect(({} as Record<string, unknown>).polluted).toBe(undefined);
    for (const { event: taken } of parsed.told) {
      expect(Object.getPrototypeOf(taken)).toBe(Object.prototype);
      const { labels, resource } = taken as { labels?: object; resource?: object };
      expect(Object.getPrototypeOf(labels ?? {})).toBe(Object.prototype);
      expect(Object.getPrototypeOf(resource ?? {})).toBe(Object.prototype);
    }
    expect(parsed.told.length + parsed.quarantined.length).toBe(1);
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])("the type %s is no type", (type) => {
    expect(parseEvent({ ...sent, type }, agent)).toMatch(/^type is /);
    expect(parseEvent({ ...sent, type: `agent.${type}` }, agent)).toBeDefined();
  });

  test("a duplicate key: the last one counts, as JSON.parse has it", () => {
    const line = JSON.stringify(good).replace('"id":"e-1"', '"id":"first","id":"second"');
    expect(parseEntryText(line, "bus").told.map(({ event }) => event.id)).toEqual(["second"]);
  });

  test.each([
    ["in an unknown field of a good event", { ...sent }, 1],
    ["in an unknown field of a bad event", { ...sent, at: "never" }, 0],
  ])("nesting of 10,000 and 100,000 levels %s", (_, event, told) => {
    for (const levels of [10_000, 100_000]) {
      const deep = "[".repeat(levels) + "]".repeat(levels);
      const line = JSON.stringify(entryOf([event, sent])).replace('"type"', `"deep":${deep},"type"`);
      const parsed = parseEntryText(line, "bus");
      // Either the engine refuses the text as a whole, or the neighbour is taken.
      expect([0, told + 1]).toContain(parsed.told.length);
      expect(() => JSON.stringify(parsed)).not.toThrow();
      for (const { event: kept } of parsed.quarantined) expect(kept).toMatchObject({ head: expect.any(String) });
    }
  });

  test("a bad event of 40 levels is kept as text: whoever walks it later has no bottomless pit", () => {
    const deep = JSON.parse("[".repeat(40) + "]".repeat(40));
    const [quarantined] = parseEntry(entryOf([{ ...sent, at: "never", deep }]), "bus").quarantined;
    expect(quarantined?.event).toMatchObject({ head: expect.stringContaining("[[[[") });
  });

  test("what is no JSON at all: cycles, functions, bigints", () => {
    const cycle: Record<string, unknown> = { ...sent, at: "never" };
    cycle.self = cycle;
    for (const thing of [cycle, { at: 1n, type: 1n }, () => 1, Symbol("x"), undefined, new Map()]) {
      expect(parseEntry(thing, "bus").quarantined).toHaveLength(1);
      expect(parseEntry(entryOf([thing]), "bus").quarantined).toHaveLength(1);
    }
  });
});

describe("laws", () => {
  const channel = fc.constantFrom<Channel>("bus", "replay");
  const anything = fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
  });

  /** A valid event in which one to three values, at any depth, have become something else, or are gone. */
  const mutated = fc
    .tuple(
      fc.constantFrom(...samples),
      fc.array(fc.tuple(fc.nat(), fc.option(fc.oneof(fc.jsonValue(), anything))), { minLength: 1, maxLength: 3 }),
    )
    .map(([event, changes]) => {
      const copy = structuredClone(event) as Record<string, unknown>;
      for (const [at, value] of changes) {
        const spots = spotsOf(copy);
        const spot = spots[at % spots.length];
        if (spot === undefined) continue;
        if (value === null) delete spot.owner[spot.key];
        else spot.owner[spot.key] = value;
      }
      return copy;
    });

  interface Spot {
    readonly owner: Record<string, unknown>;
    readonly key: string;
  }

  function spotsOf(owner: Record<string, unknown>, depth = 0): Spot[] {
    return Object.entries(owner).flatMap(([key, value]) => {
      const spot = { owner, key };
      const nested = typeof value === "object" && value !== null && depth < 3;
      return nested ? [spot, ...spotsOf(value as Record<string, unknown>, depth + 1)] : [spot];
    });
  }

  /** Nothing is lost, nothing is counted twice, and all of it can be stored. */
  function accounts(parsed: Parsed, events: number): void {
    expect(parsed.told.length + parsed.quarantined.length).toBe(events);
    const json = JSON.stringify(parsed);
    expect(json).not.toMatch(/(?<!\\)(?:\\\\)*\\ud[89a-f]/);
    for (const { reason } of parsed.quarantined) {
      expect(reason).not.toBe("");
      expect(reason.length).toBeLessThanOrEqual(512);
    }
  }

  test("any value at all is told or quarantined, and nothing throws", () => {
    fc.assert(
      fc.property(anything, channel, (entry, via) => accounts(parseEntry(entry, via), 1) ?? true),
      { numRuns: 1_000 },
    );
    fc.assert(
      fc.property(anything, channel, (event, via) => accounts(parseEntry(entryOf([event]), via), 1) ?? true),
      {
        numRuns: 1_000,
      },
    );
  });

  test("any text at all", () => {
    fc.assert(
      fc.property(fc.oneof(fc.string({ unit: "binary" }), fc.json()), channel, (text, via) => {
        accounts(parseEntryText(text, via), 1);
      }),
      { numRuns: 1_000 },
    );
  });

  test("valid events with something changed", () => {
    fc.assert(
      fc.property(fc.array(mutated, { minLength: 1, maxLength: 4 }), channel, (events, via) => {
        const type = events[0]?.type;
        const entry = entryOf(events, sourceNameOf(typeof type === "string" ? type : "agent."));
        const parsed = parseEntry(entry, via);
        accounts(parsed, parsed.quarantined[0]?.reason.startsWith("source is") ? 1 : events.length);
      }),
      { numRuns: 2_000 },
    );
  });

  test("a normalised event is its own normal form", () => {
    const strange = fc.oneof(
      fc.webUrl({ withQueryParameters: true }),
      fc.string({ unit: "binary" }),
      fc.constantFrom("2026-11-20T12:00:00+02:00", HASH.toUpperCase().replace("X", "x"), "Über\u0000", "0"),
    );
    const dressed = fc
      .tuple(fc.constantFrom(...samples), fc.array(fc.tuple(fc.nat(), strange), { maxLength: 4 }))
      .map(([event, changes]) => {
        const copy = structuredClone(event) as Record<string, unknown>;
        for (const [at, value] of changes) {
          const texts = spotsOf(copy).filter(({ owner, key }) => typeof owner[key] === "string" && key !== "type");
          const spot = texts[at % texts.length];
          if (spot !== undefined) spot.owner[spot.key] = value;
        }
        return copy;
      });
    let taken = 0;
    fc.assert(
      fc.property(dressed, (event) => {
        const source = parseSource(sourceNameOf(String(event.type)));
        const once = source === null ? "" : parseEvent(event, source);
        if (typeof once === "string" || source === null) return;
        taken++;
        expect(parseEvent(once, source)).toEqual(once);
        expect(parseEvent(JSON.parse(JSON.stringify(once)), source)).toEqual(once);
      }),
      { numRuns: 2_000 },
    );
    expect(taken).toBeGreaterThan(200);
  });
});
