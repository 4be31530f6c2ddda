/** Where the stories disagree. Each break has its cause and its deadline; a late fact that ends the cause heals it. */
import { parsePaymentId } from "@bursar/events/ids";
import type { Break } from "@bursar/events/shapes";
import type { Findings, World } from "./assess.ts";
import { settledSiblings } from "./delivery.ts";
import { speaks } from "./evidence.ts";

/** A revocation and a signing may cross each other on their way. */
const CROSSING_MS = 5_000;

/** The breaks at `now`, alphabetical, and the next deadline that has not passed. */
export function breaksOf(findings: Findings, now: string, world: World): { breaks: Break[]; due: string | null } {
  const breaks = new Set<Break>();
  let due: string | null = null;
  const at = Date.parse(now);
  /** A deadline has passed when now >= start + seconds. */
  const late = (start: string, seconds: number): boolean => {
    const deadline = Date.parse(start) + seconds * 1000;
    if (at >= deadline) return true;
    const iso = new Date(deadline).toISOString();
    if (due === null || iso < due) due = iso;
    return false;
  };
  const add = (name: Break, holds: boolean): void => {
    if (holds) breaks.add(name);
  };
  const { settleSeconds, reportSeconds } = world.deadlines;
  const { evidence, claims, state, agentShould, agentSpoke, apiShould, apiSpoke } = findings;
  const { settlement } = evidence;

  if (agentShould && !agentSpoke && apiSpoke) {
    const start = settlement?.at ?? firstApiFact(findings);
    add("unreported_by_agent", start !== null && late(start, reportSeconds));
  }
  if (settlement !== null) {
    if (apiShould && !apiSpoke && agentSpoke) add("unreported_by_api", late(settlement.at, reportSeconds));
    if (agentShould && !agentSpoke && !apiSpoke) add("shadow_spend", late(settlement.at, reportSeconds));
    const allSpoke = (agentSpoke || !agentShould) && (apiSpoke || !apiShould) && (agentSpoke || apiSpoke);
    if (findings.refused) add("paid_not_delivered", true);
    else if (allSpoke && !findings.delivered) add("paid_not_delivered", late(settlement.at, reportSeconds));
    add("duplicate_purchase", comesAfterAnother(findings, settlement));
  } else {
    for (const { txHash, at: claimedAt } of claims.hashes) {
      if (!findings.reverted.includes(txHash)) add("not_on_chain", late(claimedAt, settleSeconds));
    }
    add("reverted", findings.reverted.length > 0);
  }
  add("delivered_not_paid", findings.delivered && (state === "expired" || state === "cancelled"));
  add("foreign_api", evidence.foreignApi.some(speaks));
  add("foreign_wallet", isForeignWallet(findings, world));
  add("unwatched_chain", isUnwatched(findings, world));
  addMismatches(findings, add);
  addRevoked(findings, add);
  return { breaks: [...breaks].sort(), due };
}

function addMismatches({ claims, evidence }: Findings, add: (name: Break, holds: boolean) => void): void {
  const { settlement, key } = evidence;
  const promised = [
    ...claims.offers.map((offer) => BigInt(offer.amount)),
    ...[...claims.signed, ...claims.verified].map((claim) => claim.amount),
  ];
  const settled = settlement === null ? null : BigInt(settlement.amount);
  const most = promised.reduce((a, b) => (a > b ? a : b), 0n);
  const settledDiffers =
    settled !== null &&
    promised.length > 0 &&
    (claims.upto ? settled > most : promised.some((amount) => amount !== settled));
  add("amount_mismatch", new Set(promised).size > 1 || settledDiffers);
  const payees = [
    ...claims.offers.map((offer) => offer.payTo),
    ...[...claims.signed, ...claims.verified].map((claim) => claim.payTo),
  ];
  if (settlement !== null) payees.push(settlement.payee);
  add("payee_mismatch", new Set(payees).size > 1);
  if (key?.method !== "eip3009") return;
  const network = `eip155:${key.chainId}`;
  add(
    "asset_mismatch",
    claims.offers.some(
      (offer) => offer.asset !== key.asset || (offer.network.startsWith("eip155:") && offer.network !== network),
    ),
  );
}

function addRevoked({ evidence, claims }: Findings, add: (name: Break, holds: boolean) => void): void {
  const { settlement } = evidence;
  for (const { values } of evidence.revocations) {
    const revokedAt = values[0]?.at;
    if (revokedAt === undefined || claims.firstAt === null) continue;
    if (Date.parse(claims.firstAt) > Date.parse(revokedAt) + CROSSING_MS) add("signed_after_revoke", true);
    else if (settlement !== null && settlement.at > revokedAt) add("settled_after_revoke", true);
  }
}

function comesAfterAnother({ payment, evidence }: Findings, own: { blockNumber: number; logIndex: number }): boolean {
  return settledSiblings(payment, evidence.aliases).some(
    ({ blockNumber, logIndex }) =>
      blockNumber < own.blockNumber || (blockNumber === own.blockNumber && logIndex < own.logIndex),
  );
}

/** Reported by someone who does not own the wallet; nobody's wallet counts as foreign for an agent with configured ones. */
function isForeignWallet({ evidence }: Findings, { directory }: World): boolean {
  return evidence.foreignAgent.some(
    (entry) => speaks(entry) && (evidence.owners.length > 0 || directory.settledAgents.has(entry.who)),
  );
}

function isUnwatched({ payment, evidence }: Findings, { directory }: World): boolean {
  const key = parsePaymentId(payment.id);
  if (key === null || evidence.agent.length + evidence.api.length + evidence.chain.length === 0) return false;
  const asset = key.method === "eip3009" ? key.asset : (evidence.settlement?.asset ?? directory.asset);
  return key.chainId !== directory.chainId || asset !== directory.asset;
}

function firstApiFact({ evidence }: Findings): string | null {
  const times = [...evidence.api, ...evidence.joined]
    .filter((entry) => entry.kind === "api")
    .map((entry) => entry.values[0]?.at ?? "");
  return times.sort()[0] ?? null;
}
