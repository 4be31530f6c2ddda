/** Time alone can break a story: payments whose deadline has come are assessed again. */
import { commitAll } from "./commit.ts";
import { DUE_SHARDS, paymentKey } from "./items.ts";
import type { Store } from "./ports.ts";
import { load } from "./record.ts";
import { type Changed, type CorrelateWorld, writeOf } from "./write.ts";

/** Payments taken from each shard of the due index in one sweep; the rest waits for the next. */
const SWEEP_MAX = 200;

/** Assesses again what is due at `now`; answers what it wrote. A payment that another writer holds waits for the next sweep. */
export async function sweep(store: Store, world: CorrelateWorld, now: string): Promise<Changed[]> {
  const changed = new Map<string, Changed>();
  for (let shard = 0; shard < DUE_SHARDS; shard++) {
    const { items } = await store.index("due", `due#${shard}`, { to: `${now}~`, limit: SWEEP_MAX });
    const ids = items.map((item) => item.pk.slice("PAY#".length));
    const stored = ids.length === 0 ? [] : await store.get(ids.map(paymentKey));
    const writes = ids.flatMap((id, i) => {
      const before = load(id, stored[i]);
      if (before.version === null || before.assessed === null) return [];
      // A copy, so that it is written though no fact is new.
      const write = writeOf({ ...before.payment }, before, world, now);
      if (write === null) return [];
      return write.deltas.length === 0 &&
        write.moves.length === 0 &&
        write.change.after.assessed?.due === before.assessed.due
        ? []
        : [write];
    });
    await commitAll(store, world, writes, changed, now, true);
  }
  return [...changed.values()];
}
