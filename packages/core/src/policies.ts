/**
 * The budgets in force: one versioned item that starts and commands change and every batch reads. The config has the
 * last word on what it names when it changes; between its changes, what was set by command stands. A raise lifts a
 * limit until a time. What a budget counts that nobody counted before is booked by folding payments again: until then
 * it is `backfilling`.
 */
import type { Policy } from "@bursar/events/config-schema";
import { canonical, fingerprint } from "./canonical.ts";
import { changeItem } from "./change.ts";
import { type Counted, countedBy } from "./effects.ts";
import type { Json, Key, Store, Stored } from "./ports.ts";

/** A limit above the budget's own, until a time. */
export interface Raise {
  /** Atomic units. */
  readonly to: bigint;
  /** ISO-8601; from then on the budget's own limit is in force again. */
  readonly until: string;
  readonly reason: string;
  readonly at: string;
}

export interface KeptPolicy {
  readonly policy: Policy;
  readonly from: "config" | "command";
  /** What the config said of it last, in short; null where it never did. */
  readonly configured: string | null;
  /** Removed by command though the config names it: stays so until the config says something else of it. */
  readonly removed: boolean;
  /** The edition since which its counters are counted. */
  readonly since: number;
  readonly raise: Raise | null;
}

export interface Policies {
  /** Grows with every change. */
  readonly edition: number;
  /** The edition under which every payment was folded. */
  readonly booked: number;
  readonly kept: readonly KeptPolicy[];
}

/** Budgets in force at one moment, ready to be judged. */
export interface InForce {
  readonly edition: number;
  /** With raised limits. */
  readonly policies: readonly Policy[];
  readonly counted: Counted;
  /** Ids of budgets of which not every payment is counted yet. */
  readonly backfilling: ReadonlySet<string>;
}

export const POLICIES_KEY: Key = { pk: "POLICY", sk: "." };

/** The budgets as they stand in the table; of an empty one, none. */
export function policiesOf(stored: Stored | undefined): Policies {
  if (stored === undefined) return NONE;
  const data = stored.data as object;
  const known = READ.get(data);
  if (known !== undefined) return known;
  const policies = decode(data as Data);
  READ.set(data, policies);
  return policies;
}

export async function readPolicies(store: Store): Promise<Policies> {
  const [stored] = await store.get([POLICIES_KEY]);
  return policiesOf(stored);
}

/** What is in force at `now`. */
export function inForce(policies: Policies, now: string): InForce {
  const known = FORCE.get(policies);
  if (known !== undefined && now < known.until && now >= known.from) return known.force;
  const standing = policies.kept.filter(({ removed }) => !removed);
  const force: InForce = {
    edition: policies.edition,
    policies: standing.map(({ policy, raise }) =>
      raise !== null && now < raise.until && raise.to > policy.limit ? { ...policy, limit: raise.to } : policy,
    ),
    counted: countedBy(standing.map(({ policy }) => policy)),
    backfilling: new Set(standing.filter(({ since }) => since > policies.booked).map(({ policy }) => policy.id)),
  };
  const ends = standing.flatMap(({ raise }) => (raise !== null && raise.until > now ? [raise.until] : [])).sort();
  FORCE.set(policies, { from: now, until: ends[0] ?? "9", force });
  return force;
}

/** Puts the config's budgets in force. Answers what stands then. */
export function applyConfig(store: Store, budgets: readonly Policy[]): Promise<Policies> {
  return change(store, (kept) => {
    const named = new Set(budgets.map(({ id }) => id));
    const applied = budgets.map((policy): KeptPolicy => {
      const configured = markOf(policy);
      const before = kept.find((one) => one.policy.id === policy.id);
      if (before === undefined) return { policy, from: "config", configured, removed: false, since: 0, raise: null };
      if (before.configured === configured) return before;
      return { ...before, policy, from: "config", configured, removed: false };
    });
    const others = kept.filter(({ policy, configured }) => !named.has(policy.id) && configured === null);
    return [...applied, ...others];
  });
}

/** Puts a budget in force by command, new or in place of the one with its id. */
export function setPolicy(store: Store, policy: Policy): Promise<Policies> {
  return change(store, (kept) => {
    const before = kept.find((one) => one.policy.id === policy.id);
    const set: KeptPolicy = {
      ...(before ?? { configured: null, since: 0, raise: null }),
      policy,
      from: "command",
      removed: false,
    };
    return before === undefined ? [...kept, set] : kept.map((one) => (one === before ? set : one));
  });
}

/** Takes a budget out of force by command. Null where none of that id is in force. */
export async function removePolicy(store: Store, id: string): Promise<Policies | null> {
  let found = false;
  const policies = await change(store, (kept) => {
    found = kept.some(({ policy, removed }) => policy.id === id && !removed);
    return kept.flatMap((one) => {
      if (one.policy.id !== id) return [one];
      return one.configured === null ? [] : [{ ...one, removed: true, raise: null }];
    });
  });
  return found ? policies : null;
}

/** Raises a budget's limit until a time, or with null takes a raise back. Null where no budget of that id is in force. */
export async function raisePolicy(store: Store, id: string, raise: Raise | null): Promise<Policies | null> {
  let found = false;
  const policies = await change(store, (kept) => {
    found = kept.some(({ policy, removed }) => policy.id === id && !removed);
    return kept.map((one) => (one.policy.id === id && !one.removed ? { ...one, raise } : one));
  });
  return found ? policies : null;
}

/** Notes that every payment was folded under `edition`. */
export async function noteBooked(store: Store, edition: number): Promise<void> {
  await changeItem(store, POLICIES_KEY, (stored) => {
    const before = policiesOf(stored);
    return before.booked >= edition ? null : { data: encode({ ...before, booked: edition }) };
  });
}

async function change(store: Store, edit: (kept: readonly KeptPolicy[]) => readonly KeptPolicy[]): Promise<Policies> {
  let after = NONE;
  await changeItem(store, POLICIES_KEY, (stored) => {
    const before = policiesOf(stored);
    after = before;
    const edited = edit(before.kept);
    if (stored !== undefined && canonical(encode({ ...before, kept: edited })) === canonical(encode(before)))
      return null;
    const edition = before.edition + 1;
    const kept = edited.map((one) => ({ ...one, since: countedSince(before.kept, one.policy) ?? edition }));
    const isNew = kept.some(({ since, removed }) => since === edition && !removed);
    // Nothing new to count: what was booked before is booked now.
    const booked = !isNew && before.booked === before.edition ? edition : before.booked;
    after = { edition, booked, kept };
    return { data: encode(after) };
  });
  return after;
}

/** The edition since which what a budget counts is counted, by it or by others in force; null where it is not. */
function countedSince(kept: readonly KeptPolicy[], { scope, window }: Policy): number | null {
  const { kind } = scope;
  const each = kind === "org" ? "*" : scope.id; // an org is one, whatever a policy calls it
  if (window === "day" && (kind === "agent" || kind === "org")) return 0;
  if (window === "total" && kind === "session") return 0;
  const others = kept.filter(
    ({ policy, removed }) =>
      !removed &&
      policy.scope.kind === kind &&
      policy.window === window &&
      (kind === "org" || policy.scope.id === "*" || policy.scope.id === each),
  );
  return others.length === 0 ? null : Math.min(...others.map(({ since }) => since));
}

const NONE: Policies = { edition: 0, booked: 0, kept: [] };
/** An item is parsed once, however many batches read it. */
const READ = new WeakMap<object, Policies>();
const FORCE = new WeakMap<Policies, { from: string; until: string; force: InForce }>();

interface Data {
  readonly edition: number;
  readonly booked: number;
  readonly kept: readonly (Omit<KeptPolicy, "policy" | "raise"> & {
    readonly policy: Omit<Policy, "limit"> & { readonly limit: string };
    readonly raise: (Omit<Raise, "to"> & { readonly to: string }) | null;
  })[];
}

function encode({ edition, booked, kept }: Policies): Json {
  const data: Data = {
    edition,
    booked,
    kept: kept.map(({ policy, raise, ...rest }) => ({
      ...rest,
      policy: { ...policy, limit: policy.limit.toString() },
      raise: raise === null ? null : { ...raise, to: raise.to.toString() },
    })),
  };
  return data as unknown as Json;
}

function decode({ edition, booked, kept }: Data): Policies {
  return {
    edition,
    booked,
    kept: kept.map(({ policy, raise, ...rest }) => ({
      ...rest,
      policy: { ...policy, limit: BigInt(policy.limit) },
      raise: raise === null ? null : { ...raise, to: BigInt(raise.to) },
    })),
  };
}

/** What the config says of a budget, in short. */
function markOf(policy: Policy): string {
  return fingerprint(canonical({ ...policy, limit: policy.limit.toString() } as unknown as Json));
}
