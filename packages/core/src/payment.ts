/**
 * A payment as it is kept: its own facts, the facts of its aliases (its context), and what its siblings on shared
 * aliases did. `fold` joins one more fact. Every part is a join of bounded slots, so the fold is idempotent,
 * commutative and total: any order of the same facts gives the same payment, byte for byte.
 */
import { type Fact, isUnknown } from "./fact.ts";
import { assert, type Rank, type Slot } from "./slot.ts";

/** Slots by `<type>|<speaker>`, then by what tells them apart: a hash, a request, a log. */
export type Slots = { readonly [group: string]: { readonly [key: string]: Slot } };

/** Another payment that answers to the same alias: who said so, and what the chain said of it. */
export interface Sibling {
  readonly by: readonly string[];
  readonly chain: Slots;
}

/** Siblings by alias, then by payment id. */
export type Siblings = { readonly [alias: string]: { readonly [paymentId: string]: Sibling } };

export interface Folded {
  readonly id: string;
  /** Facts that carry this payment: only they move money. */
  readonly own: Slots;
  /** Facts of its aliases: they move verdict and timeline. */
  readonly context: Slots;
  readonly siblings: Siblings;
}

/** Slots kept per type and speaker, and siblings per alias: the least by key, so that no order shows. */
export const KEYS_MAX = 16;
export const SIBLINGS_MAX = 32;
/** Stands in place of what was dropped past a bound. */
export const DROPPED = "\uffff";

/** A payment of which nothing is known. */
export function empty(id: string): Folded {
  return { id, own: {}, context: {}, siblings: {} };
}

/** The payment with more facts of its own. The same object when they change nothing. */
export function fold(payment: Folded, ...facts: readonly Fact[]): Folded {
  const own = join(payment.own, facts);
  return own === payment.own ? payment : { ...payment, own };
}

/** The payment with more facts of its aliases. The same object when they change nothing. */
export function foldContext(payment: Folded, ...facts: readonly Fact[]): Folded {
  const context = join(payment.context, facts);
  return context === payment.context ? payment : { ...payment, context };
}

/** What ties a payment to an alias: somebody's word, or a fact of the chain. */
export type Tie = { readonly by: string } | { readonly fact: Fact };

/** The payment with one more thing known of a sibling on `alias`. The same object when it changes nothing. */
export function foldSibling(payment: Folded, alias: string, siblingId: string, tie: Tie): Folded {
  if (siblingId === payment.id) return payment;
  const all = payment.siblings[alias] ?? {};
  const before = all[siblingId];
  const sibling = joinTie(before, tie);
  if (sibling === before) return payment;
  if (before === undefined && isPast(all, siblingId, SIBLINGS_MAX)) return payment;
  const bounded = { ...all };
  put(bounded, siblingId, sibling, SIBLINGS_MAX, DROPPED_SIBLING);
  return { ...payment, siblings: { ...payment.siblings, [alias]: bounded } };
}

function joinTie(sibling: Sibling | undefined, tie: Tie): Sibling {
  const { by, chain } = sibling ?? { by: [], chain: {} };
  if ("fact" in tie) {
    const joined = join(chain, [tie.fact]);
    return sibling !== undefined && joined === chain ? sibling : { by, chain: joined };
  }
  if (sibling !== undefined && by.includes(tie.by)) return sibling;
  return { by: [...by, tie.by].sort().slice(0, KEYS_MAX), chain };
}

/** Joins facts into slots; copies a group once, whatever number of facts goes into it. */
function join(slots: Slots, facts: readonly Fact[]): Slots {
  let joined: { [group: string]: { [key: string]: Slot } } | null = null;
  let copied: Set<string> | null = null;
  for (const fact of facts) {
    const unknown = isUnknown(fact.type);
    const group = `${unknown ? "?" : fact.type}|${fact.by}`;
    const key = unknown ? `${fact.type}~${keyOf(fact)}` : keyOf(fact);
    const value = unknown ? { ...fact.value, type: fact.type } : fact.value;
    const keys = (joined ?? slots)[group];
    const before = keys?.[key];
    const slot = assert(before, fact.at, value, RANKS[fact.type] ?? NO_RANKS);
    if (slot === before || (before === undefined && isPast(keys, key, KEYS_MAX))) continue;
    joined ??= { ...slots };
    copied ??= new Set();
    if (keys === undefined) {
      joined[group] = { [key]: slot };
      copied.add(group);
      continue;
    }
    if (!copied.has(group)) {
      joined[group] = { ...keys };
      copied.add(group);
    }
    put(joined[group] as { [key: string]: Slot }, key, slot, KEYS_MAX, DROPPED_SLOT);
  }
  return joined ?? slots;
}

const DROPPED_SLOT: Slot = { least: [{ at: "", value: {} }] };
const DROPPED_SIBLING: Sibling = { by: [], chain: {} };

/** True where a record is full of lesser keys and says so already. */
function isPast<T>(record: { readonly [key: string]: T } | undefined, key: string, max: number): boolean {
  if (record?.[DROPPED] === undefined) return false;
  let lesser = 0;
  for (const other in record) if (other !== DROPPED && other < key) lesser++;
  return lesser >= max;
}

/** Sets `key` in the record, keeping the `max` least keys and a mark that there were more. */
function put<T>(record: { [key: string]: T }, key: string, value: T, max: number, mark: T): void {
  record[key] = value;
  const rest = Object.keys(record).filter((other) => other !== DROPPED);
  if (rest.length <= max) return;
  const greatest = rest.reduce((a, b) => (a > b ? a : b));
  delete record[greatest];
  record[DROPPED] = mark;
}

/** What tells a type's slots apart: the log for settlements, the session for revocations, else hash and request. */
function keyOf(fact: Fact): string {
  const { txHash = "", requestId = "", logIndex, session } = fact.value as Naming;
  if (fact.type === "session.revoked") return `${session?.managerArn}/${session?.sessionId}`;
  if (logIndex !== undefined) return `${txHash}:${logIndex}`;
  return requestId === "" ? txHash : `${txHash}~${requestId}`;
}

interface Naming {
  readonly txHash?: string;
  readonly requestId?: string;
  readonly logIndex?: number;
  readonly session?: { readonly managerArn: string; readonly sessionId: string };
}

const number =
  (field: string): Rank =>
  (value) =>
    BigInt((value[field] as string | number | undefined) ?? 0);
const seqThenBlock: Rank = (value) => number("seq")(value) * 2n ** 64n + number("blockNumber")(value);
const claim = [number("amount"), number("validBefore")];
const NO_RANKS: readonly Rank[] = [];
const RANKS: { readonly [type: string]: readonly Rank[] } = {
  "agent.authorization_signed": claim,
  "api.verification_started": claim,
  "chain.settled": [seqThenBlock],
  "chain.transferred": [seqThenBlock],
  "chain.orphaned": [number("seq")],
  "chain.expired": [number("validBefore")],
};

/** Whether a payment has facts of its own; without them nobody has named it yet, only an alias of it. */
export function isNamed(payment: Folded): boolean {
  return Object.keys(payment.own).length > 0;
}
