/** The chain's word on the payments of `producers.ts`: a function of the nonce, so that any telling is the same. */
import type { Event } from "@bursar/events/contract";
import type { Told } from "@bursar/events/envelope";
import type { Eip3009Key } from "@bursar/events/ids";
import { hashOf, type keyOf, PAY_TO } from "./producers.ts";

export function settledOf(payment: ReturnType<typeof keyOf> | Eip3009Key) {
  const n = Number(BigInt(payment.nonce) & 0xffffffffn);
  return {
    type: "chain.settled",
    id: `settled-${n}`,
    at: "2026-11-20T10:00:02.000Z",
    payment,
    txHash: hashOf(n),
    logIndex: 1,
    blockNumber: 1000 + n,
    blockHash: `0x${(n + 7).toString(16).padStart(64, "b")}`,
    payee: PAY_TO,
    amount: "10000",
    sharedBy: 1,
    seq: 1,
  };
}

export function toldOf(event: object): Told {
  return { source: { kind: "chain" }, event: event as Event };
}
