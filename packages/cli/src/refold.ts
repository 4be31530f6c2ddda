/**
 * When every payment is folded again: once when the config has changed between two starts, and when a budget counts what
 * nobody counted before. Until then a payment moves only when it is told of.
 */
import { createHash } from "node:crypto";
import { agentNote, emptyNotes, note } from "@bursar/core/notes";
import { noteBooked, readPolicies } from "@bursar/core/policies";
import type { Store } from "@bursar/core/ports";
import { refold } from "@bursar/core/refold";
import type { Changed, CorrelateWorld } from "@bursar/core/write";
import type { Config } from "@bursar/events/config-schema";
import { VERSION } from "./version.ts";

export interface RefoldParts {
  readonly store: Store;
  readonly config: Config;
  /** The world as it stands now. */
  readonly world: () => Promise<CorrelateWorld>;
  /** Resolves when nobody writes under an earlier world any more. */
  readonly settled: () => Promise<void>;
  readonly now: () => string;
  readonly stop: AbortSignal;
  readonly onChanged: (changed: readonly Changed[]) => Promise<void>;
}

const KEY = { pk: "CONFIG", sk: "." } as const;

/** Notes the config's agents: lists go by agent, and payments of one that a later config lacks must stay in them. */
export async function noteAgents(store: Store, config: Config): Promise<void> {
  await note(store, emptyNotes(), Object.keys(config.agents).map(agentNote));
}

/** Folds every payment again unless that was done under this config, these wallets and budgets. Broken off, it is done again. */
export async function refoldChanged({
  store,
  config,
  world,
  settled,
  now,
  stop,
  onChanged,
}: RefoldParts): Promise<void> {
  const [stored] = await store.get([KEY]);
  const { directory } = await world();
  const mark = markOf(config, [...directory.walletOwner].sort());
  const { edition, booked } = await readPolicies(store);
  if (stored?.data === mark && booked >= edition) return;
  await settled();
  for await (const changed of refold(store, await world(), now)) {
    if (stop.aborted) return;
    await onChanged(changed);
  }
  if (stop.aborted) return;
  if (stored?.data !== mark) await store.commit([{ ...KEY, data: mark, expected: stored?.version ?? null }], []);
  await noteBooked(store, edition);
}

/** Who owns wallets, not who else AgentCore has listed: that moves no payment. Budgets have editions of their own. */
function markOf({ budgets: _, ...config }: Config, walletOwner: readonly unknown[]): string {
  const text = JSON.stringify([VERSION, config, walletOwner], (_key, value) =>
    typeof value === "bigint" ? value.toString() : value,
  );
  return createHash("sha256").update(text).digest("base64url");
}
