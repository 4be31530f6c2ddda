/**
 * Folding again what has not changed: a config says who owns wallets and who must speak, a budget says what is counted,
 * so a change of either goes through every payment once, by the same write as everything else.
 */
import { commitAll } from "./commit.ts";
import { paymentKey } from "./items.ts";
import { eachPayment } from "./lists.ts";
import type { Store } from "./ports.ts";
import { load } from "./record.ts";
import { isRow } from "./rows.ts";
import { type Changed, type CorrelateWorld, writeOf } from "./write.ts";

/** Payments folded together. */
const BATCH = 64;
/** Rounds for payments that others write meanwhile; who writes them folds them under the new world too. */
const ATTEMPTS_MAX = 12;

/**
 * Folds every payment again under `world`, batch by batch; yields what was written. It must begin when nobody writes
 * under the world before any more. Broken off, it is done again from the start.
 */
export async function* refold(
  store: Store,
  world: CorrelateWorld,
  now: () => string,
): AsyncGenerator<readonly Changed[]> {
  let ids: string[] = [];
  for await (const { payment } of eachPayment(store, world, now(), null, null)) {
    if (isRow(payment.id)) continue; // no money in it, and whose it is stands in its id
    ids.push(payment.id);
    if (ids.length < BATCH) continue;
    yield await foldAgain(store, world, ids, now());
    ids = [];
  }
  if (ids.length > 0) yield await foldAgain(store, world, ids, now());
}

/** Folds these payments again; answers what was written. */
export async function foldAgain(
  store: Store,
  world: CorrelateWorld,
  ids: readonly string[],
  now: string,
): Promise<readonly Changed[]> {
  const changed = new Map<string, Changed>();
  let open = ids;
  for (let attempt = 0; open.length > 0 && attempt < ATTEMPTS_MAX; attempt++) {
    const loaded = (await store.get(open.map(paymentKey))).map((item, i) => load(open[i] as string, item));
    // A copy, so that it is written though no fact is new: its place in the lists and its deadline may be others.
    const writes = loaded.flatMap((before) => writeOf({ ...before.payment }, before, world, now) ?? []);
    open = [...(await commitAll(store, world, writes, changed, now, attempt > 0))];
  }
  return [...changed.values()];
}
