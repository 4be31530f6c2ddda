/**
 * What wallets held a moment ago, for whoever judges what is signed with them: the keeper's items, looked up once in
 * LOOK_MS for a wallet, whatever number of events name it.
 */

import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import type { KnownBalance, Notes } from "./notes.ts";
import type { Store } from "./ports.ts";
import { walletKey, walletOf } from "./wallet-items.ts";

/** How long what was looked up may be used. */
const LOOK_MS = 5_000;
/** A balance that was read before that proves nothing: it may have been refilled. */
const BALANCE_MS_MAX = 300_000;
/** Wallets kept; beyond that the cache begins anew. */
const WALLETS_MAX = 50_000;

/** Atomic units that a wallet held, and when that was read from the chain. */
export interface HeldBalance {
  readonly balance: bigint;
  readonly readAt: string;
}

/** By address, the balances of the wallets that a batch signs with; none where nobody has read one of late. */
export async function heldBalances(
  store: Store,
  { balances }: Notes,
  told: readonly Told[],
  { chainId, asset }: { readonly chainId: number; readonly asset: string },
  now: string,
): Promise<ReadonlyMap<string, HeldBalance>> {
  const wallets = new Set(told.flatMap((one) => signedWith(one, chainId, asset) ?? []));
  if (wallets.size === 0) return NONE;
  const at = Date.parse(now);
  const looked = new Map<string, KnownBalance>();
  for (const wallet of wallets) {
    const known = balances.get(wallet);
    if (known !== undefined && Math.abs(at - Date.parse(known.lookedAt)) < LOOK_MS) looked.set(wallet, known);
  }
  const stale = [...wallets].filter((wallet) => !looked.has(wallet));
  if (stale.length > 0) {
    const stored = await store.get(stale.map((wallet) => walletKey(chainId, wallet)));
    if (balances.size > WALLETS_MAX) balances.clear();
    for (const [i, wallet] of stale.entries()) {
      const { balance = null, readAt = null } = walletOf(stored[i]) ?? {};
      const held = balance === null || readAt === null ? null : { balance: BigInt(balance), readAt };
      looked.set(wallet, { held, lookedAt: now });
      balances.set(wallet, { held, lookedAt: now });
    }
  }
  const found = new Map<string, HeldBalance>();
  for (const [wallet, { held }] of looked)
    if (held !== null && at - Date.parse(held.readAt) <= BALANCE_MS_MAX) found.set(wallet, held);
  return found;
}

/** The wallet that an agent signs with on the watched chain and token; null for any other event. */
export function signedWith({ source, event }: Told, chainId: number, asset: string): string | null {
  if (source.kind !== "agent" || event.type !== "agent.authorization_signed") return null;
  const { payment } = event as EventOf<"agent.authorization_signed">;
  return payment.method === "eip3009" && payment.chainId === chainId && payment.asset === asset ? payment.payer : null;
}

const NONE: ReadonlyMap<string, HeldBalance> = new Map();
