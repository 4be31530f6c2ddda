/** Keeps the fleet's wallets filled, so that the demo can run for hours: on the local chain money is made for nothing. */
import type { Address } from "viem";
import type { Devnet } from "./devnet.ts";
import { balanceOf } from "./usdc.ts";

/** When a wallet is filled, and up to what; atomic units and milliseconds. */
export interface Purse {
  readonly below: bigint;
  readonly full: bigint;
  /** So long it stays as it is once it is below. */
  readonly afterMs: number;
}

/** Most wallets never run out. */
export const RICH: Purse = { below: 10_000_000n, full: 50_000_000n, afterMs: 0 };
/** The courier's runs low, is empty for a while, and is filled again: but by little. */
export const POOR: Purse = { below: 50_000n, full: 1_500_000n, afterMs: 30_000 };

const LOOK_EVERY_MS = 5_000;

/** Fills each wallet that holds less than `below` up to `full`, at once. */
export async function fillWallets(devnet: Devnet, wallets: readonly Address[], purse: Purse = RICH): Promise<void> {
  await Promise.all(wallets.map((wallet) => fill(devnet, wallet, purse)));
}

async function fill({ client, fund }: Devnet, wallet: Address, { below, full }: Purse): Promise<void> {
  const balance = await balanceOf(client, wallet);
  if (balance < below) await fund(wallet, full - balance);
}

/** Looks again every few seconds; the returned function ends that, and resolves when no filling is under way. */
export function keepWalletsFilled(
  devnet: Devnet,
  wallets: readonly Address[],
  onError: (error: Error) => void,
  purse: Purse = RICH,
): () => Promise<void> {
  const emptySince = new Map<Address, number>();
  let filling: Promise<unknown> | null = null;

  async function look(wallet: Address): Promise<void> {
    if ((await balanceOf(devnet.client, wallet)) >= purse.below) return void emptySince.delete(wallet);
    const since = emptySince.get(wallet) ?? Date.now();
    emptySince.set(wallet, since);
    if (Date.now() - since >= purse.afterMs) await fill(devnet, wallet, purse);
  }

  const timer = setInterval(() => {
    filling ??= Promise.all(wallets.map(look))
      .catch(onError)
      .finally(() => {
        filling = null;
      });
  }, LOOK_EVERY_MS);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await filling;
  };
}
