/**
 * A facilitator's wallet whose next transaction does not come through, so that what it sends after it waits in the
 * mempool: until the gap is filled, or the node throws all of it away.
 */
import { type Hash, type HDAccount, parseEther, parseGwei } from "viem";
import { getTransactionCount, sendTransaction } from "viem/actions";
import type { SignedAuthorization } from "../authorization.ts";
import { mined } from "../dev-client.ts";
import type { Devnet } from "../devnet.ts";
import { submit } from "../settlement.ts";

export interface StuckRelayer {
  /** Sends a settlement. It waits. */
  send(signed: SignedAuthorization): Promise<Hash>;
  /** Sends the transaction that was missing, and waits until it is in a block: those behind it are in it too. */
  release(): Promise<void>;
  /** The node forgets what waits. */
  drop(): Promise<void>;
}

/** `index` is the devnet's account; nobody else may send with it. */
export async function openStuckRelayer({ client, account: accountAt }: Devnet, index: number): Promise<StuckRelayer> {
  const { nonceManager: _, ...account } = accountAt(index) as HDAccount & { nonceManager?: unknown };
  const { address } = account;
  await client.request({ method: "anvil_setBalance", params: [address, `0x${parseEther("10").toString(16)}`] });
  const missing = await getTransactionCount(client, { address });
  let next = missing + 1;
  return {
    send(signed) {
      const nonce = next;
      next += 1;
      return submit(client, account, [signed], { nonce });
    },
    async release() {
      const fees = { maxFeePerGas: parseGwei("2000"), maxPriorityFeePerGas: 1n };
      await mined(
        client,
        await sendTransaction(client, { account, to: address, gas: 30_000n, nonce: missing, ...fees }),
      );
    },
    async drop() {
      await client.request({ method: "anvil_removePoolTransactions", params: [address] });
    },
  };
}
