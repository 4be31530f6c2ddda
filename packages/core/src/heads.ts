/** How far each chain is: of `chain.heads` the greatest of each stands. */
import type { Heads } from "./assess.ts";
import { changeItem } from "./change.ts";
import { headsKey } from "./items.ts";
import type { Store } from "./ports.ts";

/** Of each head the greatest. */
export function greatest(known: Heads | undefined, { latest, safe, final }: Heads): Heads {
  return {
    latest: Math.max(latest, known?.latest ?? 0),
    safe: Math.max(safe, known?.safe ?? 0),
    final: Math.max(final, known?.final ?? 0),
  };
}

/** Raises the stored heads; answers what stands now. */
export async function raiseHeads(store: Store, chainId: number, seen: Heads): Promise<Heads> {
  let raised = seen;
  await changeItem(store, headsKey(chainId), (stored) => {
    const known = stored?.data as unknown as Heads | undefined;
    raised = greatest(known, seen);
    const isSame = known?.latest === raised.latest && known.safe === raised.safe && known.final === raised.final;
    return isSame ? null : { data: { ...raised } };
  });
  return raised;
}

/** The stored heads of a chain; undefined where none were ever seen. */
export async function readHeads(store: Store, chainId: number): Promise<Heads | undefined> {
  const [stored] = await store.get([headsKey(chainId)]);
  return stored?.data as unknown as Heads | undefined;
}
