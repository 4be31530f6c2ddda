/** What humans do about alerts: say that they have seen one, and find one by the beginning of its id. */
import { listAlerts } from "./alert-book.ts";
import { alertKey, alertOf, publicAlert } from "./alert-items.ts";
import { moveAlert } from "./alert-move.ts";
import type { AlertMove, KeptAlert } from "./alert-shape.ts";
import { acknowledged } from "./alert-state.ts";
import type { Store } from "./ports.ts";

/** Alerts that an id, or the beginning of one, means: those that stand, else any. Two or more: ambiguous. */
export async function findAlerts(store: Store, text: string, now: string): Promise<readonly KeptAlert[]> {
  const all = await listAlerts(store, now);
  const exact = all.find(({ id }) => id === text);
  if (exact !== undefined) return [exact];
  const wanted = text.toLowerCase();
  const found = all.filter(({ id }) => wanted !== "" && id.toLowerCase().startsWith(wanted));
  const standing = found.filter(({ status }) => status !== "resolved");
  return standing.length > 0 ? standing : found;
}

export interface Acknowledged {
  readonly alert: KeptAlert;
  /** Null where it was acknowledged already, or is over. */
  readonly move: AlertMove | null;
}

/** Notes that a human has seen an alert. Null where there is none of that id. */
export async function acknowledgeAlert(
  store: Store,
  id: string,
  note: string | null,
  now: string,
): Promise<Acknowledged | null> {
  const before = alertOf((await store.get([alertKey(id)]))[0]);
  if (before === null) return null;
  const move = await moveAlert(store, before, now, (kept, _, manner) =>
    kept === null ? null : acknowledged(kept, note, now, manner),
  );
  if (move !== null) return { alert: move.alert, move };
  const after = alertOf((await store.get([alertKey(id)]))[0]);
  return { alert: publicAlert(after ?? before), move: null };
}
