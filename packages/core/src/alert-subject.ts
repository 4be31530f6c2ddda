/** Whom an alert is about, read from its subject: nothing of a stranger goes on from here but names of a known shape. */
import { parsePaymentId } from "@bursar/events/ids";
import { address, hash } from "@bursar/events/scalars";
import { PRODUCER_ID } from "@bursar/events/source";

export interface Subject {
  /** `agent`, `api`, `payment`, `wallet`, `session`, `budget`, `source`, `token`, `org`, ..., or "" where it has none. */
  readonly kind: string;
  /** As it stands: a stranger's text for sessions, requests, labels and sources. */
  readonly id: string;
}

export function subjectFrom(text: string): Subject {
  const at = text.indexOf(":");
  return at < 0 ? { kind: "", id: text } : { kind: text.slice(0, at), id: text.slice(at + 1) };
}

/** The name of an agent or an API, else null. */
export const producerOf = (id: string | null | undefined): string | null =>
  id != null && PRODUCER_ID.test(id) ? id : null;

/** An address in lower case, else null. */
export const addressOf = (text: string): string | null => address.safeParse(text).data ?? null;
export const hashOf = (text: string): string | null => hash.safeParse(text).data ?? null;

/** A name that is plain enough for a sentence and a command, and that no mail program takes for a link. */
export const plainName = (id: string): string | null => (/^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$/.test(id) ? id : null);

/** What an id says of a payment, by checked parts; null where it is no payment's. */
export interface PaymentName {
  readonly id: string | null;
  readonly chainId: number | null;
  /** By which a person calls it, and `bursar payment` finds it: the beginning of its nonce or its hash. */
  readonly short: string;
  readonly payer: string | null;
  readonly txHash: string | null;
}

/** Digits of a nonce or hash that people read and type: sixteen make a name of their own. */
const SHORT_LENGTH = 18;

export function paymentOf(id: string): PaymentName | null {
  const key = parsePaymentId(id);
  const name = (chainId: number, hex: string, payer: string | null, txHash: string | null): PaymentName => {
    return { id, chainId, short: hex.slice(0, SHORT_LENGTH), payer, txHash };
  };
  if (key?.method === "eip3009") {
    const [payer, nonce] = [addressOf(key.payer), hashOf(key.nonce)];
    return payer === null || nonce === null || addressOf(key.asset) === null
      ? null
      : name(key.chainId, nonce, payer, null);
  }
  if (key?.method === "transfer") {
    const txHash = hashOf(key.txHash);
    return txHash === null ? null : name(key.chainId, txHash, null, txHash);
  }
  const [, chain = "", hex = ""] = /^tx:(\d{1,15}):(.*)$/.exec(id) ?? [];
  const txHash = hashOf(hex);
  return txHash === null ? null : name(Number(chain), txHash, null, txHash);
}

/** A payment of which only the nonce is known. */
export const nonceOf = (nonce: string): PaymentName => {
  return { id: null, chainId: null, short: nonce.slice(0, SHORT_LENGTH), payer: null, txHash: null };
};

/** A wallet as a title writes it: "0x52ab...cd12". */
export const shortAddress = (text: string): string => `${text.slice(0, 6)}...${text.slice(-4)}`;

export interface BudgetName {
  /** As the config writes it; null where it is no such name. */
  readonly policy: string | null;
  /** Of the agent whose budget it is; null where it is of something else. */
  readonly agentId: string | null;
  /** "agent gambler", "organisation acme", "label team=growth"; null where its name is a stranger's. */
  readonly scope: string | null;
}

const POLICY_ID = /^[A-Za-z0-9._-]{1,64}$/;

/** `<policy>/<kind>:<id>`. */
export function budgetOf(id: string): BudgetName {
  const at = id.indexOf("/");
  const policy = at < 0 ? id : id.slice(0, at);
  const { kind, id: name } = subjectFrom(at < 0 ? "" : id.slice(at + 1));
  return {
    policy: POLICY_ID.test(policy) ? policy : null,
    agentId: kind === "agent" ? producerOf(name) : null,
    scope: scopeText(kind, name),
  };
}

const SCOPES: { readonly [kind: string]: string } = {
  agent: "agent",
  api: "API",
  org: "organisation",
  session: "session",
  wallet: "wallet",
  payee: "payee",
  label: "label",
};

function scopeText(kind: string, id: string): string | null {
  const word = Object.hasOwn(SCOPES, kind) ? SCOPES[kind] : undefined;
  if (word === undefined) return null;
  const isPlain = kind === "label" ? /^[A-Za-z0-9][A-Za-z0-9_=-]{0,63}$/.test(id) : plainName(id) !== null;
  return isPlain || (kind === "agent" && producerOf(id) !== null) ? `${word} ${id}` : null;
}
