/** AWS's own words about a failure, fit for logs, alerts and screens: no control characters, no secrets, not long. */
import { clean } from "@bursar/events/text";

/** Characters of AWS's words that are kept. */
export const SAID_MAX = 256;
/** Characters that are looked at. */
const READ_MAX = 4096;

/** AWS answers these with the request as it should have been signed, security token included. */
const ECHOES =
  /Signature|Token|Credential|Authentication|AccessKey|RequestExpired|TimeTooSkewed|^(?:SyntaxError|TypeError)$/;

/** Names that say nothing about what AgentCore said. */
const UNTYPED = /^(?:Unknown|SyntaxError|TypeError)$/;

/** What looks like a key, a token or a signature, wherever it stands. */
const SECRETS: readonly (readonly [RegExp, string])[] = [
  [/\b(Signature|Credential|SignedHeaders|X-Amz-Security-Token|Authorization)\b\s*[=:]\s*\S+/gi, "$1 <hidden>"],
  [/\bBearer\s+[\w.~+/=-]{16,}/gi, "Bearer <hidden>"],
  [/\beyJ[\w-]{10,}(?:\.[\w-]*)*/g, "<hidden>"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, "<hidden>"],
  [/(?:0x)?[0-9a-fA-F]{64,}/g, "<hidden>"],
  [/[A-Za-z0-9+/=_-]{100,}/g, "<hidden>"],
];

/** The error's name and message; the name only where the message may repeat a secret or an answer's body. */
export function said(error: unknown, status: number | null): string {
  const { name = "Error", message = "" } = (error ?? {}) as { name?: string; message?: string };
  const what = status !== null && UNTYPED.test(name) ? `HTTP ${status}` : name;
  const words = ECHOES.test(name) ? "" : withoutSecrets(String(message).slice(0, READ_MAX)).trim();
  return clean(words === "" ? what : `${what}: ${words}`, SAID_MAX);
}

function withoutSecrets(text: string): string {
  let line = text.replace(/\s+/g, " ");
  for (const [secret, instead] of SECRETS) line = line.replace(secret, instead);
  return line;
}
