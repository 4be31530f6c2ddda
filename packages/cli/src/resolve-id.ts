/** Which payment a person means: by any unambiguous beginning of its id, its nonce or one of its hashes. */
import type { Payment } from "@bursar/events/shapes";
import { eachPage, type Reader } from "./reader.ts";

export type Resolved =
  | { readonly kind: "one"; readonly payment: Payment }
  | { readonly kind: "many"; readonly payments: readonly Payment[] }
  | { readonly kind: "none" };

/** Candidates that are kept to be shown. */
export const MANY_MAX = 20;

/** `wanted` may be written as the feed writes it: `0x3619…28ce`, `0x3619..28ce`, `research/req-17`. */
export async function resolveId(reader: Reader, wanted: string): Promise<Resolved> {
  const exact = await reader.payment(wanted);
  if (exact !== null) return { kind: "one", payment: exact };
  const matches = matcher(wanted);
  const found: Payment[] = [];
  for await (const { payments } of eachPage(reader, {})) {
    for (const payment of payments) if (matches(payment) && found.length < MANY_MAX) found.push(payment);
  }
  const [only] = found;
  if (only === undefined) return { kind: "none" };
  return found.length === 1 ? { kind: "one", payment: only } : { kind: "many", payments: found };
}

/** Whether a payment has a name that starts (and, where an end is given, ends) so. */
export function matcher(wanted: string): (payment: Payment) => boolean {
  const [start = "", end = ""] = wanted.split(/…|\.{2,3}/);
  const [head, tail] = [start.toLowerCase(), end.toLowerCase()];
  const fits = (name: string): boolean => {
    const lower = name.toLowerCase();
    return lower.startsWith(head) && lower.endsWith(tail) && lower.length >= head.length + tail.length;
  };
  return (payment) => head.length + tail.length > 0 && namesOf(payment).some(fits);
}

function namesOf({ id, txHashes, requestId, agentId }: Payment): string[] {
  const names = [id, ...txHashes];
  const parts = id.split(":");
  if (parts[0] === "eip3009") names.push(parts[4] ?? "");
  if (requestId !== null) names.push(requestId, `${agentId ?? ""}/${requestId}`);
  return names;
}
