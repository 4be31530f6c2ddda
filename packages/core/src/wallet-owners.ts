/**
 * Whose wallets AgentCore keeps: it knows the address behind each user's payment instrument. Its word comes behind the
 * config's (an agent with configured wallets owns just those) and before what agents claim by signing.
 */
import { changeItem } from "./change.ts";
import type { Directory } from "./directory.ts";
import type { Json, Key, Store, Stored } from "./ports.ts";

/** By payment manager and user: the agents that the config gives this user to, and its wallets, lower case. */
export interface Instruments {
  readonly [user: string]: { readonly agentIds: readonly string[]; readonly wallets: readonly string[] };
}

export const INSTRUMENTS_KEY: Key = { pk: "WALLETS", sk: "." };

const NONE: Instruments = {};

export function instrumentsOf(stored: Stored | undefined): Instruments {
  return (stored?.data as unknown as Instruments | undefined) ?? NONE;
}

/** Keeps what AgentCore lists for one user; answers whether that is news. */
export async function keepInstruments(
  store: Store,
  user: string,
  agentIds: readonly string[],
  wallets: readonly string[],
): Promise<boolean> {
  return changeItem(store, INSTRUMENTS_KEY, (stored) => {
    const before = instrumentsOf(stored);
    const known = Object.hasOwn(before, user) ? before[user] : undefined;
    const now = { agentIds: [...agentIds].sort(), wallets: [...new Set(wallets)].sort() };
    if (JSON.stringify(known) === JSON.stringify(now)) return null;
    return { data: { ...before, [user]: now } as unknown as Json };
  });
}

/** The config's directory, and in it the wallets of AgentCore's users where the config says nothing of them. */
export function withInstruments(directory: Directory, instruments: Instruments): Directory {
  const known = MADE.get(instruments);
  if (known?.from === directory) return known.made;
  const owners = new Map<string, Set<string>>();
  for (const { agentIds, wallets } of Object.values(instruments)) {
    for (const wallet of wallets) {
      const own = owners.get(wallet) ?? new Set();
      for (const agentId of agentIds) own.add(agentId);
      owners.set(wallet, own);
    }
  }
  const walletOwner = new Map(directory.walletOwner);
  for (const [wallet, agents] of owners) {
    const [agentId] = agents;
    const isClear = agents.size === 1 && agentId !== undefined && !directory.settledAgents.has(agentId);
    if (isClear && !walletOwner.has(wallet)) walletOwner.set(wallet, agentId);
  }
  const made = walletOwner.size === directory.walletOwner.size ? directory : { ...directory, walletOwner };
  MADE.set(instruments, { from: directory, made });
  return made;
}

/** An item is looked through once, however many batches read it. */
const MADE = new WeakMap<Instruments, { readonly from: Directory; readonly made: Directory }>();
