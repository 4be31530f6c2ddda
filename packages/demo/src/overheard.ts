/** An emitter that is listened in on, and may be made to lie: what a producer says passes through somebody's hands. */
import { paymentId } from "@bursar/events/ids";
import type { EmitInput, Emitter } from "@bursar/sdk";

export interface Overheard {
  readonly emitter: Emitter;
  /** Ids of the payments that were spoken of, in their order. */
  payments(): readonly string[];
  /** The events as they were sent. */
  events(): readonly EmitInput[];
}

/** `change` makes of what the producer would say what it says instead; null: nothing. */
export function overhear(
  emitter: Emitter,
  change: (event: EmitInput) => EmitInput | null = (event) => event,
): Overheard {
  const events: EmitInput[] = [];
  return {
    emitter: {
      ...emitter,
      emit(event) {
        const said = change(event);
        if (said === null) return;
        events.push(said);
        emitter.emit(said);
      },
    },
    payments: () => [
      ...new Set(events.flatMap(({ payment }) => (payment === undefined ? [] : [paymentId(payment as never)]))),
    ],
    events: () => events,
  };
}
