/** The examples of `bursar replay`: what must come out of each, whatever the order of its lines and however often they come. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Replayed, replay } from "@bursar/core/replay";
import { parseConfig } from "@bursar/events/config-schema";
import { openLmdbStore } from "@bursar/store/lmdb";
import { describe, expect, test } from "vitest";
import { type Expected, judge } from "./judge.ts";

const FOLDER = new URL("./fixtures/examples/", import.meta.url);

const names = readdirSync(FOLDER, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => name);

const ORDERS: { readonly [name: string]: (lines: readonly string[]) => readonly string[] } = {
  "in file order": (lines) => lines,
  reversed: (lines) => [...lines].reverse(),
  doubled: (lines) => lines.flatMap((line) => [line, line]),
  "twice over": (lines) => [...lines, ...lines],
  "shuffled (seed 1)": (lines) => shuffled(lines, 1),
  "shuffled (seed 2)": (lines) => shuffled(lines, 2),
};

test("all fifteen examples are here", () => {
  expect(names).toHaveLength(15);
});

describe.each(names)("%s", (name) => {
  const read = (file: string) => readFileSync(new URL(`${name}/${file}`, FOLDER), "utf8");
  const lines = read("events.ndjson")
    .split("\n")
    .filter((line) => line.trim() !== "");
  const { now, ...expected } = JSON.parse(read("expect.json")) as Expected & { now: string };
  const config = parseConfig(JSON.parse(read("config.json")));
  let straight: Replayed | undefined;

  test.each(Object.keys(ORDERS))("%s", async (order) => {
    const arranged = ORDERS[order]?.(lines) ?? [];
    const got = await replayed(arranged, config, now);
    // Actions and alerts may differ by order: a threshold is judged as the lines come.
    const { actions, alerts, ...anyOrder } = expected;
    const judged = order === "in file order" ? { ...anyOrder, alerts, actions } : anyOrder;
    expect(judge(got, withoutUndefined(judged))).toEqual([]);
    straight ??= got;
    expect(JSON.stringify(got.payments)).toBe(JSON.stringify(straight.payments));
    expect(JSON.stringify(got.budgets)).toBe(JSON.stringify(straight.budgets));
  });
});

function withoutUndefined(expected: { [Field in keyof Expected]?: Expected[Field] | undefined }): Expected {
  return Object.fromEntries(Object.entries(expected).filter(([, value]) => value !== undefined)) as Expected;
}

async function replayed(
  lines: readonly string[],
  config: Parameters<typeof replay>[1],
  now: string,
): Promise<Replayed> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-examples-"));
  const store = await openLmdbStore(directory, { durability: "flush", feedLength: 0 });
  try {
    return await replay(store, config, batches(lines), { now });
  } finally {
    await store.close();
    rmSync(directory, { recursive: true });
  }
}

/** In uneven batches: how a file is cut must not show. */
async function* batches(lines: readonly string[]): AsyncGenerator<readonly string[]> {
  for (let start = 0, size = 1; start < lines.length; start += size++) yield lines.slice(start, start + size);
}

/** Fisher-Yates over a small linear congruential generator: the same order for the same seed. */
function shuffled(lines: readonly string[], seed: number): readonly string[] {
  const copy = [...lines];
  let state = seed;
  for (let i = copy.length - 1; i > 0; i--) {
    state = (state * 1_664_525 + 1_013_904_223) % 2 ** 32;
    const j = state % (i + 1);
    [copy[i], copy[j]] = [copy[j] as string, copy[i] as string];
  }
  return copy;
}
