/** The wallets that are watched, and the past of those that came while the watcher was running. */
import type { Store } from "@bursar/core/ports";
import type { ChainClient } from "./client.ts";
import { bounded, cursorKey, type HeldCursor, writeCursor } from "./cursor.ts";
import { WALLETS_PER_CALL } from "./scan.ts";

export interface WatchedWallet {
  /** Lower case. */
  readonly address: string;
  /** Its movements from this block on are of interest; without it, those from when it is first seen. */
  readonly fromBlock?: number | undefined;
}

interface Place {
  readonly client: ChainClient;
  readonly store: Pick<Store, "commit" | "putAll" | "facts">;
  held: HeldCursor;
}

/**
 * The addresses to watch. One that is new joins the others at once; if it has a past at or below the cursor, that is
 * queued to be read, 250 wallets at a time. A wallet is known once its past is read, and that is kept in the store.
 */
export async function addWallets(
  place: Place,
  memory: { known: Set<string> | null },
  wallets: readonly WatchedWallet[],
): Promise<readonly string[]> {
  const { store, client } = place;
  const { pk } = cursorKey(client.chainId);
  memory.known ??= await readKnown(store, pk);
  const { known } = memory;
  const learn = async (addresses: readonly string[]) => {
    if (addresses.length === 0) return;
    await store.putAll(addresses.map((address) => ({ pk, sk: `${WALLET}${address}`, data: {} })));
    for (const address of addresses) known.add(address);
  };

  const { backfill } = place.held.cursor;
  if (backfill !== null && backfill.next > backfill.to) {
    await learn(backfill.wallets);
    place.held = await writeCursor(store, client.chainId, place.held, { ...place.held.cursor, backfill: null });
  }
  const { cursor } = place.held;
  const unknown = wallets.filter(({ address }) => !known.has(address) && !cursor.backfill?.wallets.includes(address));
  const past = unknown.filter(({ fromBlock }) => fromBlock !== undefined && fromBlock <= cursor.scanned);
  const pastless = new Set(past);
  await learn(unknown.filter((wallet) => !pastless.has(wallet)).map(({ address }) => address));
  if (cursor.backfill === null && past.length > 0) {
    const next = past.sort((a, b) => (a.fromBlock ?? 0) - (b.fromBlock ?? 0)).slice(0, WALLETS_PER_CALL);
    const job = { wallets: next.map(({ address }) => address), next: next[0]?.fromBlock ?? 0, to: cursor.scanned };
    place.held = await writeCursor(store, client.chainId, place.held, bounded({ ...cursor, backfill: job }));
  }
  return [...new Set(wallets.map(({ address }) => address))];
}

const WALLET = "W#";

async function readKnown(store: Pick<Store, "facts">, pk: string): Promise<Set<string>> {
  const known = new Set<string>();
  let after: string | null = null;
  do {
    const page: Awaited<ReturnType<Store["facts"]>> = await store.facts(pk, WALLET, { after });
    for (const { sk } of page.items) known.add(sk.slice(WALLET.length));
    after = page.next;
  } while (after !== null);
  return known;
}
