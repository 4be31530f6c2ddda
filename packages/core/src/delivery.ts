/** Was the content delivered: the agent's last answer, or where it gave none the API's. */
import { alias, parsePaymentId } from "@bursar/events/ids";
import type { Directory } from "./directory.ts";
import { type Entry, type Evidence, lastWord, namedAliases } from "./evidence.ts";
import { DROPPED, type Folded, type Sibling } from "./payment.ts";
import { settlementOf } from "./settlement.ts";
import { compareStamped } from "./slot.ts";

export interface Delivery {
  readonly delivered: boolean;
  /** The agent gave an answer, and its last one is no 2xx. */
  readonly refused: boolean;
}

export const ANSWERS: ReadonlySet<string> = new Set(["agent.response_received", "api.content_returned"]);

export function deliveryOf(payment: Folded, evidence: Evidence, directory: Directory): Delivery {
  const joined = evidence.joined.filter(
    (entry) => ANSWERS.has(entry.type) && isAlone(payment, entry, evidence, directory),
  );
  const agentLast = lastWord(answers([...evidence.agent, ...joined], "agent.response_received"), compareStamped);
  if (agentLast !== null) {
    const good = isSuccess(agentLast.value.status);
    return { delivered: good, refused: !good };
  }
  const apiLast = lastWord(answers([...evidence.api, ...joined], "api.content_returned"), compareStamped);
  return { delivered: apiLast !== null && isSuccess(apiLast.value.status), refused: false };
}

function answers(entries: readonly Entry[], type: string): Entry[] {
  return entries.filter((entry) => entry.type === type);
}

function isSuccess(status: unknown): boolean {
  return typeof status === "number" && status >= 200 && status <= 299;
}

/** An answer that names only an alias is about this payment only where no other stands behind one alias it names. */
function isAlone(payment: Folded, entry: Entry, evidence: Evidence, directory: Directory): boolean {
  return namedAliases(entry, directory.chainId).some((name) => {
    if (!evidence.aliases.has(name)) return false;
    const siblings = payment.siblings[name] ?? {};
    return Object.keys(siblings).every((id) => {
      const sibling = siblings[id];
      return sibling !== undefined && id !== DROPPED && !standsBehind(name, id, sibling, entry, directory);
    });
  });
}

/** Whether a sibling is one of the payments that a fact of this speaker joins: charged to the agent, or paid to the API. */
function standsBehind(name: string, id: string, sibling: Sibling, entry: Entry, directory: Directory): boolean {
  // A request is its agent's own: what the agent signed for it stands behind it, whether or not the API has seen it yet.
  const reported = sibling.by.some(
    (by) => by === `${entry.kind}:${entry.who}` || (name.startsWith("req:") && by.startsWith("agent:")),
  );
  const settlement = settlementOf(sibling.chain);
  if (entry.kind === "api") {
    if (settlement === null) return reported;
    const owners = directory.payToOwners.get(settlement.payee);
    return owners === undefined ? reported : owners.includes(entry.who);
  }
  const key = parsePaymentId(id);
  const payer = key === null || key.method === "transfer" ? null : key.payer;
  const owner = payer === null ? undefined : directory.walletOwner.get(payer);
  return owner === undefined ? reported : owner === entry.who;
}

/** The settlement of a sibling that comes first among those on shared requests and purchases; null where none is settled. */
export function settledSiblings(
  payment: Folded,
  aliases: ReadonlySet<string>,
): { id: string; blockNumber: number; logIndex: number }[] {
  const found: { id: string; blockNumber: number; logIndex: number }[] = [];
  for (const [name, siblings] of Object.entries(payment.siblings)) {
    if (name.startsWith("tx:") || !aliases.has(name)) continue;
    for (const [id, sibling] of Object.entries(siblings)) {
      const settlement = settlementOf(sibling.chain);
      if (settlement !== null) found.push({ id, blockNumber: settlement.blockNumber, logIndex: settlement.logIndex });
    }
  }
  return found;
}

/** True for a transfer that is also a settlement on the same log: it counts once, as that. */
export function isSuperseded(payment: Folded): boolean {
  const key = parsePaymentId(payment.id);
  if (key?.method !== "transfer") return false;
  const siblings = payment.siblings[alias.transaction(key.chainId, key.txHash)] ?? {};
  return Object.entries(siblings).some(([id, sibling]) => {
    const settlement = id.startsWith("eip3009:") ? settlementOf(sibling.chain) : null;
    return settlement !== null && settlement.txHash === key.txHash && settlement.logIndex === key.logIndex;
  });
}
