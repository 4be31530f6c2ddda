/**
 * The wallets' keeper in this process: hears what was told once it is durable, and reads balances after the
 * watcher's rounds, beside the next one: a slow node must not hold up what settles.
 */
import { chainBalances } from "@bursar/chain/balances";
import type { ChainClient } from "@bursar/chain/client";
import type { Store } from "@bursar/core/ports";
import { createWalletKeeper, type MovedWallet } from "@bursar/core/wallet-keeper";
import type { Config } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Alert, Wallet } from "@bursar/events/shapes";

export interface WalletWatchParts {
  readonly store: Store;
  readonly chainId: number;
  readonly asset: string;
  readonly limits: Config["wallets"];
  /** Whose the governed wallets are, by address: asked for with every reading. */
  readonly owners: () => ReadonlyMap<string, readonly string[]>;
  /** The newest block that is known, null before the first. */
  readonly latest: () => number | null;
  readonly now: () => string;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly onMoved: (moved: MovedWallet) => void;
  readonly onFault: (message: string | null) => void;
  /** How old a balance may become; default the keeper's. */
  readonly readMs?: number | undefined;
}

/** What the watcher says of a round that has read something. */
export interface WatchedRound {
  readonly scanned: number;
  readonly behind: number;
  readonly lagging: boolean;
}

export interface WalletWatch {
  /** Takes in what was told and is durable. */
  heard(told: readonly Told[]): void;
  /** Reads what is due, beside whatever follows; a round that comes meanwhile is passed over. */
  round(round: WatchedRound, client: ChainClient): void;
  /** The wallets as they are now. */
  figures(): ReadonlyMap<string, Wallet>;
  /** Ends when what is under way is done. */
  stop(): Promise<void>;
}

/** Blocks that the logs may be behind the newest one: many nodes know balances of the latest blocks only. */
const BEHIND_MAX = 100;

export function startWalletWatch(parts: WalletWatchParts): WalletWatch {
  const { store, chainId, asset, limits, owners, latest, now, onAlerts, onMoved, onFault, readMs } = parts;
  const keeper = createWalletKeeper({ store, chainId, asset, limits, readMs });
  let underWay: Promise<void> | null = null;
  let stopped = false;

  async function read(scanned: number, client: ChainClient): Promise<void> {
    try {
      const balances = chainBalances(client, asset);
      const { alerts, moved, read: count } = await keeper.round({ scanned, owners: owners(), balances }, now());
      for (const one of moved) onMoved(one);
      onAlerts(alerts);
      if (count > 0) onFault(null);
    } catch (error) {
      if (!stopped) onFault(`the wallets' balances cannot be read: ${(error as Error).message}`);
    }
  }

  return {
    heard: (told) => keeper.heard(told, now()),
    round({ scanned, lagging }, client) {
      const head = latest();
      if (stopped || lagging || underWay !== null || (head !== null && head - scanned > BEHIND_MAX)) return;
      underWay = read(scanned, client).finally(() => {
        underWay = null;
      });
    },
    figures: () => keeper.figures(now()),
    async stop() {
      stopped = true;
      await underWay;
    },
  };
}
