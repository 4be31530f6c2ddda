import { readFileSync } from "node:fs";
import { Ajv2020 } from "ajv/dist/2020.js";
import { describe, expect, test } from "vitest";
import { parseEvent } from "../src/envelope.ts";
import { jsonSchema } from "../src/json-schema.ts";
import { examples } from "./examples.ts";
import { entryOf, least, offer, samples, sourceOf } from "./samples.ts";

const checkedIn: unknown = JSON.parse(
  readFileSync(new URL("../schema/payment.events.v1.json", import.meta.url), "utf8"),
);
// strictTypes wants a type beside every `if`; strictRequired wants what `anyOf` requires defined beside it.
const validate = new Ajv2020({ strict: true, strictTypes: false, strictRequired: false }).compile(checkedIn as object);
const detail = (...events: unknown[]) => entryOf(events).detail;

test("what is checked in is what the code generates: else run `npm run schema`", () => {
  expect(checkedIn).toEqual(JSON.parse(JSON.stringify(jsonSchema())));
});

test("every part has a name that generated types can have too", () => {
  expect(Object.keys((checkedIn as { $defs: object }).$defs).filter((name) => name.startsWith("__"))).toEqual([]);
});

describe("what producers send", () => {
  test.each(samples.map((event) => [event.type, event] as const))("the least %s", (_, event) => {
    expect(validate(detail(event)), JSON.stringify(validate.errors)).toBe(true);
  });

  test.each(samples.flatMap((event) => Object.keys(event).map((field) => [event.type, field, event] as const)))(
    "%s without %s is refused here exactly if it is refused at the edge",
    (type, field, event) => {
      const { [field]: _, ...rest } = event as Record<string, unknown>;
      expect(validate(detail(rest))).toBe(typeof parseEvent(rest, sourceOf(type)) !== "string");
    },
  );

  test("1 to 50 events, version 1", () => {
    const sent = least["agent.payment_sent"];
    expect(validate(detail())).toBe(false);
    expect(validate(detail(...Array(50).fill(sent)))).toBe(true);
    expect(validate(detail(...Array(51).fill(sent)))).toBe(false);
    expect(validate({ ...(detail(sent) as object), version: 2 })).toBe(false);
    expect(validate({ events: [sent] })).toBe(false);
  });

  test("unknown fields are fine, nine labels and addresses that are none on an eip155 network are not", () => {
    const sent = least["agent.request_sent"];
    const labels = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`l${i}`, "x"]));
    expect(validate(detail({ ...sent, zeal: 1, labels: labels(8) }))).toBe(true);
    expect(validate(detail({ ...sent, labels: labels(9) }))).toBe(false);
    const offered = (fields: object) =>
      validate(detail({ ...least["api.payment_demanded"], offers: [{ ...offer, ...fields }] }));
    expect(offered({ payTo: "vitalik.eth" })).toBe(false);
    expect(offered({ network: "solana:5eykt4", payTo: "7cVfgArCheMR6Cs4t6", asset: "EPjFWdd5AufqSSqeM2" })).toBe(true);
  });
});

describe("the examples", () => {
  // What the description says that it cannot say.
  const BEYOND = new Set(["q-amount-huge", "q-at-month13", "q-at-feb30"]);

  test.each(examples.map((example) => [example.name, example] as const))(
    "%s: good ones pass, bad ones do not",
    (_, example) => {
      const bad = new Set(example.quarantined.ids ?? []);
      for (const line of example.lines) {
        const { detail: sent } = JSON.parse(line) as { detail: { events: { id: string }[] } };
        for (const event of sent.events) {
          const expected = !bad.has(event.id) || BEYOND.has(event.id);
          expect(validate({ ...sent, events: [event] }), `${event.id} ${JSON.stringify(validate.errors)}`).toBe(
            expected,
          );
        }
      }
    },
  );
});
