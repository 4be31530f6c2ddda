/** What agents say that a human should hear of, though no budget asks for it: read from events as they come. */
import type { EventOf } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import { displayUsd } from "@bursar/events/money";
import type { Cause } from "./alerts.ts";
import type { GovernWorld } from "./govern-world.ts";
import { type HeldBalance, signedWith } from "./known-balances.ts";
import { freezeOf, isWatched } from "./stops.ts";
import { windowOf } from "./windows.ts";

/** Seconds that an authorization may live beyond its offer's maxTimeoutSeconds: clocks differ. */
const SLACK_S = 60n;

/** Causes that lie in single events. One alert for an agent, or a wallet, and a day, with samples. */
export function saidCauses(
  told: readonly Told[],
  { limits, stops, directory }: GovernWorld,
  now: string,
  held: ReadonlyMap<string, HeldBalance> = new Map(),
): Cause[] {
  const causes: Cause[] = [];
  for (const one of told) {
    const { source, event } = one;
    if (source.kind !== "agent") continue;
    const about = (rule: string, sample: string): Cause => ({
      rule,
      subject: `agent:${source.id}`,
      severity: "warning",
      sample,
    });
    if (event.type === "agent.payment_failed") {
      const { reason, message } = event as EventOf<"agent.payment_failed">;
      // Whom Bursar has stopped it need not tell of, and least of all how to go on.
      const isStopped = freezeOf(stops, source.id) !== null || isWatched(stops, source.id, now);
      if (reason === "session_expired" && !isStopped)
        causes.push(
          about(
            "session_expired",
            `payments fail because the session is over: "${message}". Open a new one: CreatePaymentSession`,
          ),
        );
    }
    if (event.type !== "agent.authorization_signed") continue;
    const { amount, accepted, validBefore, at, payment } = event as EventOf<"agent.authorization_signed">;
    const nonce = payment.method === "eip3009" ? payment.nonce : payment.txHash;
    if (BigInt(amount) > limits.maxPaymentUsd)
      causes.push(
        about(
          "large_payment",
          `${displayUsd(BigInt(amount))} signed in one payment (${nonce}): limits.maxPaymentUsd is ${displayUsd(limits.maxPaymentUsd)}`,
        ),
      );
    const wallet = signedWith(one, directory.chainId, directory.asset);
    const balance = wallet === null ? undefined : held.get(wallet);
    // Only its owner's word is about a wallet; one that nobody owns for sure is whose who signs with it.
    const isOwn = wallet !== null && (directory.walletOwner.get(wallet) ?? source.id) === source.id;
    if (isOwn && balance !== undefined && BigInt(amount) > balance.balance)
      causes.push({
        rule: "claim_above_balance",
        subject: `wallet:${wallet}`,
        severity: "warning",
        sample: `${source.id} signed ${displayUsd(BigInt(amount))} with wallet ${wallet}, which held ${displayUsd(balance.balance)} at ${balance.readAt}: it cannot settle before the wallet is refilled. Send it USDC, or stop its agent from signing (nonce ${nonce})`,
        until: windowOf("day", now).end,
      });
    if (accepted === undefined) continue;
    const seconds = BigInt(validBefore) - BigInt(Math.floor(Date.parse(at) / 1000));
    const needed = BigInt(accepted.maxTimeoutSeconds);
    if (seconds > needed + SLACK_S)
      causes.push(
        about(
          "long_authorization",
          `an authorization (${nonce}) can be settled for ${seconds} s, and its offer needs ${needed} s: a revocation does not recall it`,
        ),
      );
  }
  return causes;
}
