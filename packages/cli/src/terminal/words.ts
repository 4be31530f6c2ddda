/** Every state, verdict and break in words: what it is called, and what it means to a person. */
import type { Break, Payment, State } from "@bursar/events/shapes";
import type { Color } from "./style.ts";

export interface Meaning {
  readonly name: string;
  /** One sentence, for someone who reads it for the first time. */
  readonly means: string;
}

export const BREAKS: { readonly [name in Break]: Meaning } = {
  unreported_by_agent: {
    name: "unreported by agent",
    means: "The API or the chain knows this payment, and the agent that owns the wallet has said nothing about it.",
  },
  unreported_by_api: {
    name: "unreported by API",
    means: "The agent and the chain know this payment, and the API that was paid has said nothing about it.",
  },
  shadow_spend: {
    name: "shadow spend",
    means: "Money left a governed wallet and neither the agent nor the API says why. Check who holds the key.",
  },
  not_on_chain: {
    name: "not on chain",
    means:
      "A transaction was claimed and the chain does not have it. Unless it has expired since, the signature can still be used.",
  },
  amount_mismatch: {
    name: "amount mismatch",
    means: "The amounts that were accepted, signed, verified and settled are not the same.",
  },
  payee_mismatch: {
    name: "payee mismatch",
    means: "The money went, or was to go, to another address than the one that was accepted.",
  },
  asset_mismatch: { name: "asset mismatch", means: "It was paid in another token than the one that was accepted." },
  paid_not_delivered: {
    name: "paid, not delivered",
    means: "The money has moved and the content did not arrive. Ask the API for it or for the money.",
  },
  delivered_not_paid: {
    name: "delivered, not paid",
    means: "The content went out and the authorization can never be settled any more.",
  },
  duplicate_purchase: {
    name: "paid twice",
    means: "Another payment with the same request or purchase id was settled before this one.",
  },
  signed_after_revoke: {
    name: "signed after revocation",
    means: "The agent signed this after its session was revoked: the stop did not stop it. Look at once.",
  },
  settled_after_revoke: {
    name: "settled after revocation",
    means: "It was signed before its session was revoked and settled after it. Revoking recalls no signature.",
  },
  foreign_wallet: {
    name: "foreign wallet",
    means: "An agent reported a payment of a wallet that is not its own. What it said does not count.",
  },
  foreign_api: {
    name: "foreign API",
    means: "An API reported a payment to an address that is not its own. What it said does not count.",
  },
  reverted: {
    name: "reverted",
    means: "A transaction of this payment failed on the chain and it is not settled. The signature may still be used.",
  },
  unwatched_chain: {
    name: "unwatched chain",
    means: "It is on a chain or in a token that the config does not watch, so nobody can say whether it settled.",
  },
};

export const STATES: { readonly [name in State]: Meaning } = {
  offered: { name: "offered", means: "The API asked for money; nothing is signed." },
  signed: { name: "signed", means: "The agent signed; the money can move until the signature expires." },
  submitted: { name: "submitted", means: "A transaction was sent; the chain has not shown it yet." },
  settled: { name: "settled", means: "The money moved, in a block that may still be reorganised." },
  safe: { name: "safe", means: "The money moved, in a block that is unlikely to be reorganised." },
  final: { name: "final", means: "The money moved, for good." },
  declined: { name: "declined", means: "The agent did not sign; no money can move." },
  expired: { name: "expired", means: "The signature was never used and cannot be used any more." },
  cancelled: { name: "cancelled", means: "The signature was cancelled on the chain." },
};

/** A word of a newer version is shown as it is, readable. */
export function breakName(name: string): string {
  return BREAKS[name as Break]?.name ?? name.replaceAll("_", " ");
}

export function breakMeaning(name: string): string {
  return BREAKS[name as Break]?.means ?? "This version has no words for it.";
}

/** "matched", "pending", "break: not on chain, reverted". */
export function verdictText({ verdict, breaks }: Pick<Payment, "verdict" | "breaks">): string {
  return verdict === "break" ? `break: ${breaks.map(breakName).join(", ")}` : verdict;
}

export function verdictColor(verdict: string): Color | null {
  return verdict === "matched" ? "green" : verdict === "break" ? "red" : "dim";
}

export function severityColor(severity: string): Color | null {
  return severity === "critical" ? "red" : severity === "warning" ? "yellow" : "dim";
}
