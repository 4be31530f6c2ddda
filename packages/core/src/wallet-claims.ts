/** Claims of wallets that nobody registered: an agent makes one by signing with the wallet. */
import { parsePaymentId } from "@bursar/events/ids";
import type { Directory } from "./directory.ts";
import type { Fact } from "./fact.ts";
import { aliasPk } from "./items.ts";
import type { Put, Store } from "./ports.ts";

export interface WalletClaim {
  /** The wallet's alias. */
  readonly alias: string;
  /** The speaker who signed with it. */
  readonly by: string;
  /** The place in the batch of the event that made it. */
  readonly teller: number;
}

/** The wallet that a signing claims: nobody's in the config, signed for by an agent without configured wallets. */
export function claimedWallet(fact: Fact, paymentId: string, directory: Directory): string | null {
  if (fact.type !== "agent.authorization_signed" || directory.settledAgents.has(fact.by.slice("agent:".length)))
    return null;
  const key = parsePaymentId(paymentId);
  return key?.method === "eip3009" && !directory.walletOwner.has(key.payer) ? key.payer : null;
}

/** The fact of a claim. When it was made, and by which payment, is nothing to the wallet: it is one fact for ever. */
export function claimFact(by: string): Fact {
  return { by, type: "wallet.claimed", at: "1970-01-01T00:00:00.000Z", value: {} };
}

/** Those claims of which not every payment of the wallet is known to have learned. */
export async function untoldClaims(store: Store, claims: readonly WalletClaim[]): Promise<readonly WalletClaim[]> {
  if (claims.length === 0) return [];
  const names = [...new Map(claims.map((claim) => [`${claim.alias} ${claim.by}`, claim])).entries()];
  const told = await store.get(names.map(([, claim]) => claimToldPut(claim)));
  const untold = new Set(names.filter((_, i) => told[i] === undefined).map(([name]) => name));
  return claims.filter((claim) => untold.has(`${claim.alias} ${claim.by}`));
}

/** Notes that every payment of the wallet has learned of the claim. */
export function claimToldPut({ alias, by }: WalletClaim): Put {
  return { pk: aliasPk(alias), sk: `C#${by}`, data: {} };
}
