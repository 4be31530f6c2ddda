/** What stands in the list before anybody names a payment: a request that met a 402, and a hash that nobody claims. */
import type { EventOf, Offer } from "@bursar/events/contract";
import type { Payment } from "@bursar/events/shapes";
import type { Assessment, World } from "./assess.ts";
import type { Directory } from "./directory.ts";
import { type Entry, entriesOf, lastWord, ofType, speaks } from "./evidence.ts";
import type { Folded } from "./payment.ts";
import { first } from "./show.ts";
import { compareStamped } from "./slot.ts";
import { explorerUrl, timelineOf } from "./timeline.ts";

const OFFERING: ReadonlySet<string> = new Set([
  "agent.payment_required",
  "agent.authorization_requested",
  "agent.payment_failed",
]);

/** True for an id of such a row. */
export const isRow = (id: string): boolean => id.startsWith("request:") || id.startsWith("tx:");

/** Whether the facts of an alias make a row: `request_sent` alone may be free, an API's demand alone is nobody's. */
export function makesRow(row: Folded): boolean {
  const entries = entriesOf(row.context);
  if (row.id.startsWith("tx:"))
    return entries.some((entry) => (entry.kind === "agent" || entry.kind === "api") && entry.type !== "?");
  return entries.some((entry) => entry.kind === "agent" && OFFERING.has(entry.type));
}

/** The two answers about a row. */
export function assessRow(row: Folded, now: string, world: World): Assessment {
  return row.id.startsWith("tx:") ? assessHash(row, now, world) : assessRequest(row);
}

function assessRequest(row: Folded): Assessment {
  const entries = entriesOf(row.context);
  const failed = lastWord(ofType(entries, "agent.payment_failed"), compareStamped);
  const asked = lastWord(
    [...ofType(entries, "agent.payment_required"), ...ofType(entries, "agent.authorization_requested")],
    compareStamped,
  );
  const declined = failed !== null && (asked === null || failed.at >= asked.at);
  return { state: declined ? "declined" : "offered", verdict: declined ? "matched" : "pending", breaks: [], due: null };
}

function assessHash(row: Folded, now: string, world: World): Assessment {
  const entries = entriesOf(row.context);
  if (entries.some((entry) => entry.type === "chain.reverted"))
    return { state: "signed", verdict: "break", breaks: ["reverted"], due: null };
  const first = entries.map((entry) => entry.values[0]?.at ?? "").sort()[0] ?? now;
  const deadline = Date.parse(first) + world.deadlines.settleSeconds * 1000;
  if (Date.parse(now) >= deadline) return { state: "submitted", verdict: "break", breaks: ["not_on_chain"], due: null };
  return { state: "submitted", verdict: "pending", breaks: [], due: new Date(deadline).toISOString() };
}

/** The row's public shape. */
export function showRow(row: Folded, assessment: Assessment, directory: Directory): Payment {
  const entries = entriesOf(row.context);
  const reporters = (kind: string) =>
    [...new Set(entries.filter((entry) => entry.kind === kind && entry.type !== "?").map((entry) => entry.who))].sort();
  const base = {
    id: row.id,
    state: assessment.state,
    verdict: assessment.verdict,
    breaks: assessment.breaks,
    payer: null,
    purchaseId: first(entries.filter(speaks), "purchaseId"),
    bookedAt: null,
    timeline: timelineOf(entries),
  };
  if (row.id.startsWith("tx:")) {
    const [, chainId = "", txHash = ""] = row.id.split(":");
    const agentIds = reporters("agent");
    return {
      ...base,
      agentId: agentIds[0] ?? null,
      agentIds,
      apiId: reporters("api")[0] ?? null,
      payee: null,
      asset: null,
      amount: null,
      txHashes: [txHash],
      requestId: first(entries.filter(speaks), "requestId"),
      sessionId: null,
      explorerUrl: explorerUrl(Number(chainId), txHash),
    };
  }
  const [, agentId = ""] = row.id.split(":");
  const requested = lastRequested(entries);
  const offer = requested?.accepted ?? null;
  return {
    ...base,
    agentId,
    agentIds: [agentId],
    apiId: apiOf(entries, offer, directory),
    payee: offer?.payTo ?? null,
    asset: offer?.asset ?? null,
    amount: offer?.amount ?? null,
    txHashes: [],
    requestId: row.id.slice(`request:${agentId}:`.length),
    sessionId: requested?.session?.sessionId ?? null,
    explorerUrl: null,
  };
}

function lastRequested(entries: readonly Entry[]): EventOf<"agent.authorization_requested"> | null {
  const last = lastWord(ofType(entries, "agent.authorization_requested"), compareStamped);
  return last === null ? null : (last.value as unknown as EventOf<"agent.authorization_requested">);
}

/** The API that owns what was offered, else the one that demanded it. */
function apiOf(entries: readonly Entry[], offer: Offer | null, directory: Directory): string | null {
  const required = lastWord(ofType(entries, "agent.payment_required"), compareStamped);
  const offers = offer !== null ? [offer] : ((required?.value.offers ?? []) as unknown as Offer[]);
  const owners = offers.flatMap(({ payTo }) => directory.payToOwners.get(payTo) ?? []).sort();
  const demanding = entries
    .filter((entry) => entry.kind === "api")
    .map((entry) => entry.who)
    .sort();
  return owners[0] ?? demanding[0] ?? null;
}
