/**
 * What counts: a payment's facts sorted by who may know them. Agent facts count from the owner of the payer's wallet,
 * API facts from the API that owns the payTo, the chain's always; the rest is foreign, kept and shown.
 */
import { alias, type PaymentKey, parsePaymentId } from "@bursar/events/ids";
import { type Directory, ownersOf } from "./directory.ts";
import { isUnknown, requesterOf } from "./fact.ts";
import { DROPPED, type Folded, type Slots } from "./payment.ts";
import { type Settlement, settlementOf } from "./settlement.ts";
import { lastOf, type Slot, type Stamped, type Value, valuesOf } from "./slot.ts";

/** One slot with its name taken apart. */
export interface Entry {
  readonly type: string;
  /** `agent`, `api`, `chain`, `govern`. */
  readonly kind: string;
  /** The agent's or API's id, "" for Bursar's own. */
  readonly who: string;
  readonly slot: Slot;
  /** The values that the slot holds, ascending. */
  readonly values: readonly Stamped[];
}

export interface Evidence {
  readonly key: PaymentKey | null;
  readonly payer: string | null;
  /** The agents charged, ascending. */
  readonly owners: readonly string[];
  readonly settlement: Settlement | null;
  /** Own facts that count, of agents and APIs. */
  readonly agent: readonly Entry[];
  readonly api: readonly Entry[];
  readonly chain: readonly Entry[];
  readonly foreignAgent: readonly Entry[];
  readonly foreignApi: readonly Entry[];
  /** Facts of aliases that join this payment, and count. */
  readonly joined: readonly Entry[];
  /** Revocations of the sessions that it was signed in. */
  readonly revocations: readonly Entry[];
  /** PayTo addresses that chain and agent named, or where neither did, an API: whoever owns one of them may report. */
  readonly payees: readonly string[];
  /** APIs of the config that own the payee: the settled one once there is one. */
  readonly payeeOwners: readonly string[];
  readonly apiId: string | null;
  /** Aliases that somebody entitled tied it to. */
  readonly aliases: ReadonlySet<string>;
}

/** Sorts what is known of a payment by what counts. */
export function evidenceOf(payment: Folded, directory: Directory): Evidence {
  const key = parsePaymentId(payment.id);
  const own = entriesOf(payment.own).filter(speaks);
  const context = entriesOf(payment.context);
  const payer = payerOf(key, own);
  const claimants = [...context, ...own].filter(isClaim).map((entry) => entry.who);
  const owners = ownersOf(directory, payer, claimants);
  const agent = own.filter((entry) => entry.kind === "agent" && owners.includes(entry.who));
  const foreignAgent = own.filter((entry) => entry.kind === "agent" && !owners.includes(entry.who));
  const chain = own.filter((entry) => entry.kind === "chain");
  const settlement = settlementOf(payment.own);
  const apis = own.filter((entry) => entry.kind === "api");

  const signedTo = texts(agent, "agent.authorization_signed", "payTo");
  const verifiedTo = texts(apis, "api.verification_started", "payTo");
  const agreed = settlement === null ? signedTo : [...new Set([settlement.payee, ...signedTo])].sort();
  const payees = agreed.length > 0 ? agreed : verifiedTo;
  const mayReport = (api: string): boolean =>
    payees.length === 0 ||
    payees.some((payTo) => {
      const apiOwners = directory.payToOwners.get(payTo);
      return apiOwners === undefined ? !directory.listedApis.has(api) : apiOwners.includes(api);
    });
  const api = apis.filter((entry) => mayReport(entry.who));
  const foreignApi = apis.filter((entry) => !mayReport(entry.who));
  const aliases = aliasesOfPayment(payment.id, payer, payees, [...agent, ...api, ...chain], directory.chainId);

  const joins = (entry: Entry): boolean => {
    if (entry.kind === "agent" && !owners.includes(entry.who)) return false;
    if (entry.kind === "api" && !mayReport(entry.who)) return false;
    return namedAliases(entry, directory.chainId).some((name) => aliases.has(name));
  };
  const joined = context.filter(
    (entry) => entry.type !== "session.revoked" && entry.type !== "wallet.claimed" && joins(entry),
  );
  const paid = settlement === null ? payees : [settlement.payee];
  const payeeOwners = [...new Set(paid.flatMap((payTo) => directory.payToOwners.get(payTo) ?? []))].sort();
  const reporting = [...api, ...joined.filter((entry) => entry.kind === "api")].map((entry) => entry.who).sort();
  const apiId = reporting.find((id) => payeeOwners.includes(id)) ?? payeeOwners[0] ?? reporting[0] ?? null;
  const revocations = context.filter(
    (entry) => entry.type === "session.revoked" && aliases.has(sessionAlias(entry.values[0]?.value)),
  );
  return {
    key,
    payer,
    owners,
    settlement,
    agent,
    api,
    chain,
    foreignAgent,
    foreignApi,
    joined,
    revocations,
    payees,
    payeeOwners,
    apiId,
    aliases,
  };
}

/** The aliases that a payment's own facts tie it to, each with who says so. Entitled or not: ties are only names. */
export function tiesOf(
  payment: Folded,
  directory: Directory,
): readonly { readonly alias: string; readonly by: string }[] {
  const key = parsePaymentId(payment.id);
  if (key === null) return [];
  const own = entriesOf(payment.own);
  // Ties are never undone: where the chain named several payers of one log, the names of all of them, in any order.
  const payers = key.method === "transfer" ? texts(own, "chain.transferred", "payer") : [key.payer];
  const payTos = [
    ...texts(own, "agent.authorization_signed", "payTo"),
    ...texts(own, "api.verification_started", "payTo"),
    ...texts(own, "chain.settled", "payee"),
  ];
  const ties: { alias: string; by: string }[] = [];
  for (const entry of own) {
    const by = entry.who === "" ? entry.kind : `${entry.kind}:${entry.who}`;
    for (const payer of payers.length === 0 ? [null] : payers) {
      for (const name of aliasesOfPayment(payment.id, payer, payTos, [entry], directory.chainId))
        ties.push({ alias: name, by });
    }
    for (const payer of payers)
      if (!directory.walletOwner.has(payer)) ties.push({ alias: alias.wallet(payer), by: "-" });
  }
  return ties;
}

function aliasesOfPayment(
  id: string,
  payer: string | null,
  payTos: readonly string[],
  entries: readonly Entry[],
  defaultChainId: number,
): Set<string> {
  const chainId = parsePaymentId(id)?.chainId ?? defaultChainId;
  const aliases = new Set<string>();
  for (const entry of entries) {
    if (!speaks(entry)) continue;
    for (const { value } of entry.values) {
      const { txHash, requestId, purchaseId, session } = value as Names;
      if (txHash !== undefined && entry.type !== "chain.cancelled") aliases.add(alias.transaction(chainId, txHash));
      const requester =
        entry.kind === "agent" ? entry.who : entry.kind === "api" ? (value as Names).agentId : undefined;
      if (requestId !== undefined && requester !== undefined) aliases.add(alias.request(requester, requestId));
      if (session !== undefined && entry.kind === "agent")
        aliases.add(alias.session(session.managerArn, session.sessionId));
      if (purchaseId !== undefined && payer !== null) {
        for (const payTo of payTos) aliases.add(alias.purchase(payer, payTo, purchaseId));
      }
    }
  }
  return aliases;
}

interface Names {
  readonly txHash?: string;
  readonly requestId?: string;
  readonly purchaseId?: string;
  readonly agentId?: string;
  readonly session?: { readonly managerArn: string; readonly sessionId: string };
}

/** The aliases that an alias fact names: of a slot all values name the same. */
export function namedAliases(entry: Entry, chainId: number): string[] {
  const value = entry.values[0]?.value ?? {};
  const { txHash, requestId } = value as Names;
  const names: string[] = [];
  const by = entry.who === "" ? entry.kind : `${entry.kind}:${entry.who}`;
  const requester = requesterOf({ by, type: entry.type, at: "", value });
  if (requestId !== undefined && requester !== null) names.push(alias.request(requester, requestId));
  if (txHash !== undefined) {
    names.push(alias.transaction(entry.type === "chain.reverted" ? (value.chainId as number) : chainId, txHash));
  }
  return names;
}

/** Slots are never changed, so that taking them apart once is enough. */
const TAKEN_APART = new WeakMap<Slots, readonly Entry[]>();

/** Slots as entries with their names taken apart. */
export function entriesOf(slots: Slots): readonly Entry[] {
  const known = TAKEN_APART.get(slots);
  if (known !== undefined) return known;
  const entries: Entry[] = [];
  for (const group of Object.keys(slots)) {
    const bar = group.indexOf("|");
    const speaker = group.slice(bar + 1);
    const colon = speaker.indexOf(":");
    const kind = colon === -1 ? speaker : speaker.slice(0, colon);
    const who = colon === -1 ? "" : speaker.slice(colon + 1);
    const keys = slots[group];
    for (const key in keys) {
      const slot = keys[key];
      if (slot !== undefined && key !== DROPPED)
        entries.push({ type: group.slice(0, bar), kind, who, slot, values: valuesOf(slot) });
    }
  }
  TAKEN_APART.set(slots, entries);
  return entries;
}

/** The entries of one type. */
export function ofType(entries: readonly Entry[], type: string): Entry[] {
  return entries.filter((entry) => entry.type === type);
}

/** The distinct texts that entries of one type hold in a field, ascending by when they were first said. */
export function texts(entries: readonly Entry[], type: string, field: string): string[] {
  const found: string[] = [];
  for (const entry of entries) {
    if (entry.type !== type) continue;
    for (const { value } of entry.values) {
      const text = value[field];
      if (typeof text === "string" && !found.includes(text)) found.push(text);
    }
  }
  return found.sort();
}

/** The greatest last word among entries, by (at, canonical JSON). */
export function lastWord(entries: readonly Entry[], compare: (a: Stamped, b: Stamped) => number): Stamped | null {
  let last: Stamped | null = null;
  for (const { slot } of entries) {
    const word = lastOf(slot);
    if (last === null || compare(word, last) > 0) last = word;
  }
  return last;
}

/** True for an entry that version 1 knows: any other appears in the timeline, and ties and moves nothing. */
export const speaks = (entry: Entry): boolean => entry.type !== "?" && !isUnknown(entry.type);

function isClaim(entry: Entry): boolean {
  return entry.type === "wallet.claimed" || (entry.type === "agent.authorization_signed" && entry.kind === "agent");
}

function payerOf(key: PaymentKey | null, own: readonly Entry[]): string | null {
  if (key === null) return null;
  if (key.method !== "transfer") return key.payer;
  const transferred = own.find((entry) => entry.type === "chain.transferred");
  return (transferred?.values[0]?.value.payer as string | undefined) ?? null;
}

function sessionAlias(value: Value | undefined): string {
  const { session } = (value ?? {}) as Names;
  return session === undefined ? "" : alias.session(session.managerArn, session.sessionId);
}
