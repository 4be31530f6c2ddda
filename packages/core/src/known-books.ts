/** Which counters exist, and which sessions signed what one of them counts: noted before the commit that moves them. */
import { parseCounter } from "./budgets.ts";
import { fingerprint } from "./canonical.ts";
import { type Effects, type ScopeKind, sessionScope } from "./effects.ts";
import { hourOf, SESSION_HOURS_MAX } from "./hours.ts";
import type { Note } from "./notes.ts";
import { eachFact } from "./pages.ts";
import type { SessionKey, Store } from "./ports.ts";

/** Scopes that are made of the sessions that signed a payment of theirs. */
const SIGNED: ReadonlySet<ScopeKind> = new Set<ScopeKind>(["wallet", "payee", "api", "label"]);

export const SCOPE_KINDS: readonly ScopeKind[] = ["org", "agent", "session", "wallet", "payee", "api", "label"];

/** What is noted of one payment's books: new counters, and its sessions on each counter that is made of signers. */
export function bookNotes(before: Effects, after: Effects, sessions: readonly SessionKey[], now: string): Note[] {
  const notes: Note[] = [];
  for (const counter of Object.keys(after)) {
    const { kind, scope, window, start } = parseCounter(counter);
    if (before[counter] === undefined) {
      const place = kind === "held" ? HELD : windowPlace(window ?? "", start);
      const put = { pk: counterPk(scope.kind), sk: `${place}${fingerprint(counter)}`, data: { counter } };
      notes.push({ name: `counter ${counter}`, put });
    }
    if (!SIGNED.has(scope.kind)) continue;
    for (const session of sessions) {
      const { id } = sessionScope(session);
      const { managerArn, sessionId } = session;
      const put = {
        pk: signersPk(counter),
        sk: `${hourOf(now)}#${fingerprint(id)}`,
        data: { managerArn, sessionId },
      };
      notes.push({ name: `signer ${counter} ${id}`, put });
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

/** Sessions that signed what the counters count and may still be open at `now`. */
export async function signersOf(store: Store, counters: readonly string[], now: string): Promise<SessionKey[]> {
  const found = new Map<string, SessionKey>();
  for (const counter of counters) {
    for await (const { data } of eachFact(store, signersPk(counter), "", hourOf(now, -SESSION_HOURS_MAX))) {
      const session = data as unknown as SessionKey;
      found.set(sessionScope(session).id, session);
    }
  }
  return [...found.values()];
}

/** Whether a scope's sessions are those that signed a payment of it. */
export const isOfSigners = (kind: ScopeKind): boolean => SIGNED.has(kind);

const HELD = "held#";
const counterPk = (kind: ScopeKind): string => `BOOKS#${kind}`;
const signersPk = (counter: string): string => `SGN#${counter}`;
const windowPlace = (window: string, start: string | null): string => `${start ?? "total"}#${window}#`;
