/** Pages of a list that is in the order of making: a token names the last one shown, so deletions in between skip nothing. */
import { invalid } from "./errors.ts";
import { type Fields, integerOf, nextToken } from "./input.ts";

const PAGE_MAX = 100;
const PAGE = 20;

/** `all` in the order of `ordinal`. */
export function pageOf<T extends { readonly ordinal: number }>(
  all: readonly T[],
  body: Fields,
): { readonly page: readonly T[]; readonly nextToken?: string } {
  const size = body.maxResults === undefined ? PAGE : integerOf(body, "maxResults", 1, PAGE_MAX);
  const token = nextToken(body);
  const after = token === null ? -1 : ordinalOf(token);
  const rest = all.filter(({ ordinal }) => ordinal > after);
  const page = rest.slice(0, size);
  const last = page.at(-1);
  return rest.length > size && last !== undefined ? { page, nextToken: tokenOf(last.ordinal) } : { page };
}

function tokenOf(ordinal: number): string {
  return Buffer.from(`after:${ordinal}`).toString("base64url");
}

function ordinalOf(token: string): number {
  const [, digits] = /^after:(\d{1,15})$/.exec(Buffer.from(token, "base64url").toString()) ?? [];
  if (digits === undefined) throw invalid("The nextToken is not one that this service gave");
  return Number(digits);
}
