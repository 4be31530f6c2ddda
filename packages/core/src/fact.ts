/** An event as the fold sees it: who said what of which type, and where it lives: on a payment, or on its aliases. */
import { EVENT_TYPES, type Event, type EventOf, type UnknownEvent } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import { alias, type PaymentKey, paymentId } from "@bursar/events/ids";
import type { Value } from "./slot.ts";

/** `agent:research`, `api:reports`, `chain` or `govern`. */
export type Speaker = string;

export interface Fact {
  readonly by: Speaker;
  readonly type: string;
  readonly at: string;
  /** The event without id, at, type and payment. */
  readonly value: Value;
}

/** Where a fact is kept: one payment, or every alias it names, or nowhere (it counts in statistics only). */
export interface Home {
  readonly fact: Fact;
  readonly paymentId: string | null;
  readonly aliases: readonly string[];
}

/** A type that version 1 does not know: it appears in the timeline and moves nothing. */
export const isUnknown = (type: string): boolean => !KNOWN.has(type);

/** The contract's own types, and the one fact that core makes itself. */
const KNOWN = new Set<string>([...EVENT_TYPES, "wallet.claimed"]);

/** The fact that an event states, and where it is kept. `chainId` is meant where an event names a hash and no chain. */
export function homeOf(told: Told, chainId: number): Home {
  const by =
    told.source.kind === "agent" || told.source.kind === "api"
      ? `${told.source.kind}:${told.source.id}`
      : told.source.kind;
  const { id: _id, at, type, payment, ...value } = told.event as UnknownEvent & { payment?: PaymentKey };
  const fact: Fact = { by, type, at, value: value as Value };
  const key = payment ?? transferKey(told.event);
  if (key !== null) return { fact, paymentId: paymentId(key), aliases: [] };
  return { fact, paymentId: null, aliases: aliasesOf(fact, chainId) };
}

/** The aliases that a fact without payment lives on. A session is an alias for its revocation only. */
export function aliasesOf(fact: Fact, chainId: number): string[] {
  const { requestId, txHash } = fact.value as { requestId?: string; txHash?: string };
  const aliases: string[] = [];
  const agentId = requesterOf(fact);
  if (requestId !== undefined && agentId !== null) aliases.push(alias.request(agentId, requestId));
  if (txHash !== undefined) aliases.push(alias.transaction(chainIdOf(fact, chainId), txHash));
  if (fact.type === "session.revoked") {
    const { session } = fact.value as unknown as EventOf<"session.revoked">;
    aliases.push(alias.session(session.managerArn, session.sessionId));
  }
  return aliases;
}

/** Whose request a fact names: an agent's own, or the one that an API learned from the `bursar-request` header. */
export function requesterOf(fact: Fact): string | null {
  if (fact.by.startsWith("agent:")) return fact.by.slice("agent:".length);
  const { agentId } = fact.value as { agentId?: string };
  return agentId ?? null;
}

function chainIdOf(fact: Fact, chainId: number): number {
  return fact.type === "chain.reverted" ? (fact.value.chainId as number) : chainId;
}

function transferKey(event: Event | UnknownEvent): PaymentKey | null {
  if (event.type !== "chain.transferred") return null;
  const { chainId, txHash, logIndex } = event as EventOf<"chain.transferred">;
  return { method: "transfer", chainId, txHash, logIndex };
}
