/** Keeps the fleet's wallets filled, so that the demo can run for hours: on the local chain money is made for nothing. */
import type { Address } from "viem";
import type { Devnet } from "./devnet.ts";
import { balanceOf } from "./usdc.ts";

const LOW = 10_000_000n;
const FULL = 50_000_000n;
const LOOK_EVERY_MS = 5_000;

/** Fills each wallet that holds less than $10 up to $50. */
export async function fillWallets(devnet: Devnet, wallets: readonly Address[]): Promise<void> {
  await Promise.all(
    wallets.map(async (wallet) => {
      const balance = await balanceOf(devnet.client, wallet);
      if (balance < LOW) await devnet.fund(wallet, FULL - balance);
    }),
  );
}

/** Looks again every few seconds; the returned function ends that, and resolves when no filling is under way. */
export function keepWalletsFilled(
  devnet: Devnet,
  wallets: readonly Address[],
  onError: (error: Error) => void,
): () => Promise<void> {
  let filling: Promise<void> | null = null;
  const timer = setInterval(() => {
    filling ??= fillWallets(devnet, wallets)
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
