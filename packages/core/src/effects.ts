/**
 * `effects`: what a payment does to the books, as a pure function. Held has no window and exists while the state is
 * `signed` or `submitted`; a claim binds its claimant. Spent is booked at the block's time; the chain's word counts
 * everywhere. The payment stores what it has `applied`; the difference moves the counters in the same commit.
 */
import { CHAINS } from "@bursar/events/chains";
import type { Policy } from "@bursar/events/config-schema";
import type { Window } from "@bursar/events/shapes";
import type { Findings } from "./assess.ts";
import { heldCounter, spentCounter } from "./counters.ts";
import { isSuperseded } from "./delivery.ts";
import type { Directory } from "./directory.ts";
import { type Entry, ofType } from "./evidence.ts";
import type { SessionKey } from "./ports.ts";
import { compareStamped } from "./slot.ts";
import { windowStart } from "./windows.ts";

export type ScopeKind = Policy["scope"]["kind"];

/** One thing a budget can be about. The id of a session names its manager too: `sessionScope` makes it. */
export interface ScopeRef {
  readonly kind: ScopeKind;
  readonly id: string;
}

/** The scope of one session. A slash in the session's id is escaped, so that the last one stands before it. */
export function sessionScope({ managerArn, sessionId }: SessionKey): ScopeRef {
  return { kind: "session", id: `${managerArn}/${sessionId.replaceAll("%", "%25").replaceAll("/", "%2F")}` };
}

/** The session behind a session scope's id. */
export function sessionOf({ id }: ScopeRef): SessionKey {
  const at = id.lastIndexOf("/");
  return {
    managerArn: id.slice(0, at),
    sessionId: id
      .slice(at + 1)
      .replaceAll("%2F", "/")
      .replaceAll("%25", "%"),
  };
}

/** `<kind>:<id>`: the scope's part of a counter's name. */
export const scopeName = ({ kind, id }: ScopeRef): string => `${kind}:${id}`;

/** Counter -> amount. A counter is `held|<kind>:<id>` or `spent|<kind>:<id>|<window>|<start>`. */
export type Effects = { readonly [counter: string]: bigint };

/** Which counters exist: those that a policy names, plus agent and org by day, and each session in total. */
export interface Counted {
  readonly held: (scope: ScopeRef) => boolean;
  readonly windows: (scope: ScopeRef) => readonly Window[];
}

export function countedBy(policies: readonly Policy[]): Counted {
  const windows = new Map<string, Set<Window>>([
    ["agent:*", new Set<Window>(["day"])],
    ["org:*", new Set<Window>(["day"])],
    // Exposure after a revocation, and the comparison with AgentCore's own figures.
    ["session:*", new Set<Window>(["total"])],
  ]);
  for (const { scope, window } of policies) {
    // An org is one; whatever a policy calls it, it is this one.
    const name = scope.kind === "org" ? "org:*" : `${scope.kind}:${scope.id}`;
    windows.set(name, (windows.get(name) ?? new Set<Window>()).add(window));
  }
  const of = (scope: ScopeRef): readonly Window[] => {
    const own = windows.get(`${scope.kind}:${policyId(scope)}`);
    const every = windows.get(`${scope.kind}:*`);
    if (own === undefined || own === every) return [...(every ?? [])];
    return [...new Set([...own, ...(every ?? [])])];
  };
  return { held: (scope) => of(scope).length > 0, windows: of };
}

/** The id by which a policy names a scope: a session goes by its own id, whoever manages it. */
export function policyId({ kind, id }: ScopeRef): string {
  return kind === "session" ? sessionOf({ kind, id }).sessionId : id;
}

export function effectsOf(findings: Findings, directory: Directory, counted: Counted): Effects {
  const { evidence, claims, state, payment } = findings;
  const { key, settlement, owners } = evidence;
  if (key === null || isSuperseded(payment)) return {};
  const agentScopes = agentScopesOf(findings);
  const effects: { [counter: string]: bigint } = {};
  const add = (counter: string, amount: bigint): void => {
    if (amount > 0n) effects[counter] = (effects[counter] ?? 0n) + amount;
  };

  if (settlement !== null) {
    const asset = key.method === "transfer" ? settlement.asset : key.asset;
    if (key.chainId !== directory.chainId || asset !== directory.asset) return {};
    const scopes = [
      ...agentScopes,
      ...apiScopes(settlement.payee, evidence.apiId),
      ...(owners.length > 0 ? commonScopes(findings, directory) : []),
    ];
    for (const scope of scopes) {
      for (const window of counted.windows(scope)) {
        add(spentCounter(scopeName(scope), window, windowStart(window, settlement.at)), BigInt(settlement.amount));
      }
    }
    return effects;
  }

  if ((state !== "signed" && state !== "submitted") || key.method !== "eip3009") return {};
  const isUsdc = CHAINS.some((chain) => chain.id === key.chainId && chain.usdc === key.asset);
  if (!isUsdc) return {};
  const hold = (scopes: readonly ScopeRef[], amount: bigint): void => {
    for (const scope of scopes) if (counted.held(scope)) add(heldCounter(scopeName(scope)), amount);
  };
  const signed = claims.largestSigned;
  if (signed !== null) hold(agentScopes, signed.amount);
  // Unknown counts: on a chain that nobody watches it binds the agent until a human closes it, and nobody else.
  if (key.chainId !== directory.chainId || key.asset !== directory.asset) return effects;
  const verified = listedClaim(evidence.api, directory);
  if (verified !== null) {
    // What an API says of another's payTo binds itself alone.
    const ownsPayTo = directory.payToOwners.get(verified.payTo)?.includes(verified.apiId);
    hold([{ kind: "api", id: verified.apiId }], verified.amount);
    if (ownsPayTo) hold([{ kind: "payee", id: verified.payTo }], verified.amount);
  }
  if (signed !== null && verified !== null) {
    hold(commonScopes(findings, directory), signed.amount < verified.amount ? signed.amount : verified.amount);
  }
  return effects;
}

/** A session that a payment was signed in, and the entitled agents that did. */
export interface SignedSession extends SessionKey {
  readonly agentIds: readonly string[];
}

/** Sessions that one payment counts in: honest ones are signed in one. */
const SESSIONS_MAX = 16;

/** Every session that the payment was signed in, by entitled agents; the least by name, where there are many. */
export function sessionsOf({ evidence }: Findings): readonly SignedSession[] {
  const sessions = new Map<string, SignedSession>();
  for (const { who, values } of ofType([...evidence.agent], "agent.authorization_signed")) {
    for (const { value } of values) {
      const session = value.session as unknown as SessionKey | undefined;
      if (session === undefined) continue;
      const { managerArn, sessionId } = session;
      const { id } = sessionScope({ managerArn, sessionId });
      const agentIds = [...new Set([...(sessions.get(id)?.agentIds ?? []), who])].sort();
      sessions.set(id, { managerArn, sessionId, agentIds });
    }
  }
  return [...sessions.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .slice(0, SESSIONS_MAX)
    .map(([, session]) => session);
}

function agentScopesOf(findings: Findings): ScopeRef[] {
  const { owners, payer } = findings.evidence;
  if (owners.length === 0) return [];
  return [
    ...owners.map((id) => ({ kind: "agent" as const, id })),
    ...sessionsOf(findings).map(sessionScope),
    ...(payer === null ? [] : [{ kind: "wallet" as const, id: payer }]),
  ];
}

function apiScopes(payee: string, apiId: string | null): ScopeRef[] {
  return [{ kind: "payee", id: payee }, ...(apiId === null ? [] : [{ kind: "api" as const, id: apiId }])];
}

/** What agent and API both have a say in. The config's labels of an agent outrank its requests' labels. */
function commonScopes({ evidence }: Findings, directory: Directory): ScopeRef[] {
  const labels = new Set<string>();
  const requests = ofType([...evidence.joined], "agent.request_sent")
    .flatMap(({ who, values }) => values.slice(0, 1).map((stamped) => ({ ...stamped, who })))
    .sort(compareStamped);
  for (const owner of evidence.owners) {
    const pairs = new Map(Object.entries(directory.labels.get(owner) ?? {}));
    // Where two requests of one payment differ, the earlier word stands, as everywhere.
    for (const { who, value } of requests) {
      if (who !== owner) continue;
      for (const [name, label] of Object.entries((value.labels ?? {}) as Record<string, string>))
        if (!pairs.has(name)) pairs.set(name, label);
    }
    for (const [name, label] of pairs) labels.add(`${name}=${label}`);
  }
  return [{ kind: "org", id: directory.org }, ...[...labels].sort().map((id) => ({ kind: "label" as const, id }))];
}

/** The largest verification of an API that the config lists: nobody else's word holds anything. */
function listedClaim(api: readonly Entry[], directory: Directory): ApiClaim | null {
  let best: ApiClaim | null = null;
  for (const { who, values } of ofType([...api], "api.verification_started")) {
    if (!directory.listedApis.has(who)) continue;
    for (const { value } of values) {
      const claim = { apiId: who, amount: BigInt(value.amount as string), payTo: value.payTo as string };
      if (best === null || claim.amount > best.amount || (claim.amount === best.amount && nameOf(claim) < nameOf(best)))
        best = claim;
    }
  }
  return best;
}

interface ApiClaim {
  readonly apiId: string;
  readonly amount: bigint;
  readonly payTo: string;
}

const nameOf = ({ apiId, payTo }: ApiClaim): string => `${apiId} ${payTo}`;
