/** A payment's public shape (section 9): what the CLI, HTTP and replay print. */
import type { Payment } from "@bursar/events/shapes";
import type { Assessment, Findings } from "./assess.ts";
import { type Entry, entriesOf, ofType, texts } from "./evidence.ts";
import { compareStamped, type Stamped } from "./slot.ts";
import { explorerUrl, timelineOf } from "./timeline.ts";

export function showPayment({ payment, evidence, claims }: Findings, assessment: Assessment): Payment {
  const { key, settlement, owners, agent, api, joined } = evidence;
  const best = settlement !== null ? { amount: settlement.amount, payTo: settlement.payee } : claims.largest;
  const offer = best === null ? claims.offer : null;
  const hashes = [
    ...new Set([
      ...claims.hashes.map(({ txHash }) => txHash),
      ...texts(entriesOf(payment.own), "chain.settled", "txHash"),
      ...(key?.method === "transfer" ? [key.txHash] : []),
    ]),
  ].sort();
  const linked = settlement?.txHash ?? claims.hashes[0]?.txHash;
  const said = [...agent, ...api];
  return {
    id: payment.id,
    state: assessment.state,
    verdict: assessment.verdict,
    breaks: assessment.breaks,
    agentId: owners[0] ?? null,
    agentIds: owners,
    apiId: evidence.apiId,
    payer: evidence.payer,
    payee: best?.payTo ?? offer?.payTo ?? null,
    asset: key?.method === "eip3009" ? key.asset : assetOf(entriesOf(payment.own)),
    amount: best?.amount.toString() ?? offer?.amount ?? null,
    txHashes: hashes,
    requestId: first(agent, "requestId") ?? first(api, "requestId"),
    purchaseId: first(said, "purchaseId") ?? first(joined, "purchaseId"),
    sessionId:
      sessionIdOf(ofType([...agent], "agent.authorization_signed")) ??
      sessionIdOf(ofType([...joined], "agent.authorization_requested")),
    explorerUrl: linked === undefined || key === null ? null : explorerUrl(key.chainId, linked),
    bookedAt: settlement?.at ?? null,
    timeline: timelineOf([...entriesOf(payment.own), ...joined, ...evidence.revocations]),
  };
}

/** The representative of a field: what the least fact by (at, canonical JSON) that has it says. */
export function first(entries: readonly Entry[], field: string): string | null {
  let least: Stamped | null = null;
  for (const { values } of entries) {
    for (const stamped of values) {
      if (typeof stamped.value[field] === "string" && (least === null || compareStamped(stamped, least) < 0))
        least = stamped;
    }
  }
  return (least?.value[field] as string | undefined) ?? null;
}

function sessionIdOf(entries: readonly Entry[]): string | null {
  let least: Stamped | null = null;
  for (const { values } of entries) {
    for (const stamped of values) {
      if (stamped.value.session !== undefined && (least === null || compareStamped(stamped, least) < 0))
        least = stamped;
    }
  }
  const session = least?.value.session as unknown as { sessionId: string } | undefined;
  return session?.sessionId ?? null;
}

function assetOf(entries: readonly Entry[]): string | null {
  return texts(entries, "chain.transferred", "asset")[0] ?? null;
}
