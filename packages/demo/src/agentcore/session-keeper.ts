/** What an agent's app does about its payment session: opens one, pays with it, and opens another when it is over. */
import { ValidationException } from "@aws-sdk/client-bedrock-agentcore";
import type { SessionRef } from "@bursar/sdk";
import type { Payer, SessionTerms } from "./payer.ts";

export interface SessionKeeperOptions {
  readonly payer: Payer;
  readonly terms: SessionTerms;
  /** Milliseconds to wait after the `stops`th stop in a row, from 1, before a session is opened again. */
  readonly pauseMs: (stops: number) => number;
  /** Unix milliseconds. Default: the clock. */
  readonly now?: (() => number) | undefined;
  readonly onStop?: ((stop: Stop) => void) | undefined;
}

/** A session that AgentCore signs nothing for any more: deleted, expired or exhausted. */
export interface Stop {
  readonly sessionId: string;
  /** AgentCore's words. */
  readonly message: string;
  /** How many in a row, from 1. */
  readonly stops: number;
  readonly pauseMs: number;
}

export interface SessionKeeper {
  /**
   * The open session; a new one where there is none.
   * @throws {NoSessionError} while it waits after a stop
   */
  session(): Promise<SessionRef>;
  /** AgentCore refused to sign under `session`. Throttles and faults are no stop. */
  refused(session: SessionRef, error: unknown): void;
  /** Milliseconds until a session may be opened; 0 where there is one, or it may be now. */
  waitMs(): number;
  /** Stops in a row. */
  stops(): number;
}

/** A session that lasted so long was a good one, and its end starts the count of stops over. */
const GOOD_MS = 60_000;

/** AgentCore tells its refusals apart by message text alone. */
const OVER = /session not found|expired|budget|insufficient/i;

export function createSessionKeeper({
  payer,
  terms,
  pauseMs,
  now = Date.now,
  onStop,
}: SessionKeeperOptions): SessionKeeper {
  let current: { readonly ref: SessionRef; readonly openedAt: number } | null = null;
  let opening: Promise<SessionRef> | null = null;
  let stops = 0;
  let closedUntil = 0;

  const waitMs = () => (current === null ? Math.max(0, closedUntil - now()) : 0);

  async function open(): Promise<SessionRef> {
    const ref = await payer.openSession(terms);
    current = { ref, openedAt: now() };
    return ref;
  }

  return {
    async session() {
      if (current !== null) return current.ref;
      const wait = waitMs();
      if (wait > 0) throw new NoSessionError(payer.userId, wait);
      opening ??= open().finally(() => {
        opening = null;
      });
      return opening;
    },

    refused(session, error) {
      if (!(error instanceof ValidationException) || !OVER.test(error.message)) return;
      // Others that were under way with the same session come here too, and later.
      if (current === null || current.ref.sessionId !== session.sessionId) return;
      stops = now() - current.openedAt >= GOOD_MS ? 1 : stops + 1;
      current = null;
      const pause = pauseMs(stops);
      closedUntil = now() + pause;
      onStop?.({ sessionId: session.sessionId, message: error.message, stops, pauseMs: pause });
    },

    waitMs,
    stops: () => stops,
  };
}

/** There is no session to pay with yet: nothing was asked for and nothing was signed. */
export class NoSessionError extends Error {
  override readonly name = "NoSessionError";

  constructor(userId: string, waitMs: number) {
    super(`${userId} has no payment session, and opens one in ${(waitMs / 1000).toFixed(1)} s`);
  }
}
