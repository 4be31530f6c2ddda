/** Payments that a stop did not stop. */
import { MANAGER_ARN, SESSION_TERMS } from "../agents.ts";
import { settle } from "../settlement.ts";
import { idOf } from "./payment-ids.ts";
import type { TroubleKind } from "./trouble.ts";

/** A signature may cross its revocation for 5 s, and a busy machine writes down late that it has revoked. */
const CROSSED_MS = 12_000;
/** The block after a revocation is a second later for sure: blocks tell whole seconds. */
const NEXT_SECOND_MS = 2_000;
const STOP_SECONDS = 60;
/** x402's server waits for its facilitator no longer than 15 s. */
const REVOKED_SECONDS = 10;

export const signedAfterRevoke: TroubleKind = {
  name: "signed_after_revoke",
  words: "the gambler, whose session is revoked, goes on with a key of its own",
  leads: { breaks: ["signed_after_revoke"], heals: false },
  async produce(yard) {
    const { lastStop, until, pause, account, buyWithKey, urls } = yard;
    await until("the gambler's stop", STOP_SECONDS, () => lastStop("gambler") !== null);
    const { sessionId, at } = lastStop("gambler") as NonNullable<ReturnType<typeof lastStop>>;
    await pause(Math.max(0, at + CROSSED_MS - Date.now()));
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
    const { devnet, payers, lastStop, until, pause, isOpen } = yard;
    await until("the hydra's stop", STOP_SECONDS, () => lastStop("hydra") !== null);
    const session = await payers.hydra.openSession(SESSION_TERMS);
    const counter = await yard.counter({
      async settle(signed) {
        await until("the session's revocation", REVOKED_SECONDS, () => !isOpen(session));
        await pause(NEXT_SECOND_MS);
        const { transactionHash } = await settle(devnet.client, devnet.accounts.relayer2, [signed]);
        return { success: true, txHash: transactionHash };
      },
    });
    try {
      await yard.buy("hydra", counter.url, { sessions: { session: async () => session, refused() {} } });
      return counter.signed().map(idOf);
    } finally {
      await counter.close();
    }
  },
};
