/** Who owns what, from the config: the wallets of the agents, the payTo addresses of the APIs, the watched chain. */

import { chainById, DEFAULT_CHAIN_ID } from "@bursar/events/chains";
import type { Config } from "@bursar/events/config-schema";

export interface Directory {
  readonly org: string;
  readonly chainId: number;
  /** The watched USDC. */
  readonly asset: string;
  /** The agent that the config gives this wallet to. */
  readonly walletOwner: ReadonlyMap<string, string>;
  /** Agents with configured wallets own just those. */
  readonly settledAgents: ReadonlySet<string>;
  readonly payToOwners: ReadonlyMap<string, readonly string[]>;
  /** APIs of the config that have a payTo. */
  readonly listedApis: ReadonlySet<string>;
  readonly labels: ReadonlyMap<string, Readonly<Record<string, string>>>;
}

export function directoryOf(config: Config): Directory {
  const chainId = config.chains[0]?.id ?? DEFAULT_CHAIN_ID;
  const walletOwner = new Map<string, string>();
  const settledAgents = new Set<string>();
  const payToOwners = new Map<string, string[]>();
  const listedApis = new Set<string>();
  const labels = new Map<string, Record<string, string>>();
  for (const [id, agent] of Object.entries(config.agents)) {
    for (const wallet of agent.wallets) walletOwner.set(wallet, id);
    if (agent.wallets.length > 0) settledAgents.add(id);
    labels.set(id, agent.labels);
  }
  for (const [id, api] of Object.entries(config.apis)) {
    for (const payTo of api.payTo) payToOwners.set(payTo, [...(payToOwners.get(payTo) ?? []), id].sort());
    if (api.payTo.length > 0) listedApis.add(id);
  }
  const asset = chainById(chainId)?.usdc ?? "";
  return { org: config.org, chainId, asset, walletOwner, settledAgents, payToOwners, listedApis, labels };
}

/** Owners of a wallet, ascending: the config's word, else everyone who claimed it by signing and may claim. */
export function ownersOf(directory: Directory, wallet: string | null, claimants: Iterable<string>): readonly string[] {
  if (wallet === null) return [];
  const owner = directory.walletOwner.get(wallet);
  if (owner !== undefined) return [owner];
  return [...new Set(claimants)].filter((agent) => !directory.settledAgents.has(agent)).sort();
}
