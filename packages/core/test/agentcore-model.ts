/** A model of AgentCore's sessions behind the port: who opened what, and every deletion that really deleted. */
import type { SessionKey, SessionReading, Sessions } from "../src/ports.ts";

export interface AgentCoreModel {
  readonly sessions: Sessions;
  open(session: SessionKey & { readonly userId: string }, limit?: bigint): void;
  /** What AgentCore would still sign for. */
  use(session: SessionKey, amount: bigint): void;
  /** Gives a user a wallet. */
  keep(userId: string, address: string): void;
  isOpen(session: SessionKey): boolean;
  /** Session ids, in the order in which they were deleted. */
  readonly deleted: string[];
  /** Calls that found nothing to delete. */
  readonly missed: string[];
}

const CREATED = "2026-11-20T09:00:00.000Z";
const EXPIRES = "2026-11-20T17:00:00.000Z";

export function agentCoreModel(pause: (step: string) => Promise<void> = async () => {}): AgentCoreModel {
  const open = new Map<string, SessionReading>();
  const wallets = new Map<string, string[]>();
  const deleted: string[] = [];
  const missed: string[] = [];
  const name = ({ managerArn, sessionId }: SessionKey) => `${managerArn}\n${sessionId}`;
  const own = (session: SessionKey, userId: string | null) => {
    const found = open.get(name(session));
    return found !== undefined && found.userId === userId ? found : null;
  };
  return {
    deleted,
    missed,
    isOpen: (session) => open.has(name(session)),
    open({ managerArn, sessionId, userId }, limit) {
      const cap = limit ?? null;
      const times = { createdAt: CREATED, expiresAt: EXPIRES };
      open.set(name({ managerArn, sessionId }), {
        managerArn,
        sessionId,
        userId,
        ...times,
        limit: cap,
        available: cap,
      });
    },
    keep: (userId, address) => void wallets.set(userId, [...(wallets.get(userId) ?? []), address]),
    use(session, amount) {
      const found = open.get(name(session));
      if (found?.available != null) open.set(name(session), { ...found, available: found.available - amount });
    },
    sessions: {
      async delete(session, userId) {
        await pause("delete");
        if (own(session, userId) === null) {
          missed.push(session.sessionId);
          return { outcome: "not_found" };
        }
        open.delete(name(session));
        deleted.push(session.sessionId);
        return { outcome: "deleted" };
      },
      async list(managerArn, userId) {
        await pause("list");
        const items = [...open.values()].filter((one) => one.managerArn === managerArn && one.userId === userId);
        return { items, next: null };
      },
      async get(session, userId) {
        await pause("read");
        return own(session, userId);
      },
      async instruments(_managerArn, userId) {
        const own = (wallets.get(userId) ?? []).map((address, i) => ({
          instrumentId: `${userId}-${i}`,
          userId,
          address,
        }));
        return { items: own, next: null };
      },
    },
  };
}
