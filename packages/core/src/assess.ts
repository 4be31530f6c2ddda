/**
 * `assess` gives two separate answers about a payment: its state (how far the money is) and its verdict (do the
 * stories agree). Pure: the clock, the deadlines and the chain's heads come in as arguments.
 */
import type { Config } from "@bursar/events/config-schema";
import type { Break, State, Verdict } from "@bursar/events/shapes";
import { breaksOf } from "./breaks.ts";
import { type Claims, claimsOf } from "./claims.ts";
import { deliveryOf } from "./delivery.ts";
import type { Directory } from "./directory.ts";
import { type Evidence, evidenceOf, speaks } from "./evidence.ts";
import type { Folded } from "./payment.ts";

/** How far a chain is. */
export interface Heads {
  readonly latest: number;
  readonly safe: number;
  readonly final: number;
}

/** What every judgement of one run shares. */
export interface World {
  readonly directory: Directory;
  readonly deadlines: Config["deadlines"];
  /** Heads by chain id. */
  readonly heads: ReadonlyMap<number, Heads>;
}

/** What was found about one payment, without the clock. */
export interface Findings {
  readonly payment: Folded;
  readonly evidence: Evidence;
  readonly claims: Claims;
  readonly state: Exclude<State, "safe" | "final" | "offered" | "declined">;
  /** Its hashes, claimed or once seen on the chain, whose transaction reverted. */
  readonly reverted: readonly string[];
  readonly agentSpoke: boolean;
  readonly apiSpoke: boolean;
  readonly agentShould: boolean;
  readonly apiShould: boolean;
  readonly delivered: boolean;
  /** The agent gave an answer, and its last one is no 2xx. */
  readonly refused: boolean;
}

export interface Assessment {
  readonly state: State;
  readonly verdict: Verdict;
  /** Alphabetical. */
  readonly breaks: readonly Break[];
  /** The next time at which the verdict may change by time alone; null when only a fact can change it. */
  readonly due: string | null;
}

/** What the facts of a named payment say, whatever time it is. */
export function find(payment: Folded, directory: Directory): Findings {
  const evidence = evidenceOf(payment, directory);
  const claims = claimsOf(evidence);
  const reverted = revertedOf(evidence);
  const delivery = deliveryOf(payment, evidence, directory);
  return {
    payment,
    evidence,
    claims,
    state: stateOf(evidence, claims, reverted),
    reverted,
    agentSpoke: [...evidence.agent, ...evidence.joined].some((entry) => entry.kind === "agent" && speaks(entry)),
    apiSpoke: [...evidence.api, ...evidence.joined].some((entry) => entry.kind === "api" && speaks(entry)),
    agentShould: evidence.owners.length > 0,
    apiShould: evidence.payeeOwners.length > 0,
    ...delivery,
  };
}

/** The two answers at `now` (ISO-8601). */
export function assess(findings: Findings, now: string, world: World): Assessment {
  const { breaks, due } = breaksOf(findings, now, world);
  const state = finality(findings, world.heads);
  return { state, verdict: verdictOf(findings, breaks), breaks, due };
}

function stateOf({ settlement, chain }: Evidence, claims: Claims, reverted: readonly string[]): Findings["state"] {
  if (settlement !== null) return "settled";
  if (chain.some((entry) => entry.type === "chain.cancelled")) return "cancelled";
  if (claims.expired) return "expired";
  return claims.hashes.some(({ txHash }) => !reverted.includes(txHash)) ? "submitted" : "signed";
}

/** A timeout is never a state; finality is the block compared with the heads, at read. */
function finality({ state, evidence }: Findings, heads: World["heads"]): State {
  if (state !== "settled" || evidence.settlement === null || evidence.key === null) return state;
  const head = heads.get(evidence.key.chainId);
  if (head === undefined) return state;
  const { blockNumber } = evidence.settlement;
  return blockNumber <= head.final ? "final" : blockNumber <= head.safe ? "safe" : "settled";
}

function verdictOf(findings: Findings, breaks: readonly Break[]): Verdict {
  if (breaks.length > 0) return "break";
  const { state, agentShould, agentSpoke, apiShould, apiSpoke, delivered } = findings;
  if (state === "expired" || state === "cancelled") return "matched";
  const allSpoke = (agentSpoke || !agentShould) && (apiSpoke || !apiShould);
  const someone = agentSpoke || apiSpoke;
  return state === "settled" && allSpoke && someone && delivered ? "matched" : "pending";
}

function revertedOf(evidence: Evidence): string[] {
  const hashes = new Set<string>();
  for (const entry of evidence.joined) {
    if (entry.type === "chain.reverted") hashes.add(entry.values[0]?.value.txHash as string);
  }
  return [...hashes].sort();
}
