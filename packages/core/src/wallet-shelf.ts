/**
 * The wallets that a keeper holds: taken up from their items when they become somebody's, written when that is due, let
 * go when they are nobody's any more. An item is written when something that people see changed, else once a minute at
 * most: a write with each reading would cost more than the payments.
 */
import type { Store } from "./ports.ts";
import { listedWallets, walletKey, walletOf, walletPut } from "./wallet-items.ts";
import { newWallet, released, type WalletState } from "./wallet-state.ts";

/** A wallet in this process. */
export interface Held {
  state: WalletState;
  /** As it stands in the table; null where it is in none. */
  written: WalletState | null;
  writtenAt: string | null;
  version: number | null;
  isGoverned: boolean;
  /** The reading that the next one can be compared with. */
  base: { readonly block: number; readonly hash: string } | null;
  /** What reorgs since the reading have it hold other than its block and the outflows say; atomic units. */
  offset: bigint;
  wasRead: boolean;
  /** Its agent says that it has too little. */
  isAsked: boolean;
}

export interface Shelf {
  /** By address. */
  readonly held: Map<string, Held>;
  governed(): Held[];
  /** Takes up the wallets that are somebody's, as they were kept, and releases those that are nobody's any more. */
  follow(owners: ReadonlyMap<string, readonly string[]>, now: string): Promise<void>;
  write(changed: readonly Held[], now: string): Promise<void>;
  /** Lets go of what is nobody's, once that is written and told. */
  clear(): void;
}

/** How long a change of figures, and how long no change at all, may wait for its write. */
const WRITE_MS = 60_000;
const WRITE_SAME_MS = 180_000;
/** Items that are written at once. */
const AT_ONCE = 16;

export function createShelf(store: Store, chainId: number): Shelf {
  const held = new Map<string, Held>();
  /** Whether the list was looked through for wallets that are nobody's any more. */
  let isListed = false;

  async function follow(owners: ReadonlyMap<string, readonly string[]>, now: string): Promise<void> {
    const strange = [...owners.keys()].filter((address) => !held.has(address));
    if (!isListed) {
      for await (const { address } of listedWallets(store, chainId)) if (!owners.has(address)) strange.push(address);
    }
    const stored = strange.length === 0 ? [] : await store.get(strange.map((address) => walletKey(chainId, address)));
    for (const [i, address] of strange.entries()) {
      const written = walletOf(stored[i]);
      held.set(address, {
        state: written ?? newWallet(address, owners.get(address) ?? [], now),
        written,
        // One that was nobody's for a while is in no list: it is written at once.
        writtenAt: stored[i]?.index?.list === undefined ? null : now,
        version: stored[i]?.version ?? null,
        isGoverned: true,
        base: null,
        offset: 0n,
        wasRead: false,
        isAsked: false,
      });
    }
    isListed = true;
    for (const [address, own] of held) {
      const agentIds = owners.get(address);
      if (agentIds === undefined) {
        own.isGoverned = false;
        own.state = released(own.state);
        continue;
      }
      own.isGoverned = true;
      if (agentIds.join() !== own.state.agentIds.join()) own.state = { ...own.state, agentIds };
    }
  }

  async function write(changed: readonly Held[], now: string): Promise<void> {
    for (let i = 0; i < changed.length; i += AT_ONCE)
      await Promise.all(changed.slice(i, i + AT_ONCE).map((own) => writeOne(own, now)));
  }

  async function writeOne(own: Held, now: string): Promise<void> {
    const { state, version, isGoverned } = own;
    const outcome = await store.commit([walletPut(chainId, state, version, isGoverned)], []);
    if (outcome === "conflict") {
      // Another keeper has written it: it is taken up again as that one left it.
      held.delete(state.address);
      return;
    }
    own.written = state;
    own.writtenAt = now;
    own.version = (version ?? 0) + 1;
  }

  function clear(): void {
    for (const [address, { isGoverned }] of held) if (!isGoverned) held.delete(address);
  }

  const governed = (): Held[] => [...held.values()].filter(({ isGoverned }) => isGoverned);

  return { held, governed, follow, write, clear };
}

/** Whether an item is to be written now; `isFresh` where a reading brought something worth it. */
export function wantsWrite({ state, written, writtenAt, isGoverned }: Held, isFresh: boolean, now: string): boolean {
  if (!isGoverned) return written !== null;
  if (state.readAt === null) return false;
  if (written === null || writtenAt === null || isFresh) return true;
  if (state === written) return false;
  const seen = (one: WalletState) => [one.status, one.blocked, one.agentIds, one.standing, one.untold, one.missing];
  if (JSON.stringify(seen(state)) !== JSON.stringify(seen(written))) return true;
  const isSame = state.balance === written.balance && state.runwaySeconds === written.runwaySeconds;
  return Date.parse(now) - Date.parse(writtenAt) >= (isSame ? WRITE_SAME_MS : WRITE_MS);
}
