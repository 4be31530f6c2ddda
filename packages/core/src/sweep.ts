/** Time alone can break a story: payments whose deadline has come are assessed again. */
import { assess, find } from "./assess.ts";
import { isSuperseded } from "./delivery.ts";
import { DUE_SHARDS, paymentKey } from "./items.ts";
import { isNamed } from "./payment.ts";
import type { Store } from "./ports.ts";
import { load, save } from "./record.ts";
import { assessRow, isRow } from "./rows.ts";
import type { Changed, CorrelateWorld } from "./write.ts";

/** Payments taken from each shard of the due index in one sweep; the rest waits for the next. */
const SWEEP_MAX = 200;

/** Assesses again what is due at `now`; answers what it wrote. A payment that another writer holds waits for the next sweep. */
export async function sweep(store: Store, world: CorrelateWorld, now: string): Promise<Changed[]> {
  const changed: Changed[] = [];
  for (let shard = 0; shard < DUE_SHARDS; shard++) {
    const { items } = await store.index("due", `due#${shard}`, { to: `${now}~`, limit: SWEEP_MAX });
    const ids = items.map((item) => item.pk.slice("PAY#".length));
    const stored = ids.length === 0 ? [] : await store.get(ids.map(paymentKey));
    for (const [i, id] of ids.entries()) {
      const before = load(id, stored[i]);
      if (before.version === null || before.assessed === null) continue;
      const change = await reassess(store, world, before, now);
      if (change !== null) changed.push(change);
    }
  }
  return changed;
}

async function reassess(
  store: Store,
  world: CorrelateWorld,
  before: ReturnType<typeof load>,
  now: string,
): Promise<Changed | null> {
  const { payment, applied } = before;
  const findings = !isRow(payment.id) && isNamed(payment) ? find(payment, world.directory) : null;
  const assessed = findings === null ? assessRow(payment, now, world) : assess(findings, now, world);
  if (assessed.due === before.assessed?.due) return null;
  const agents = findings === null ? [] : isSuperseded(payment) ? null : findings.evidence.owners;
  const put = save(payment, applied, assessed, agents, before.version);
  if ((await store.commit([put], [])) === "conflict") return null;
  const after = {
    payment,
    applied,
    assessed,
    listed: put.index?.list?.partition ?? null,
    version: (before.version ?? 0) + 1,
  };
  return { id: payment.id, before, after, findings };
}
