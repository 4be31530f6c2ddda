/** Reconciliations that a running machine is asked for: one at a time, each with how far it is. */
import type { Day } from "@bursar/core/chain-day";
import type { Reading, Reconciled, Reconciler } from "./reconcile.ts";

export interface ReconcileDesk {
  /** Null while another day is being reconciled; who asks for the same day shares the answer. */
  ask(day: Day): Promise<Reconciled> | null;
  /** Null where none is under way. */
  reading(): Reading | null;
  /** Ends what is under way; resolves when it has ended. */
  stop(): Promise<void>;
}

export function createReconcileDesk(reconciler: Reconciler): ReconcileDesk {
  const stopping = new AbortController();
  let current: { readonly day: string; readonly answer: Promise<Reconciled> } | null = null;
  let reading: Reading | null = null;
  return {
    ask(day) {
      if (current !== null) return current.day === day.name ? current.answer : null;
      const answer = reconciler
        .run(day, (now) => {
          stopping.signal.throwIfAborted();
          reading = now;
        })
        .finally(() => {
          current = null;
          reading = null;
        });
      current = { day: day.name, answer };
      return answer;
    },
    reading: () => reading,
    async stop() {
      stopping.abort();
      await current?.answer.catch(() => {});
    },
  };
}
