/** Runs concurrent writers over one memory step by step, in every order, with a crash at any step. */
import type { Told } from "@bursar/events/envelope";
import { correlate } from "../src/correlate.ts";
import type { CorrelateWorld } from "../src/write.ts";
import { emptyMemory, type Memory, memoryStore } from "./memory-store.ts";

/** Picks one of `count` options. */
export type Choose = (count: number) => number;

class Crash extends Error {}

interface Waiting {
  readonly writer: number;
  readonly go: () => void;
  readonly crash: () => void;
}

/**
 * Lets the writers take in their batches, one step at a time as `choose` says; `crashes` of them die at a step and
 * are told the same again afterwards, as a queue would.
 */
export async function runScheduled(
  world: CorrelateWorld,
  batches: readonly (readonly Told[])[],
  now: string,
  choose: Choose,
  crashes: number,
): Promise<Memory> {
  const memory = emptyMemory();
  const waiting: Waiting[] = [];
  let left = crashes;
  let running = 0;
  const failures: unknown[] = [];
  const start = (writer: number): void => {
    running++;
    const store = memoryStore(
      memory,
      () => new Promise<void>((go, reject) => waiting.push({ writer, go, crash: () => reject(new Crash()) })),
    );
    correlate(store, world, batches[writer] as readonly Told[], now)
      .then(({ failed }) => {
        running--;
        if (failed.length > 0) start(writer);
      })
      .catch((error) => {
        running--;
        if (error instanceof Crash) start(writer);
        else failures.push(error);
      });
  };
  for (const writer of batches.keys()) start(writer);
  for (let steps = 0; ; steps++) {
    await new Promise((done) => setImmediate(done));
    if (failures.length > 0) throw failures[0];
    if (waiting.length === 0) {
      if (running === 0) return memory;
      continue;
    }
    if (steps > 2000) throw new Error("the writers never finish");
    const option = choose(waiting.length * (left > 0 ? 2 : 1));
    const [step] = waiting.splice(option % waiting.length, 1);
    if (option < waiting.length + 1) step?.go();
    else {
      left--;
      // A dead writer's other steps die with it.
      for (let i = waiting.length - 1; i >= 0; i--)
        if (waiting[i]?.writer === step?.writer) waiting.splice(i, 1)[0]?.crash();
      step?.crash();
    }
  }
}

/** Every schedule, depth first: `run` is called with a chooser until its choices are used up or `limit` is reached. */
export async function everySchedule(
  limit: number,
  run: (choose: Choose) => Promise<void>,
): Promise<{ runs: number; complete: boolean }> {
  const path: { picked: number; count: number }[] = [];
  for (let runs = 1; ; runs++) {
    let depth = 0;
    await run((count) => {
      const known = path[depth];
      if (known === undefined) path.push({ picked: 0, count });
      return path[depth++]?.picked ?? 0;
    });
    path.length = depth;
    while (path.length > 0) {
      const last = path[path.length - 1] as { picked: number; count: number };
      if (last.picked + 1 < last.count) {
        last.picked++;
        break;
      }
      path.pop();
    }
    if (path.length === 0) return { runs, complete: true };
    if (runs === limit) return { runs, complete: false };
  }
}
