/** What the chain does to everybody: blocks that are taken back, and gas that is dear for a while. */
import { type Hash, numberToHex, parseGwei } from "viem";
import { getTransactionReceipt } from "viem/actions";
import { settle } from "../settlement.ts";
import { isUsed } from "../usdc.ts";
import { idOf } from "./payment-ids.ts";
import { openStuckRelayer } from "./stuck-relayer.ts";
import type { TroubleKind } from "./trouble.ts";
import type { Yard } from "./yard.ts";

/** Empty blocks made first, so that a reorg reaches nothing but what was settled since: nobody makes a mint again. */
const SPARE_BLOCKS = 30;
const TRIES = 5;

export const reorg: TroubleKind = {
  name: "reorg",
  words: "a reorg is to take back what was settled last; the facilitator settles it again",
  leads: { breaks: [], heals: true },
  alone: true,
  async produce(yard, say) {
    for (let tries = 0; tries < TRIES; tries++) {
      const payments = await settledAndTakenBack(yard, say);
      if (payments !== null) return payments;
    }
    throw new Error(`no settlement was seen within ${SPARE_BLOCKS} blocks`);
  },
};

/** Null where the settlement was seen so late that more than the spare blocks would have to go. */
async function settledAndTakenBack(yard: Yard, say: (words: string) => void): Promise<readonly string[] | null> {
  const { devnet, buy, urls, facilitator, shown, signal } = yard;
  const { client, accounts } = devnet;
  await devnet.mine(SPARE_BLOCKS);
  const { payments, txHash } = await buy("writer", `${urls.reports}/reports/brief?quarter=2026-q1`);
  await Promise.all(payments.map((id) => shown(id, "settled", signal)));
  let isGone = false;
  await facilitator.pause(async (settled) => {
    const { blockNumber } = await getTransactionReceipt(client, { hash: txHash as Hash });
    const depth = (await devnet.blockNumber()) - Number(blockNumber) + 1;
    if (depth > SPARE_BLOCKS) return;
    say(`the chain takes ${depth} blocks back`);
    await devnet.reorg(depth);
    isGone = true;
    for (const signed of settled) {
      const { from, nonce } = signed.authorization;
      if (!(await isUsed(client, from, nonce))) await settle(client, accounts.relayer, [signed]);
    }
  });
  return isGone ? payments : null;
}

/** The devnet's account of the facilitator that bids little. */
const THRIFTY = 42;
const SPIKE = parseGwei("100");
const CALM = parseGwei("0.01"); // Arbitrum's own
/** A block comes every 250 ms, and one later the fee falls by an eighth. */
const AGAIN_MS = 100;
const PAYMENTS = 3;
const AUTHORIZATION_SECONDS = 600;

export const gasSpike: TroubleKind = {
  name: "gas_spike",
  words: `gas is dear for a while: ${PAYMENTS} settlements wait behind one that bid too little`,
  leads: { breaks: ["not_on_chain"], heals: true },
  async produce(yard, say) {
    const { devnet, buy, shown, signal } = yard;
    const price = (fee: bigint) =>
      devnet.client.request({ method: "anvil_setNextBlockBaseFeePerGas", params: [numberToHex(fee)] });
    const relayer = await openStuckRelayer(devnet, THRIFTY);
    const counter = await yard.counter({
      authorizationSeconds: AUTHORIZATION_SECONDS,
      settle: async (signed) => ({ success: true, txHash: await relayer.send(signed) }),
    });
    const holding = setInterval(() => void price(SPIKE).catch(() => {}), AGAIN_MS);
    try {
      for (let n = 0; n < PAYMENTS; n++) await buy("trader", counter.url);
      const ids = counter.signed().map(idOf);
      await Promise.all(ids.map((id) => shown(id, "not_on_chain", signal)));
      say("gas is cheap again, and what waited in the mempool goes through");
      return ids;
    } finally {
      clearInterval(holding);
      await price(CALM).catch(() => {});
      await relayer.release().catch(() => {}); // where the chain has ended, nothing waits any more
      await counter.close();
    }
  },
};
