/**
 * A payment as it is kept: its own facts, the facts of its aliases (its context), and what its siblings on shared
 * aliases did. `fold` joins one more fact. Every part is a join of bounded slots, so the fold is idempotent,
 * commutative and total: any order of the same facts gives the same payment, byte for byte.
 */
import { type Fact, isUnknown } from "./fact.ts";
import { assert, type Rank, type Slot, type Value } from "./slot.ts";

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

/** The payment with one more fact of its own. The same object when it changes nothing. */
export function fold(payment: Folded, fact: Fact): Folded {
  const own = join(payment.own, fact);
  return own === payment.own ? payment : { ...payment, own };
}

/** The payment with one more fact of one of its aliases. The same object when it changes nothing. */
export function foldContext(payment: Folded, fact: Fact): Folded {
  const context = join(payment.context, fact);
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
  const bounded = insert(all, siblingId, sibling, SIBLINGS_MAX, () => ({ by: [], chain: {} }));
  if (bounded === all) return payment;
  return { ...payment, siblings: { ...payment.siblings, [alias]: bounded } };
}

function joinTie(sibling: Sibling | undefined, tie: Tie): Sibling {
  const { by, chain } = sibling ?? { by: [], chain: {} };
  if ("fact" in tie) {
    const joined = join(chain, tie.fact);
    return sibling !== undefined && joined === chain ? sibling : { by, chain: joined };
  }
  if (sibling !== undefined && by.includes(tie.by)) return sibling;
  return { by: [...by, tie.by].sort().slice(0, KEYS_MAX), chain };
}

function join(slots: Slots, fact: Fact): Slots {
  const unknown = isUnknown(fact.type);
  const group = `${unknown ? "?" : fact.type}|${fact.by}`;
  const key = keyOf(fact);
  const value = unknown ? { ...fact.value, type: fact.type } : fact.value;
  const keys = slots[group];
  const before = keys?.[key];
  const slot = assert(before, fact.at, value, RANKS[fact.type] ?? NO_RANKS);
  if (slot === before) return slots;
  const bounded = insert(keys ?? {}, key, slot, KEYS_MAX, () => ({ least: [{ at: "", value: {} }] }) as Slot);
  return bounded === keys ? slots : { ...slots, [group]: bounded };
}

/** The record with `key` set, keeping the `max` least keys and a mark that there were more. */
function insert<T>(
  record: { readonly [key: string]: T },
  key: string,
  value: T,
  max: number,
  mark: () => T,
): { readonly [key: string]: T } {
  if (record[key] !== undefined) return { ...record, [key]: value };
  const keys = Object.keys(record).filter((other) => other !== DROPPED);
  if (keys.length < max) return { ...record, [key]: value };
  const { [DROPPED]: dropped = mark(), ...rest } = record;
  const greatest = keys.reduce((a, b) => (a > b ? a : b));
  if (key > greatest) return record[DROPPED] === undefined ? { ...rest, [DROPPED]: dropped } : record;
  const { [greatest]: _gone, ...kept } = rest;
  return { ...kept, [key]: value, [DROPPED]: dropped };
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

/** The same value with undefined members dropped, as it comes back from a store. */
export function plain(value: Value): Value {
  return JSON.parse(JSON.stringify(value)) as Value;
}
