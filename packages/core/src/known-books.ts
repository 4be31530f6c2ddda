/** Which counters exist, and which sessions signed what one of them counts: noted before the commit that moves them. */
import { parseCounter } from "./budgets.ts";
import { fingerprint } from "./canonical.ts";
import { type Effects, type ScopeKind, type SignedSession, sessionScope } from "./effects.ts";
import { hourOf, SESSION_HOURS_MAX } from "./hours.ts";
import type { Note } from "./notes.ts";
import { eachFact } from "./pages.ts";
import type { SessionKey, Store } from "./ports.ts";

/** Scopes that are made of the sessions that signed a payment of theirs. */
const SIGNED: ReadonlySet<ScopeKind> = new Set<ScopeKind>(["session", "wallet", "payee", "api", "label"]);

export const SCOPE_KINDS: readonly ScopeKind[] = ["org", "agent", "session", "wallet", "payee", "api", "label"];

/** What is noted of one payment's books: new counters, and who signed in which session what a counter counts. */
export function bookNotes(before: Effects, after: Effects, sessions: readonly SignedSession[], now: string): Note[] {
  const notes: Note[] = [];
  for (const counter of Object.keys(after)) {
    const { kind, scope, window, start } = parseCounter(counter);
    if (before[counter] === undefined) {
      const place = kind === "held" ? HELD : windowPlace(window ?? "", start);
      const put = { pk: counterPk(scope.kind), sk: `${place}${fingerprint(counter)}`, data: { counter } };
      notes.push({ name: `counter\n${counter}`, put });
    }
    if (!SIGNED.has(scope.kind)) continue;
    for (const { managerArn, sessionId, agentIds } of sessions) {
      const { id } = sessionScope({ managerArn, sessionId });
      if (scope.kind === "session" && scope.id !== id) continue;
      for (const agentId of agentIds) {
        const sk = `${hourOf(now)}#${fingerprint(`${id}\n${agentId}`)}`;
        const put = { pk: signersPk(counter), sk, data: { managerArn, sessionId, agentId } };
        notes.push({ name: `signer\n${counter}\n${id}\n${agentId}`, put });
      }
    }
  }
  return notes;
}

/** Counters of one kind of scope that were ever moved: those that hold, or those of one window, or all. */
export async function* knownCounters(
  store: Store,
  kind: ScopeKind,
  which: "held" | "all" | { readonly window: string; readonly start: string | null },
): AsyncGenerator<string> {
  const prefix = which === "held" ? HELD : which === "all" ? "" : windowPlace(which.window, which.start);
  for await (const { data } of eachFact(store, counterPk(kind), prefix)) yield (data as { counter: string }).counter;
}

/** Sessions in which what a counter counts was signed lately, each with the agents that signed. */
export async function signersOf(store: Store, counter: string, now: string): Promise<SignedSession[]> {
  const found = new Map<string, SignedSession>();
  for await (const { data } of eachFact(store, signersPk(counter), "", hourOf(now, -SESSION_HOURS_MAX))) {
    const { managerArn, sessionId, agentId } = data as unknown as SessionKey & { agentId: string };
    const { id } = sessionScope({ managerArn, sessionId });
    const agentIds = [...new Set([...(found.get(id)?.agentIds ?? []), agentId])].sort();
    found.set(id, { managerArn, sessionId, agentIds });
  }
  return [...found.values()];
}

/** Whether a scope's sessions are those that signed a payment of it. */
export const isOfSigners = (kind: ScopeKind): boolean => SIGNED.has(kind);

const HELD = "held#";
const counterPk = (kind: ScopeKind): string => `BOOKS#${kind}`;
const signersPk = (counter: string): string => `SGN#${counter}`;
const windowPlace = (window: string, start: string | null): string => `${start ?? "total"}#${window}#`;
