/** What the machine tells whoever listens, as it happens: the terminal and the server-sent events are listeners. */
import type { Heads } from "@bursar/core/assess";
import type { Quarantined } from "@bursar/events/envelope";
import type { Action, Alert, Break, Payment, State, Verdict, Wallet } from "@bursar/events/shapes";

/** How a payment stood before it moved. */
export interface Standing {
  readonly state: State;
  readonly verdict: Verdict;
  readonly breaks: readonly Break[];
}

/**
 * One thing that happened. `at` is this machine's time, ISO-8601.
 * - `payment`: its state, verdict, breaks, hashes or timeline moved; `before` is null when it is new in the list
 * - `alert`: one opened, its count grew, or it resolved
 * - `action`: Bursar resolved on something, or did it, or could not
 * - `wallet`: a balance was read that changes how it stands, or a minute's change of figures; `before` is null for one that
 *   was never read
 * - `heads`: the chain went on
 * - `quarantined`: an event was not taken
 * - `notice`: something about the machine itself that a person should read, such as a chain that does not answer
 */
export type MachineEvent =
  | { readonly kind: "payment"; readonly at: string; readonly data: Payment; readonly before: Standing | null }
  | { readonly kind: "alert"; readonly at: string; readonly data: Alert }
  | { readonly kind: "action"; readonly at: string; readonly data: Action }
  | {
      readonly kind: "wallet";
      readonly at: string;
      readonly data: Wallet;
      readonly before: Pick<Wallet, "status" | "blocked"> | null;
    }
  | { readonly kind: "heads"; readonly at: string; readonly data: Heads & { readonly chainId: number } }
  | { readonly kind: "quarantined"; readonly at: string; readonly data: Quarantined }
  | { readonly kind: "notice"; readonly at: string; readonly data: { readonly message: string } };

export type Listener = (event: MachineEvent) => void;

export interface Feed {
  /** Calls `listener` for every event from now on; returns what ends that. A listener that throws is not heard. */
  on(listener: Listener): () => void;
  emit(event: MachineEvent): void;
}

export function createFeed(): Feed {
  const listeners = new Set<Listener>();
  return {
    on(listener) {
      const own: Listener = (event) => listener(event); // the same function may listen twice
      listeners.add(own);
      return () => listeners.delete(own);
    },
    emit(event) {
      for (const listener of listeners) {
        try {
          listener(event);
        } catch {
          // A listener shows things; what it cannot show must not stop the steps.
        }
      }
    },
  };
}
