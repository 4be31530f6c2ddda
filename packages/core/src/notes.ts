/**
 * Notes: facts of the table that lists and judgements find things by (counters that exist, who signed what, whose a
 * session is). Each is an idempotent put made before what it points to; what this process has noted it need not again.
 */
import { AGENTS } from "./items.ts";
import { eachFact } from "./pages.ts";
import type { Put, Store } from "./ports.ts";

/** What one process has noted. A cache: losing it costs writes, never truth. */
export interface Notes {
  readonly known: Set<string>;
  /** Names that an agent has filed among everybody's, by agent and hour. */
  readonly shares: Map<string, number>;
  /** Balances of wallets as they were kept a moment ago, by address. */
  readonly balances: Map<string, KnownBalance>;
}

/** What a wallet held, as its item said at `lookedAt`; null where it says nothing. */
export interface KnownBalance {
  readonly held: { readonly balance: bigint; readonly readAt: string } | null;
  readonly lookedAt: string;
}

/** Names kept; beyond that the cache begins anew. */
const NOTES_MAX = 50_000;

export const emptyNotes = (): Notes => ({ known: new Set(), shares: new Map(), balances: new Map() });

/** A put under the name by which the cache knows it: the same thing noted at another time has the same name. */
export interface Note {
  readonly name: string;
  readonly put: Put;
}

/** Makes durable what was not noted yet. */
export async function note(store: Store, { known }: Notes, notes: Iterable<Note>): Promise<void> {
  const fresh = new Map<string, Put>();
  for (const { name, put } of notes) if (!known.has(name)) fresh.set(name, put);
  if (fresh.size === 0) return;
  await store.putAll([...fresh.values()]);
  if (known.size > NOTES_MAX) known.clear();
  for (const name of fresh.keys()) known.add(name);
}

/** An agent that has payments or sessions: lists go by agent. */
export const agentNote = (agentId: string): Note => ({
  name: `agent ${agentId}`,
  put: { pk: AGENTS, sk: agentId, data: {} },
});

/** Every agent that was noted. */
export async function notedAgents(store: Store): Promise<string[]> {
  const agents: string[] = [];
  for await (const { sk } of eachFact(store, AGENTS, "")) agents.push(sk);
  return agents;
}
