/** Payments that a stop did not stop. */
import type { Stop } from "../agentcore/session-keeper.ts";
import { MANAGER_ARN, SESSION_TERMS } from "../agents.ts";
import { settle } from "../settlement.ts";
import { idOf } from "./payment-ids.ts";
import type { TroubleKind } from "./trouble.ts";

/** A signature may cross its revocation on the way for 5 s: later than that is later. */
const CROSSED_MS = 7_000;
/** A block that comes so much later than a revocation says so: blocks tell whole seconds, and may be one behind. */
const NEXT_SECOND_MS = 3_000;
const STOP_SECONDS = 120;
const TERM_SECONDS = 600;

export const signedAfterRevoke: TroubleKind = {
  name: "signed_after_revoke",
  words: "the gambler, whose session is revoked, goes on with a key of its own",
  leads: { breaks: ["signed_after_revoke"], heals: false },
  async produce({ lastStop, until, shown, signal, pause, account, buyWithKey, urls }) {
    await until("the gambler's stop", STOP_SECONDS, () => lastStop("gambler") !== null);
    const { sessionId } = lastStop("gambler") as Stop;
    await shown(sessionId, "revoked", signal);
    await pause(CROSSED_MS);
    const session = { managerArn: MANAGER_ARN, sessionId, userId: "gambler" };
    const url = `${urls.reports}/reports/brief?quarter=2026-q3`;
    return (await buyWithKey(account("gambler"), { agent: "gambler" }, url, { session })).payments;
  },
};

export const settledAfterRevoke: TroubleKind = {
  name: "settled_after_revoke",
  words: "a slow facilitator settles what the hydra signed in a session that is revoked by then",
  leads: { breaks: ["settled_after_revoke"], heals: false },
  async produce(yard) {
    const { devnet, payers, lastStop, until, shown, signal, pause, isOpen } = yard;
    await until("the hydra's stop", STOP_SECONDS, () => lastStop("hydra") !== null);
    const session = await payers.hydra.openSession(SESSION_TERMS);
    const counter = await yard.counter({
      authorizationSeconds: TERM_SECONDS,
      settle: async () => ({ success: true, txHash: null }), // it settles when it comes to it
    });
    try {
      await yard.buy("hydra", counter.url, { sessions: { session: async () => session, refused() {} } });
      await until("the session's revocation", STOP_SECONDS, () => !isOpen(session));
      await shown(session.sessionId, "revoked", signal);
      await pause(NEXT_SECOND_MS);
      await settle(devnet.client, devnet.accounts.relayer2, counter.signed());
      return counter.signed().map(idOf);
    } finally {
      await counter.close();
    }
  },
};
