/** What leaves the process: texts of errors and URLs of requests without the secrets that hide in them. */
import { cleanText, cleanUrl } from "@bursar/events/text";

/** User names, queries and fragments of URLs inside a text. */
const URL_SECRETS = /([a-z][a-z0-9+.-]*:\/\/)(?:[^\s/?#@]*@)?([^\s?#"'<>]*)(?:[?#][^\s"'<>]*)?/gi;
/** 32 bytes in hex may be a key, more a signature; hashes have fields of their own. */
const LONG_HEX = /(?:0x)?[0-9a-f]{64,}/gi;
/** Bearer tokens, AWS keys, and `name=value` of what is commonly secret. */
const TOKENS = /\b(Bearer|Basic)\s+[A-Za-z0-9+/=._~-]+|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b|\beyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const PAIRS =
  /\b((?:api|access|secret|private|session)?[_-]?(?:key|token|secret|password|signature|mnemonic))(["']?\s*[=:]\s*["']?)[^\s"',;&}]+/gi;

/** An error's text for the bus: at most 256 characters, without keys, signatures, tokens and URLs' queries. */
export function cleanMessage(text: string): string {
  const bounded = text.slice(0, 4096);
  return cleanText(
    bounded.replace(URL_SECRETS, "$1$2").replace(LONG_HEX, "0x...").replace(TOKENS, "...").replace(PAIRS, "$1$2..."),
  );
}

/** The message of whatever was thrown. */
export function messageOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return typeof error === "string" ? error : "unknown error";
}

/** The event with its URL and its free text cleaned. The event itself is left as it is. */
export function cleanEvent<E extends object>(event: E): E {
  const copy = { ...event } as Record<string, unknown>;
  const { resource, message, reason } = copy;
  if (typeof resource === "object" && resource !== null && "url" in resource) {
    copy.resource = { ...resource, url: cleanUrl(String(resource.url)) };
  }
  if (typeof message === "string") copy.message = cleanMessage(message);
  if (typeof reason === "string") copy.reason = cleanMessage(reason);
  return copy as E;
}
