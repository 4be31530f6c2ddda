/**
 * A config that has changed between two starts: it says who owns wallets, who must speak and what is counted, so every
 * payment is folded again under it, once. Until then a payment moves only when it is told of.
 */
import { createHash } from "node:crypto";
import { commitAll } from "@bursar/core/commit";
import { AGENTS, paymentKey } from "@bursar/core/items";
import { eachPayment } from "@bursar/core/lists";
import type { Store } from "@bursar/core/ports";
import { load } from "@bursar/core/record";
import { isRow } from "@bursar/core/rows";
import { type Changed, type CorrelateWorld, newAgent, writeOf } from "@bursar/core/write";
import type { Config } from "@bursar/events/config-schema";
import { VERSION } from "./version.ts";

export interface RefoldParts {
  readonly store: Store;
  readonly config: Config;
  readonly world: CorrelateWorld;
  readonly now: () => string;
  readonly stop: AbortSignal;
  /** What was written; a payment that already stood right is among them. */
  readonly onChanged: (changed: readonly Changed[]) => void;
}

const KEY = { pk: "CONFIG", sk: "." } as const;
/** Payments folded together. */
const BATCH = 64;
/** Rounds for payments that others write meanwhile; who writes them folds them under the new config too. */
const ATTEMPTS_MAX = 12;

/** Notes the config's agents: lists go by agent, and payments of one that a later config lacks must stay in them. */
export async function noteAgents(store: Store, config: Config): Promise<void> {
  await store.putAll(Object.keys(config.agents).map((agent) => ({ pk: AGENTS, sk: agent, data: {} })));
}

/** Folds every payment again unless that was done under this very config. Broken off, it is done at the next start. */
export async function refold(parts: RefoldParts): Promise<void> {
  const { store, config, world, now, stop } = parts;
  const mark = markOf(config);
  const [stored] = await store.get([KEY]);
  if (stored?.data === mark) return;
  let ids: string[] = [];
  for await (const { payment } of eachPayment(store, world, now(), null, null)) {
    if (stop.aborted) return;
    if (isRow(payment.id)) continue; // no money in it, and whose it is stands in its id
    ids.push(payment.id);
    if (ids.length < BATCH) continue;
    await foldAgain(parts, ids);
    ids = [];
  }
  await foldAgain(parts, ids);
  await store.commit([{ ...KEY, data: mark, expected: stored?.version ?? null }], []);
}

async function foldAgain({ store, world, now, onChanged }: RefoldParts, ids: readonly string[]): Promise<void> {
  const changed = new Map<string, Changed>();
  let open = ids;
  for (let attempt = 0; open.length > 0 && attempt < ATTEMPTS_MAX; attempt++) {
    const loaded = (await store.get(open.map(paymentKey))).map((item, i) => load(open[i] as string, item));
    // A copy, so that it is written though no fact is new: its place in the lists and its deadline may be others.
    const writes = loaded.flatMap((before) => writeOf({ ...before.payment }, before, world, now()) ?? []);
    const agents = writes.flatMap((write) => newAgent(write, world.directory));
    if (agents.length > 0) await store.putAll(agents);
    open = [...(await commitAll(store, writes, changed, attempt > 0))];
  }
  onChanged([...changed.values()]);
}

function markOf(config: Config): string {
  const text = JSON.stringify([VERSION, config], (_, value) => (typeof value === "bigint" ? value.toString() : value));
  return createHash("sha256").update(text).digest("base64url");
}
