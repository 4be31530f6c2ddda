/** Runs pieces of work over one memory step by step, in an order that is given, with crashes at any step. */
import type { Memory } from "./memory-store.ts";

class Crash extends Error {}

interface Waiting {
  readonly piece: number;
  readonly go: () => void;
  readonly crash: () => void;
}

/** Each piece is started anew after a crash, as a queue would tell it again, until it ends. */
export async function interleave(
  pieces: readonly ((pause: (step: string) => Promise<void>) => Promise<void>)[],
  _memory: Memory,
  choices: readonly number[],
  crashes: number,
): Promise<void> {
  const waiting: Waiting[] = [];
  const failures: unknown[] = [];
  let left = crashes;
  let running = 0;
  let next = 0;
  const choose = (count: number): number => (choices[next++ % choices.length] as number) % count;
  const start = (piece: number, tries: number): void => {
    running++;
    const pause = () =>
      new Promise<void>((go, reject) => waiting.push({ piece, go, crash: () => reject(new Crash()) }));
    (pieces[piece] as (typeof pieces)[number])(pause).then(
      () => running--,
      (error) => {
        running--;
        if (error instanceof Crash || tries > 0) start(piece, error instanceof Crash ? tries : tries - 1);
        else failures.push(error);
      },
    );
  };
  for (const piece of pieces.keys()) start(piece, 3);
  for (let steps = 0; ; steps++) {
    await new Promise((done) => setImmediate(done));
    if (failures.length > 0) throw failures[0];
    if (waiting.length === 0) {
      if (running === 0) return;
      continue;
    }
    if (steps > 20_000) throw new Error("the pieces never end");
    const [step] = waiting.splice(choose(waiting.length), 1) as [Waiting];
    if (left > 0 && choose(25) === 0) {
      left--;
      // What else of a dead piece is under way dies with it.
      for (let i = waiting.length - 1; i >= 0; i--)
        if (waiting[i]?.piece === step.piece) waiting.splice(i, 1)[0]?.crash();
      step.crash();
    } else step.go();
  }
}
