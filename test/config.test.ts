/** The example config at the root is one that works: what a newcomer edits first must be right. */
import { parseConfig } from "@bursar/events/config-schema";
import { expect, test } from "vitest";
import example from "../bursar.config.ts";

test("bursar.config.ts is a config", () => {
  expect(parseConfig(example)).toMatchObject({ org: "acme", budgets: [{ limit: 5_000_000n }, {}, {}] });
});
