/** Makes one trouble after the other, at a pace at which a viewer can follow, for as long as the demo runs. */
import { setTimeout as sleep } from "node:timers/promises";
import { type Traffic, trafficOf } from "../traffic.ts";
import type { TroubleKind, TroubleTold } from "./trouble.ts";
import type { Yard } from "./yard.ts";

export interface RotaOptions {
  readonly table: readonly TroubleKind[];
  /** Makes the yard; what it makes is cut off by the signal. */
  readonly yard: (signal: AbortSignal) => Yard;
  readonly startAfterMs: number;
  /** From the beginning of one to the beginning of the next. */
  readonly everyMs: number;
  /** Ends after so many times through the table. Default: goes on until it is stopped. */
  readonly rounds?: number | undefined;
  readonly onTrouble?: ((told: TroubleTold) => void) | undefined;
}

/** What one trouble throws is told, and stops no other. */
export function startRota(options: RotaOptions): Traffic {
  const { table, yard: openYard, startAfterMs, everyMs, rounds = Number.POSITIVE_INFINITY, onTrouble } = options;
  const ending = new AbortController();
  const yard = openYard(ending.signal);
  const underWay = new Set<Promise<void>>();
  const pause = (ms: number) => sleep(ms, undefined, { signal: ending.signal, ref: false }).catch(() => {});

  async function make({ name, words, leads, produce }: TroubleKind): Promise<void> {
    const tell = (told: Pick<TroubleTold, "phase"> & Partial<TroubleTold>) =>
      onTrouble?.({ name, words, leads, payments: [], error: null, ...told });
    tell({ phase: "begins" });
    try {
      tell({ phase: "done", payments: await produce(yard, (said) => tell({ phase: "says", words: said })) });
    } catch (error) {
      if (!ending.signal.aborted) tell({ phase: "failed", error: (error as Error).message });
    }
  }

  async function run(): Promise<void> {
    await pause(startAfterMs);
    for (let round = 0; round < rounds; round++) {
      for (const kind of table) {
        if (kind.alone === true) await Promise.all(underWay);
        if (ending.signal.aborted) break;
        const making = make(kind).finally(() => underWay.delete(making));
        underWay.add(making);
        if (kind.alone === true) await making;
        await pause(everyMs);
      }
      if (ending.signal.aborted) break;
    }
    await Promise.all(underWay);
  }

  return trafficOf(run(), ending, ending);
}
