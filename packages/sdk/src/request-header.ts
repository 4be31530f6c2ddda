/** The opt-in header by which an agent tells a paid API which request of whom this is: `<agentId>/<requestId>`. */

/** Its name, as x402's hooks and Node spell headers. */
export const REQUEST_HEADER = "bursar-request";
