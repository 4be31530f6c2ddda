import { expect, test, vi } from "vitest";
import { startRota } from "../src/troubles/rota.ts";
import { TROUBLE_TABLE } from "../src/troubles/table.ts";
import type { TroubleKind, TroubleTold } from "../src/troubles/trouble.ts";
import type { Yard } from "../src/troubles/yard.ts";

const yard = (signal: AbortSignal) => ({ signal }) as Yard;
const kind = (name: string, produce: TroubleKind["produce"], more: Partial<TroubleKind> = {}): TroubleKind => ({
  ...{ name, words: `${name} happens`, leads: { breaks: [], heals: false }, produce },
  ...more,
});

function rotaOf(table: readonly TroubleKind[]) {
  const told: TroubleTold[] = [];
  const common = { yard, startAfterMs: 1, everyMs: 1, rounds: 1 };
  const rota = startRota({ ...common, table, onTrouble: (each) => told.push(each) });
  return { rota, told: () => told.map(({ name, phase }) => `${name} ${phase}`), all: told };
}

test("one trouble follows the other, each is told of when it begins and with its payments when it is done", async () => {
  const { rota, told, all } = rotaOf([kind("a", async () => ["p"]), kind("b", async () => ["q"])]);
  await rota.done;
  expect(told()).toEqual(["a begins", "a done", "b begins", "b done"]);
  expect(all.map(({ payments }) => payments)).toEqual([[], ["p"], [], ["q"]]);
});

test("a trouble that cannot be made is told, and stops no other", async () => {
  const fails = async () => {
    throw new Error("no session");
  };
  const { rota, told, all } = rotaOf([kind("a", fails), kind("b", async () => [])]);
  await rota.done;
  expect(told()).toEqual(["a begins", "a failed", "b begins", "b done"]);
  expect(all[1]?.error).toBe("no session");
});

test("one that touches everybody waits for the others, and they for it", async () => {
  let end = () => {};
  const slow = kind("slow", () => new Promise((resolve) => (end = () => resolve([]))));
  const { rota, told } = rotaOf([slow, kind("alone", async () => [], { alone: true }), kind("next", async () => [])]);
  await vi.waitFor(() => expect(told()).toEqual(["slow begins"]));
  end();
  await rota.done;
  expect(told().slice(1)).toEqual(["slow done", "alone begins", "alone done", "next begins", "next done"]);
});

test("a stop cuts off what is under way, and nothing is told of that", async () => {
  const hangs: TroubleKind["produce"] = ({ signal }) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("cut off"))));
  const { rota, told } = rotaOf([kind("a", hangs), kind("b", hangs)]);
  await vi.waitFor(() => expect(told()).toContain("b begins"));
  await rota.stop(1_000);
  expect(told()).toEqual(["a begins", "b begins"]);
});

test("the table's troubles say what they do and what to look for, and a reorg comes more than once", () => {
  for (const { words, leads } of TROUBLE_TABLE) {
    expect(words).toMatch(/^[a-z].*[^.]$/);
    expect(leads.breaks).toEqual([...leads.breaks].sort());
  }
  expect(TROUBLE_TABLE.filter(({ name }) => name === "reorg").length).toBeGreaterThan(1);
});
