/** Changing one item under its version: read, decide, put, and anew where another writer was faster. */
import type { Item, Key, Store, Stored } from "./ports.ts";

/** Rounds before the item is given up: whoever asked is asked again. */
const ATTEMPTS_MAX = 12;

/**
 * Puts what `edit` answers for the item as it stands, and answers whether it did; null from `edit` is no change. `edit`
 * may be called more than once.
 * @throws for an item that others change all the time: the work is to be tried again
 */
export async function changeItem(
  store: Store,
  key: Key,
  edit: (stored: Stored | undefined) => Pick<Item, "data" | "index"> | null,
): Promise<boolean> {
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const [stored] = await store.get([key]);
    const after = edit(stored);
    if (after === null) return false;
    if ((await store.commit([{ ...key, ...after, expected: stored?.version ?? null }], [])) === "done") return true;
  }
  throw new Error(`others change ${key.pk} all the time: try again`);
}
