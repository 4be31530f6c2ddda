/** What is done to the free text, the identifiers and the URLs of strangers before anyone stores or shows them. */

/** Longest free text, in UTF-16 code units. */
export const TEXT_MAX = 256;
/** Longest identifier (`requestId`, `sessionId`, ...). Longer ones are refused, never cut: a cut one is another one. */
export const ID_MAX = 256;
/** Longest URL that is kept. */
export const URL_MAX = 512;

// C0, C1, line and paragraph separators, and the marks that turn the reading direction.
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what it is for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;
const CONTROLS = new RegExp(CONTROL, "g");

/** Free text without control characters, well-formed, at most 256 characters. */
export function cleanText(text: string): string {
  return clean(text, TEXT_MAX);
}

/** True for a text that can be an identifier as it stands. */
export function isIdentifier(text: string): boolean {
  return text.length > 0 && text.length <= ID_MAX && !CONTROL.test(text) && text.isWellFormed();
}

/**
 * Origin and path only, at most 512 characters: queries, fragments and user names carry secrets. Web addresses get the
 * URL standard's own spelling; what is none (a path, `host/path`, another scheme) keeps its own, just as bare.
 * Cleaning a clean one changes nothing.
 */
export function cleanUrl(url: string): string {
  if (url.length <= URL_MAX && PLAIN.test(url)) return url;
  let bare = bareUrl(clean(url, Number.POSITIVE_INFINITY).trim());
  // Where the length is cut, a new `..` may stand at the end; the next pass resolves it.
  for (let pass = 0; pass < 3; pass++) {
    const next = clean(WEB.test(bare) && URL.canParse(bare) ? bareUrl(new URL(bare).href) : bare, URL_MAX).trim();
    if (next === bare) break;
    bare = next;
  }
  return bare;
}

/** A web address with nothing to clean, as most are: a name that is no number, and a path of plain segments. */
const PLAIN = /^https?:\/\/(?:[a-z0-9]+\.)+[a-z]+(?:\/[A-Za-z0-9_~-]+)+$/;
const WEB = /^(?:https?|wss?):/i;

/** Without query, fragment, and whatever stands before an `@` where a user name may stand. */
function bareUrl(url: string): string {
  return url
    .replace(/[?#].*$/s, "")
    .replace(/([/\\]{2})[^/\\]*@/g, "$1")
    .replace(/^([A-Za-z][A-Za-z0-9+.-]*:)?[^/\\]*@/, (_, scheme = "") => scheme);
}

/** Any text without control characters, well-formed, cut to `lengthMax`. */
export function clean(text: string, lengthMax: number): string {
  const plain = (CONTROL.test(text) ? text.replace(CONTROLS, "") : text).toWellFormed();
  return plain.length > lengthMax ? plain.slice(0, lengthMax).toWellFormed() : plain;
}
