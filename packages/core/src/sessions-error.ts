/** What the port `Sessions` throws when AgentCore did not do what was asked, after its own bounded retries. */

/** `unavailable`: throttled, 5xx, no answer, or an answer that is none; `denied`: IAM; `invalid`: the request itself. */
export type SessionsFault = "unavailable" | "denied" | "invalid";

export class SessionsError extends Error {
  override readonly name = "SessionsError";
  readonly fault: SessionsFault;

  constructor(fault: SessionsFault, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.fault = fault;
  }
}
