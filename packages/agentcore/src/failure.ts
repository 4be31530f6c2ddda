/** What an error of the AWS SDK says about a call: ask again, never, or there is no such thing. */
import { GarbageError } from "./garbage.ts";
import { said } from "./said.ts";

/**
 * - `again`: throttled, 5xx, no answer, or an answer that is none. `retryAfterMs` is what AgentCore asked for, unbounded.
 * - `denied`: IAM, or credentials that are missing, expired or wrong.
 * - `invalid`: AgentCore refuses the request as it is.
 * - `not_found`: it knows no such resource.
 * - `unasked`: the request cannot even be sent; `reason` says what to write instead.
 *
 * `reason` is what was said, in words that hold no secret, at most 256 characters.
 */
export interface Failure {
  readonly kind: "again" | "denied" | "invalid" | "not_found" | "unasked";
  readonly reason: string;
  readonly retryAfterMs: number | null;
}

export type Outcome<T> = { readonly kind: "answer"; readonly value: T } | Failure;

const THROTTLES = /^(?:Throttl|TooManyRequests|RequestLimitExceeded|RequestThrottled|SlowDown)/;
const TROUBLES = /^(?:Internal|ServiceUnavailable|ServiceException$)/;
/** Also how the SDK says that it found no credentials, or could not refresh those that it had. */
const DENIALS =
  /^(?:AccessDenied|Unauthorized|NotAuthorized|Expired|UnrecognizedClient|InvalidClientToken|InvalidSignature|SignatureDoesNotMatch|IncompleteSignature|MissingAuthenticationToken|InvalidAccessKeyId|OptInRequired|SubscriptionRequired|CredentialsProviderError|TokenProviderError)/;
/**
 * AgentCore may say so in a plain ValidationException. The session must be what is not found, not the manager or the
 * user: a session that lives on must not pass for one that is gone.
 */
const SESSION_NOT_FOUND =
  /\bsession(?:\s+(?:with\s+)?id)?[\s:'"`]{0,4}[\w-]{0,256}['"`]?\s{0,4}(?:is |was |could |can)?(?:not (?:be )?found|does not exist)|\bno (?:such (?:payment )?session\b|(?:payment )?session (?:was )?found)/i;

/** Characters of a message that are looked at. */
const MESSAGE_READ_MAX = 4096;

/** Reads an error that the SDK threw. An error that nobody knows counts as no answer. */
export function failureOf(error: unknown): Failure {
  if (error instanceof GarbageError) return again(error.message);
  const { name = "", message = "", code, $metadata, $response } = (error ?? {}) as SdkError;
  const status = $metadata?.httpStatusCode ?? $response?.statusCode ?? null;
  const failure = (kind: Failure["kind"]): Failure => ({ kind, reason: said(error, status), retryAfterMs: null });

  if (name === "ResourceNotFoundException") return failure("not_found");
  if (THROTTLES.test(name) || status === 429 || TROUBLES.test(name) || status === 408 || (status ?? 0) >= 500) {
    return { ...failure("again"), retryAfterMs: retryAfterMs($response?.headers ?? {}) };
  }
  // The machine's clock is wrong and the SDK has just set its own right: the same request will pass now.
  if ($metadata?.clockSkewCorrected) return failure("again");
  if (DENIALS.test(name) || status === 401 || status === 403) return failure("denied");
  if (name === "ValidationException")
    return failure(SESSION_NOT_FOUND.test(message.slice(0, MESSAGE_READ_MAX)) ? "not_found" : "invalid");
  if (status === null) return again(code === undefined ? said(error, status) : `no answer: ${code}`);
  // A body that is no JSON, or an error without a type: some proxy's word, not AgentCore's.
  if (status < 400 || name === "SyntaxError" || name === "TypeError" || name === "Unknown") {
    return again(`an answer that is none of AgentCore's (HTTP ${status})`);
  }
  return failure("invalid");
}

/** A passing fault without an error of the SDK's. */
export function again(reason: string): Failure {
  return { kind: "again", reason, retryAfterMs: null };
}

/** Retry-After in seconds or as a date, which is measured by the answer's own clock; null where it says nothing. */
function retryAfterMs(headers: Readonly<Record<string, string>>): number | null {
  const text = headers["retry-after"]?.trim() ?? "";
  if (/^\d{1,9}(?:\.\d{1,6})?$/.test(text)) return Number(text) * 1000;
  const ms = Date.parse(text) - Date.parse(headers.date ?? "");
  return ms > 0 ? ms : null;
}

interface SdkError {
  readonly name?: string;
  readonly message?: string;
  readonly code?: string;
  readonly $metadata?: { readonly httpStatusCode?: number; readonly clockSkewCorrected?: boolean };
  readonly $response?: { readonly statusCode?: number; readonly headers?: Readonly<Record<string, string>> };
}
