/** Signatures that do not become payments, or late: dropped, replaced, reverted, cancelled, expired. */
import type { Hex } from "viem";
import type { SignedAuthorization } from "../authorization.ts";
import { cancel, settle } from "../settlement.ts";
import type { Answer } from "./counter.ts";
import { idOf } from "./payment-ids.ts";
import { openStuckRelayer } from "./stuck-relayer.ts";
import type { TroubleKind } from "./trouble.ts";
import type { Yard } from "./yard.ts";

/** The devnet's accounts of the facilitators that lose transactions. */
const DROPPER = 40;
const REPLACER = 41;

/** So long may an authorization be settled that nobody should settle, and one that somebody means to settle late. */
const SHORT_SECONDS = 12;
const LONG_SECONDS = 600;

const BUSY: Answer = { success: false, txHash: null, reason: "facilitator_busy" };

/** One purchase at a counter that settles so, and then what is done with what was signed there. */
async function atCounter(
  yard: Yard,
  {
    settle: answer,
    authorizationSeconds,
  }: { settle(signed: SignedAuthorization): Promise<Answer>; authorizationSeconds: number },
  then: (signed: SignedAuthorization, id: string) => Promise<unknown> = async () => {},
): Promise<readonly string[]> {
  const counter = await yard.counter({ settle: answer, authorizationSeconds });
  try {
    await yard.buy("research", counter.url);
    const [signed] = counter.signed();
    if (signed === undefined) throw new Error("nothing was signed at the counter");
    await then(signed, idOf(signed));
    return [idOf(signed)];
  } finally {
    await counter.close();
  }
}

export const dropped: TroubleKind = {
  name: "dropped",
  words: "a facilitator's transaction falls out of the mempool, and nobody sends another",
  leads: { breaks: ["not_on_chain"], heals: false, state: "expired" },
  async produce(yard) {
    const relayer = await openStuckRelayer(yard.devnet, DROPPER);
    return atCounter(yard, {
      authorizationSeconds: SHORT_SECONDS,
      async settle(signed) {
        const txHash = await relayer.send(signed);
        await relayer.drop();
        return { success: false, txHash, reason: "transaction_timed_out" };
      },
    });
  },
};

export const replaced: TroubleKind = {
  name: "replaced",
  words: "a facilitator's transaction falls out of the mempool; another one comes late",
  leads: { breaks: ["not_on_chain"], heals: true },
  async produce(yard, say) {
    const { devnet } = yard;
    const relayer = await openStuckRelayer(devnet, REPLACER);
    return atCounter(
      yard,
      {
        authorizationSeconds: LONG_SECONDS,
        settle: async (signed) => ({ success: true, txHash: await relayer.send(signed) }),
      },
      async (signed, id) => {
        try {
          await yard.shown(id, "not_on_chain", yard.signal);
        } finally {
          await relayer.drop(); // else it would stand in the way of what this wallet sends next
        }
        say("another transaction settles the same signature");
        await settle(devnet.client, devnet.accounts.relayer2, [signed]);
      },
    );
  },
};

export const reverted: TroubleKind = {
  name: "reverted",
  words: "a facilitator garbles a signature, and its transaction reverts",
  leads: { breaks: ["reverted"], heals: true, before: "not_on_chain" },
  async produce(yard, say) {
    const { client, accounts } = yard.devnet;
    return atCounter(
      yard,
      {
        authorizationSeconds: LONG_SECONDS,
        async settle(signed) {
          const { transactionHash } = await settle(client, accounts.relayer2, [garbled(signed)]);
          return { success: true, txHash: transactionHash };
        },
      },
      async (signed, id) => {
        await yard.shown(id, "reverted", yard.signal);
        say("the facilitator sends the signature as it is");
        await settle(client, accounts.relayer2, [signed]);
      },
    );
  },
};

/** Its first half, which is the curve's r, another number. */
function garbled({ authorization, signature }: SignedAuthorization): SignedAuthorization {
  return { authorization, signature: `0x${"11".repeat(32)}${signature.slice(66)}` as Hex };
}

export const cancelledAfterDelivery: TroubleKind = {
  name: "cancelled_after_delivery",
  words: "a facilitator lets a report go before it settles, and research cancels its signature",
  leads: { breaks: ["delivered_not_paid"], heals: false, state: "cancelled" },
  produce: (yard) =>
    atCounter(
      yard,
      { authorizationSeconds: LONG_SECONDS, settle: async () => ({ success: true, txHash: null }) },
      (signed) => cancelled(yard, signed),
    ),
};

export const cancelledUnused: TroubleKind = {
  name: "cancelled_unused",
  words: "a facilitator is too busy to settle, and research cancels its signature",
  leads: { breaks: [], heals: false, state: "cancelled" },
  produce: (yard) =>
    atCounter(yard, { authorizationSeconds: LONG_SECONDS, settle: async () => BUSY }, (signed) =>
      cancelled(yard, signed),
    ),
};

export const expiredUnused: TroubleKind = {
  name: "expired_unused",
  words: `a facilitator is too busy to settle, and the signature is good for ${SHORT_SECONDS} s`,
  leads: { breaks: [], heals: false, state: "expired" },
  produce: (yard) => atCounter(yard, { authorizationSeconds: SHORT_SECONDS, settle: async () => BUSY }),
};

function cancelled({ devnet, account }: Yard, { authorization }: SignedAuthorization): Promise<unknown> {
  return cancel(devnet.client, devnet.accounts.relayer2, account("research"), authorization.nonce);
}
