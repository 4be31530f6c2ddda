/** What was asked of AgentCore, and how to say that it was not done. */
import { SessionsError, type SessionsFault } from "@bursar/core/sessions-error";
import { clean } from "@bursar/events/text";
import type { Failure } from "./failure.ts";
import { MANAGER_ARN_SHAPE, regionOf } from "./manager-arn.ts";

export interface Request {
  /** Also the IAM action, after `bedrock-agentcore:`. */
  readonly operation:
    | "DeletePaymentSession"
    | "GetPaymentSession"
    | "ListPaymentSessions"
    | "ListPaymentInstruments"
    | "GetPaymentInstrument";
  readonly managerArn: string;
  /** Null where AgentCore is not told whose it is. */
  readonly userId: string | null;
  /** The session or instrument; null for a list. */
  readonly id: string | null;
}

const SESSION_ACTIONS = ["GetPaymentSession", "ListPaymentSessions", "DeletePaymentSession"];
const INSTRUMENT_ACTIONS = ["GetPaymentInstrument", "ListPaymentInstruments"];

/** HTTP takes off spaces at the ends, and other characters arrive as others or not at all. */
const HEADER_TEXT = /^[!-~](?:[ -~]*[!-~])?$/;

/** Why AgentCore cannot even be asked; null where it can. */
export function objection({ managerArn, userId }: Request): Failure | null {
  const unasked = (reason: string): Failure => ({ kind: "unasked", reason, retryAfterMs: null });
  if (regionOf(managerArn) === null) {
    return unasked(`"${clean(managerArn, 160)}" is no ARN of a payment manager: write ${MANAGER_ARN_SHAPE}`);
  }
  // It travels in a header; a name that changes on the way is another user's.
  if (userId !== null && !HEADER_TEXT.test(userId)) {
    return unasked(
      `user id "${clean(userId, 120)}" cannot stand in a header: use printable ASCII, no spaces at its ends`,
    );
  }
  return null;
}

/** A failure in full: operation, thing, what to do, and last, since others may cut it, what AWS said. */
export function messageOf(request: Request, { kind, reason }: Failure, attemptsMax: number): string {
  const { operation, managerArn, userId, id } = request;
  const manager = clean(managerArn, 160);
  const what = `${operation}${id === null ? "" : ` ${clean(id, 80)}`}${userId === null ? "" : ` for user ${clean(userId, 120)}`}`;
  const where = `${what} at ${manager}`;
  switch (kind) {
    case "unasked":
      return `${what}: ${reason}`;
    case "again":
      return `${where}: no usable answer in ${attemptsMax} attempts, try again later. Last: ${reason}`;
    case "denied": {
      const actions = operation.includes("Instrument") ? INSTRUMENT_ACTIONS : SESSION_ACTIONS;
      const list = [operation, ...actions.filter((action) => action !== operation)].join(", ");
      return `${where}: denied. Check the credentials; allow bedrock-agentcore:${list} on that ARN. AWS: ${reason}`;
    }
    case "not_found":
      return `${where}: there is none. Check the ARN and the id. AWS: ${reason}`;
    case "invalid":
      return `${where}: refused as it is. Check the ARN, the id and the user. AWS: ${reason}`;
  }
}

/** The failure as the port throws it. */
export function errorOf(request: Request, failure: Failure, attemptsMax: number): SessionsError {
  return new SessionsError(faultOf(failure), messageOf(request, failure, attemptsMax));
}

/** The port's word for it. Where nothing was found although something must be there, the request is wrong. */
function faultOf({ kind }: Failure): SessionsFault {
  if (kind === "again") return "unavailable";
  return kind === "denied" ? "denied" : "invalid";
}
