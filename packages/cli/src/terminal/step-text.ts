/** A fact in the few words that fit a column of a payment's page. */
import type { StoryFact } from "../story.ts";
import { amount, count, shortHex } from "./figures.ts";
import type { Signs } from "./style.ts";
import { safe } from "./text.ts";

type Value = { readonly [field: string]: unknown };

export function stepText({ type, value }: StoryFact, signs: Signs): string {
  const words = WORDS[type];
  if (words === undefined) return safe(type.slice(type.indexOf(".") + 1).replaceAll("_", " "));
  return safe(words(value ?? {}, signs)).trim();
}

const money = (units: unknown): string => (typeof units === "string" && /^\d+$/.test(units) ? amount(units) : "");
const hash = (text: unknown, signs: Signs): string => (typeof text === "string" ? shortHex(text, signs) : "");
const block = (number: unknown): string => (typeof number === "number" ? `block ${count(number)}` : "");
const words = (text: unknown): string => (typeof text === "string" ? text.replaceAll("_", " ") : "");

const WORDS: { readonly [type: string]: (value: Value, signs: Signs) => string } = {
  "agent.request_sent": ({ resource }) => `request ${resourceText(resource)}`,
  "agent.payment_required": ({ offers }) => offersText("402", offers),
  "agent.authorization_requested": ({ accepted }) => `accepts ${money((accepted as Value | undefined)?.amount)}`,
  "agent.authorization_signed": ({ amount: units }) => `signed ${money(units)}`,
  "agent.payment_sent": () => "sent with the signature",
  "agent.response_received": ({ status, settled }) => {
    const said = settled === true ? ", settled" : settled === false ? ", not settled" : "";
    return status === undefined ? "answer" : `${status}${said}`;
  },
  "agent.payment_failed": ({ reason, message }) => `failed: ${words(reason)}${message ? ` (${message})` : ""}`,
  "api.payment_demanded": ({ offers }) => offersText("demanded", offers),
  "api.verification_started": ({ amount: units }) => `verifying ${money(units)}`,
  "api.transaction_submitted": ({ txHash }, signs) => `submitted ${hash(txHash, signs)}`,
  "api.transaction_confirmed": ({ txHash }, signs) => `confirmed ${hash(txHash, signs)}`,
  "api.content_returned": ({ status }) => `content ${status ?? ""}`,
  "api.payment_rejected": ({ reason }) => `rejected: ${words(reason)}`,
  "api.settlement_failed": ({ reason }) => `settlement failed: ${words(reason)}`,
  "chain.settled": ({ amount: units, blockNumber }) => `settled ${money(units)} ${block(blockNumber)}`,
  "chain.transferred": ({ amount: units, blockNumber }) => `transferred ${money(units)} ${block(blockNumber)}`,
  "chain.orphaned": () => "its block is gone (reorg)",
  "chain.reverted": ({ txHash, blockNumber, reason }, signs) =>
    `reverted ${typeof reason === "string" ? `(${reason})` : `${hash(txHash, signs)} ${block(blockNumber)}`}`,
  "chain.expired": () => "unused, and expired",
  "chain.cancelled": ({ blockNumber }) => `cancelled ${block(blockNumber)}`,
  "session.revoked": () => "session revoked by Bursar",
};

function resourceText(resource: unknown): string {
  const { method = "", url = "" } = (resource ?? {}) as { method?: string; url?: string };
  const path = /^https?:\/\/[^/]+(\/.*)$/.exec(url)?.[1] ?? url;
  return `${method} ${path}`;
}

function offersText(head: string, offers: unknown): string {
  const list = Array.isArray(offers) ? (offers as Value[]) : [];
  const [first] = list;
  const many = list.length > 1 ? ` or ${list.length - 1} more` : "";
  const separator = head === "402" ? ": " : " ";
  return first === undefined ? head : `${head}${separator}${money(first.amount)}${many}`;
}
