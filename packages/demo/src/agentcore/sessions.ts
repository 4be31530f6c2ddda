/** Payment sessions: a cap, an expiry, a user; what is left of the cap; and hard deletion. */
import { randomBytes } from "node:crypto";
import { formatUsd, parseUsd } from "@bursar/events/money";
import { invalid, invalidField, notFound, Refusal } from "./errors.ts";
import { type Fields, fieldsOf, type Input, integerOf, managerArn, oneOf, sessionId, textOf } from "./input.ts";
import { pageOf } from "./paging.ts";

/** A session as this plane keeps it. Amounts are atomic units of USDC, times unix milliseconds. */
export interface Session {
  readonly sessionId: string;
  readonly managerArn: string;
  /** "" where it was opened for nobody. */
  readonly userId: string;
  readonly expiryMinutes: number;
  /** Null: without a cap. */
  readonly limit: bigint | null;
  /** What was signed for under it so far. Never above the limit. */
  readonly spent: bigint;
  readonly createdAt: number;
  readonly updatedAt: number;
  readonly ordinal: number;
}

export interface Sessions {
  create(input: Input): Session;
  /** @throws {Refusal} ResourceNotFoundException for another's session, another manager's, a deleted one, or none */
  get(input: Input): Session;
  list(input: Input): { readonly page: readonly Session[]; readonly nextToken?: string };
  delete(input: Input): void;
  /**
   * Takes `amount` out of the session, at once: between the look and the taking nobody else gets a turn.
   * @throws {Refusal} ValidationException, by its message: session not found, expired, insufficient budget
   */
  take(input: Input, amount: bigint): { readonly session: Session; giveBack(): void };
  all(): readonly Session[];
}

export const EXPIRY_MINUTES = { least: 15, most: 480 } as const;

const SESSIONS_MAX = 10_000;

export function createSessions(now: () => number): Sessions {
  const open = new Map<string, Session>();
  const keyOf = (manager: string, id: string) => `${manager} ${id}`;
  let made = 0;

  /** A session is found by its own manager and its own user only; a call without a user finds what has none. */
  function find({ userId, body }: Input): Session | undefined {
    const session = open.get(keyOf(managerArn(body), sessionId(body)));
    return session?.userId === userId ? session : undefined;
  }

  function found(input: Input): Session {
    const session = find(input);
    if (session === undefined) throw notFound("Payment session", sessionId(input.body));
    return session;
  }

  const keep = (session: Session) => {
    open.set(keyOf(session.managerArn, session.sessionId), session);
    return session;
  };

  return {
    create({ userId, body }) {
      const { least, most } = EXPIRY_MINUTES;
      const expiryMinutes = integerOf(body, "expiryTimeInMinutes", least, most);
      const limit = body.limits === undefined || body.limits === null ? null : limitOf(fieldsOf(body.limits, "limits"));
      const manager = managerArn(body);
      if (open.size >= SESSIONS_MAX)
        throw new Refusal("ServiceQuotaExceededException", `There are ${SESSIONS_MAX} payment sessions: delete some`);
      const at = now();
      made += 1;
      return keep({
        sessionId: `payment-session-${letters()}`,
        managerArn: manager,
        userId,
        expiryMinutes,
        limit,
        spent: 0n,
        createdAt: at,
        updatedAt: at,
        ordinal: made,
      });
    },

    get: found,

    list({ userId, body }) {
      const manager = managerArn(body);
      return pageOf(
        [...open.values()].filter((session) => session.managerArn === manager && session.userId === userId),
        body,
      );
    },

    delete(input) {
      const { managerArn: manager, sessionId: id } = found(input);
      open.delete(keyOf(manager, id));
    },

    take(input, amount) {
      const session = find(input);
      if (session === undefined) throw invalid(`Payment session not found: ${sessionId(input.body)}`);
      if (now() >= expiresAt(session)) throw invalid(`Payment session has expired: ${session.sessionId}`);
      const left = availableOf(session);
      if (left !== null && amount > left)
        throw invalid(
          `Insufficient budget in payment session ${session.sessionId}: the payment is ${formatUsd(amount)} USD and ${formatUsd(left)} USD are available`,
        );
      keep({ ...session, spent: session.spent + amount, updatedAt: now() });
      return {
        session,
        giveBack() {
          const current = open.get(keyOf(session.managerArn, session.sessionId));
          if (current !== undefined) keep({ ...current, spent: current.spent - amount });
        },
      };
    },

    all: () => [...open.values()],
  };
}

/** What the session would still sign for; null without a cap. */
export function availableOf({ limit, spent }: Session): bigint | null {
  return limit === null ? null : limit - spent;
}

export function expiresAt({ createdAt, expiryMinutes }: Session): number {
  return createdAt + expiryMinutes * 60_000;
}

/** AWS's PaymentSessionSummary: without limits. */
export function summaryOf(session: Session): object {
  return {
    paymentSessionId: session.sessionId,
    paymentManagerArn: session.managerArn,
    userId: session.userId,
    expiryTimeInMinutes: session.expiryMinutes,
    createdAt: new Date(session.createdAt).toISOString(),
    updatedAt: new Date(session.updatedAt).toISOString(),
  };
}

/** AWS's PaymentSession: limits and what is available only where there is a cap. */
export function shownSession(session: Session): object {
  const { limit } = session;
  const available = availableOf(session);
  if (limit === null || available === null) return summaryOf(session);
  const usd = (amount: bigint) => ({ value: formatUsd(amount), currency: "USD" });
  return {
    ...summaryOf(session),
    limits: { maxSpendAmount: usd(limit) },
    availableLimits: {
      availableSpendAmount: usd(available),
      updatedAt: new Date(session.updatedAt).toISOString(),
    },
  };
}

/** Fifteen letters and digits, as AWS's ids end. */
export function letters(): string {
  return Array.from(randomBytes(15), (byte) => "0123456789abcdefghijklmnopqrstuv"[byte % 32]).join("");
}

function limitOf(limits: Fields): bigint {
  const amount = fieldsOf(limits.maxSpendAmount, "limits.maxSpendAmount");
  oneOf(amount, "currency", ["USD"]);
  const value = textOf(amount, "value");
  try {
    return parseUsd(value);
  } catch {
    throw invalidField("limits.maxSpendAmount.value", value, "Member must be a decimal amount");
  }
}
