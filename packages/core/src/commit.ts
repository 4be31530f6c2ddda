/** Commits: which writes go together, and what became of each. A hot counter costs one add for many payments. */
import { alertAdds } from "./alert-counters.ts";
import { addsOf } from "./counters.ts";
import type { Effects } from "./effects.ts";
import { ACTIONS_PER_COMMIT, type Store } from "./ports.ts";
import { unfinished, withApplied } from "./record.ts";
import { type Changed, type CorrelateWorld, noteWrites, type Write } from "./write.ts";

/** Writes what changed, each payment under its version and its counters with it; answers the ids that conflicted. */
export async function commitAll(
  store: Store,
  world: CorrelateWorld,
  writes: readonly Write[],
  changed: Map<string, Changed>,
  now: string,
  singly: boolean,
): Promise<Set<string>> {
  await noteWrites(store, world, writes, now);
  const conflicts = new Set<string>();
  const run = async (group: readonly Write[]): Promise<void> => {
    const moved = new Map<string, bigint>();
    const told = new Map<string, bigint>();
    for (const { deltas, moves } of group) {
      for (const [counter, amount] of deltas) moved.set(counter, (moved.get(counter) ?? 0n) + amount);
      for (const [counter, amount] of moves) told.set(counter, (told.get(counter) ?? 0n) + amount);
    }
    const seed = group[0]?.put.pk ?? "";
    const puts = group.map(({ put }) => put);
    const { answer, began } =
      moved.size + told.size < ACTIONS_PER_COMMIT
        ? { answer: await store.commit(puts, [...addsOf(moved, seed), ...alertAdds(told, seed)]), began: false }
        : await commitInSteps(store, group[0] as Write, now);
    for (const { change } of group) {
      if (answer === "conflict") conflicts.add(change.id);
      if (answer === "done" || began)
        changed.set(change.id, { ...change, before: changed.get(change.id)?.before ?? change.before });
    }
  };
  const commits: Promise<void>[] = [];
  let group: Write[] = [];
  let counters = new Set<string>();
  for (const write of writes) {
    const names = [...write.deltas, ...write.moves].map(([counter]) => counter);
    if (names.length === 0 || singly) {
      commits.push(run([write]));
      continue;
    }
    const union = new Set([...counters, ...names]);
    if (group.length + 1 + union.size > ACTIONS_PER_COMMIT) {
      commits.push(run(group));
      group = [];
      counters = new Set(names);
    } else counters = union;
    group.push(write);
  }
  if (group.length > 0) commits.push(run(group));
  await Promise.all(commits);
  return conflicts;
}

/**
 * A payment that moves more counters than one commit holds: several commits, each of which records just what it moved, so
 * that the books are right after every one. Until the last it is due and of no edition: whoever dies in between leaves
 * the rest to the sweep, to the feed, or to whoever folds it next.
 */
async function commitInSteps(
  store: Store,
  { put, deltas, moves, change }: Write,
  now: string,
): Promise<{ answer: "done" | "conflict"; began: boolean }> {
  let { applied } = change.before;
  let { expected } = put;
  if (moves.length > 0) {
    const first = { ...unfinished(withApplied(put, applied), change.id, now), expected };
    if ((await store.commit([first], alertAdds(new Map(moves), put.pk))) === "conflict")
      return { answer: "conflict", began: false };
    expected = (expected ?? 0) + 1;
  }
  for (let i = 0; i < deltas.length; i += ACTIONS_PER_COMMIT - 1) {
    const moved = new Map(deltas.slice(i, i + ACTIONS_PER_COMMIT - 1));
    applied = moveEffects(applied, moved);
    const isLast = i + ACTIONS_PER_COMMIT - 1 >= deltas.length;
    const step = withApplied(put, applied);
    const answer = await store.commit(
      [{ ...(isLast ? step : unfinished(step, change.id, now)), expected }],
      addsOf(moved, put.pk),
    );
    if (answer === "conflict") return { answer, began: i > 0 || moves.length > 0 };
    expected = (expected ?? 0) + 1;
  }
  return { answer: "done", began: true };
}

function moveEffects(applied: Effects, moved: ReadonlyMap<string, bigint>): Effects {
  const after: { [counter: string]: bigint } = { ...applied };
  for (const [counter, amount] of moved) {
    const sum = (after[counter] ?? 0n) + amount;
    if (sum === 0n) delete after[counter];
    else after[counter] = sum;
  }
  return after;
}
