/** The opt-in header by which an agent tells a paid API which request of whom this is: `<agentId>/<requestId>`. */
import { PRODUCER_ID } from "@bursar/events/source";
import { isIdentifier } from "@bursar/events/text";

/** Its name, as x402's hooks and Node spell headers. */
export const REQUEST_HEADER = "bursar-request";

/** What the header of a stranger says; an empty object where it says nothing usable. */
export function parseRequestHeader(value: unknown): { agentId?: string; requestId?: string } {
  if (typeof value !== "string") return {};
  const slash = value.indexOf("/");
  const agentId = value.slice(0, slash);
  const requestId = value.slice(slash + 1);
  return slash > 0 && PRODUCER_ID.test(agentId) && isIdentifier(requestId) ? { agentId, requestId } : {};
}
