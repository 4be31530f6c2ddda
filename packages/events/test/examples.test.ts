import { describe, expect, test } from "vitest";
import { parseConfig } from "../src/config-schema.ts";
import { parseEntryText } from "../src/envelope.ts";
import { examples } from "./examples.ts";

test("all fifteen are here", () => expect(examples).toHaveLength(15));

describe.each(examples.map((example) => [example.name, example] as const))("%s", (_, example) => {
  const parsed = example.lines.map((line) => parseEntryText(line, "replay"));
  const quarantined = parsed.flatMap((entry) => entry.quarantined);

  test("exactly the expected events are quarantined", () => {
    expect(quarantined).toHaveLength(example.quarantined.count ?? 0);
    expect(quarantined.map(({ eventId }) => eventId).sort()).toEqual([...(example.quarantined.ids ?? [])].sort());
  });

  test("each with a reason that names its field or its rule", () => {
    for (const { reason } of quarantined) expect(reason).toMatch(/^([a-zA-Z0-9.]+: |names neither )/);
  });

  test("its config is one", () => expect(() => parseConfig(example.config)).not.toThrow());
});
