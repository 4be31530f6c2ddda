/** Where wallets are kept: one item each, in a list by address. What anybody reads of them is made here. */
import { chainById } from "@bursar/events/chains";
import type { Wallet } from "@bursar/events/shapes";
import { eachEntry } from "./pages.ts";
import type { Json, Key, Store, Stored, VersionedPut } from "./ports.ts";
import { runwayOf } from "./wallet-burn.ts";
import type { WalletState } from "./wallet-state.ts";

export const walletKey = (chainId: number, address: string): Key => ({ pk: `WALLET#${chainId}:${address}`, sk: "." });

export function walletOf(stored: Stored | undefined): WalletState | null {
  return (stored?.data as unknown as WalletState | undefined) ?? null;
}

/** The write of a wallet; one that is nobody's any more leaves the list. */
export function walletPut(
  chainId: number,
  state: WalletState,
  expected: number | null,
  isListed: boolean,
): VersionedPut {
  const list = { partition: listOf(chainId), sort: state.address };
  return {
    ...walletKey(chainId, state.address),
    data: state as unknown as Json,
    ...(isListed ? { index: { list } } : {}),
    expected,
  };
}

/** The wallets that were read and are somebody's, by address. */
export async function* listedWallets(store: Store, chainId: number): AsyncGenerator<WalletState> {
  for await (const stored of eachEntry(store, "list", listOf(chainId))) {
    const state = walletOf(stored);
    if (state !== null) yield state;
  }
}

/** As others see it; `left` is what left since the last reading. */
export function shownWallet(state: WalletState, chainId: number, left: bigint, now: string): Wallet {
  const { address, agentIds, status, balance, readAt, blocked, burn } = state;
  const read = balance === null ? null : BigInt(balance);
  const units = read === null ? null : read > left ? read - left : 0n;
  return {
    address,
    agentIds,
    chainId,
    asset: chainById(chainId)?.usdc ?? "",
    balance: units === null ? null : units.toString(),
    status,
    runwaySeconds: units === null ? null : runwayOf(units, burn, now),
    updatedAt: readAt,
    ...(blocked === null ? {} : { blocked }),
  };
}

/** One that nobody has read. */
export function unreadWallet(address: string, agentIds: readonly string[], chainId: number): Wallet {
  return {
    address,
    agentIds,
    chainId,
    asset: chainById(chainId)?.usdc ?? "",
    balance: null,
    status: "unknown",
    runwaySeconds: null,
    updatedAt: null,
  };
}

/**
 * Every wallet that `owners` names, as it was last read and kept, and those in the list that it does not name, such as
 * those that agents claimed by signing; sorted by address. `fresh` outranks what is kept.
 */
export async function readWallets(
  store: Store,
  chainId: number,
  owners: ReadonlyMap<string, readonly string[]>,
  fresh: ReadonlyMap<string, Wallet>,
  now: string,
): Promise<Wallet[]> {
  const wallets = new Map<string, Wallet>();
  for await (const state of listedWallets(store, chainId))
    wallets.set(state.address, shownWallet(state, chainId, 0n, now));
  for (const [address, agentIds] of owners) {
    const kept = fresh.get(address) ?? wallets.get(address);
    wallets.set(address, kept === undefined ? unreadWallet(address, agentIds, chainId) : { ...kept, agentIds });
  }
  return [...wallets.values()].sort((a, b) => (a.address < b.address ? -1 : 1));
}

const listOf = (chainId: number): string => `#wallets ${chainId}`;
