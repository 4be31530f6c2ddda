/** Whom a budget's stop reaches: the open sessions and the agents of a scope, from consistent reads. */
import { heldCounter, readCounters, spentCounter } from "./counters.ts";
import { type ScopeRef, type SignedSession, scopeName, sessionScope } from "./effects.ts";
import type { GovernWorld } from "./govern-world.ts";
import type { Figure, OpenSession } from "./judge.ts";
import { isOfSigners, signersOf } from "./known-books.ts";
import { agentsOf, isStoppedWith } from "./members.ts";
import { notedAgents } from "./notes.ts";
import type { Store } from "./ports.ts";
import {
  agentsOfSession,
  asOpen,
  EVERYONE,
  isOpen,
  type KeptSession,
  keptSessions,
  recentSessions,
} from "./session-registry.ts";

export interface Members {
  readonly sessions: readonly OpenSession[];
  readonly agentIds: readonly string[];
  /** Whether a session of the scope is open, or was stopped lately: else there is nobody whom a stop could reach. */
  readonly known: boolean;
}

/** The members of a scope at `now`. `seen` are sessions of the moment: they are looked at, whatever bounds there are. */
export async function membersOf(
  store: Store,
  { directory }: GovernWorld,
  { scope, policy, start }: Omit<Figure, "amount">,
  seen: readonly KeptSession[],
  now: string,
): Promise<Members> {
  const isOrg = scope.kind === "org";
  const everyone = isOrg ? await notedAgents(store) : [];
  const agents = agentsOf(scope, directory, everyone);
  const recent = agents === null ? [] : await recentSessions(store, isOrg ? EVERYONE : agents, now);
  const own = agents === null ? [] : [...seen, ...recent];
  const isOf = (one: KeptSession): boolean =>
    isOrg ? agentsOfSession(one).length > 0 : agents !== null && isStoppedWith(asOpen(one), agents);
  const signed = isOfSigners(scope.kind) ? await signedIn(store, scope, policy.window, start, now) : [];
  const signers = new Map(signed.map((one) => [sessionScope(one).id, one.agentIds]));
  const kept = (await keptSessions(store, signed)).filter((one) =>
    // Named by another too, it is the other's as well, and stays open.
    isStoppedWith(asOpen(one), new Set(signers.get(sessionScope(one).id))),
  );
  const all = new Map([...own.filter(isOf), ...kept].map((one) => [sessionScope(one).id, one]));
  const members = [...all.values()];
  const named = isOrg ? members.flatMap(agentsOfSession) : [];
  return {
    sessions: members.filter((one) => isOpen(one, now)).map(asOpen),
    agentIds: [...new Set([...(agents ?? []), ...named, ...signed.flatMap(({ agentIds }) => agentIds)])].sort(),
    known: members.some((one) => isOpen(one, now) || isLately(one.revokedAt, now)),
  };
}

/** What was signed before a stop moves the figure for some time after it. */
const LATELY_MS = 600_000;

function isLately(at: string | null, now: string): boolean {
  return at !== null && Date.parse(now) - Date.parse(at) < LATELY_MS;
}

/** Who signed what the scope has spent in the window, or still holds. */
async function signedIn(
  store: Store,
  scope: ScopeRef,
  window: string,
  start: string | null,
  now: string,
): Promise<SignedSession[]> {
  const name = scopeName(scope);
  const spent = await signersOf(store, spentCounter(name, window, start), now);
  const held = await signersOf(store, heldCounter(name), now);
  // What was held once stays noted: it counts while its session holds something.
  const amounts = await readCounters(
    store,
    held.map((one) => heldCounter(scopeName(sessionScope(one)))),
  );
  const found = new Map<string, SignedSession>();
  for (const one of [...spent, ...held.filter((_, i) => (amounts[i] ?? 0n) > 0n)]) {
    const { id } = sessionScope(one);
    const agentIds = [...new Set([...(found.get(id)?.agentIds ?? []), ...one.agentIds])].sort();
    found.set(id, { ...one, agentIds });
  }
  return [...found.values()];
}
