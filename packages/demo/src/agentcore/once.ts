/** A call with a client token is done once: a repetition is given the first one's answer. */
import { invalid } from "./errors.ts";

/**
 * Does `make`, or answers what it answered before under the same scope and token. What failed is forgotten, so that it
 * can be tried again under its token.
 * @throws {Refusal} where the token came with another input
 */
export type Once = <T>(scope: string, token: string | null, input: unknown, make: () => Promise<T>) => Promise<T>;

/** Tokens kept; the oldest go first. */
const TOKENS_MAX = 10_000;

export function createOnce(): Once {
  const done = new Map<string, { readonly input: string; readonly answer: Promise<unknown> }>();
  return async <T>(scope: string, token: string | null, input: unknown, make: () => Promise<T>): Promise<T> => {
    if (token === null) return make();
    const key = `${scope} ${token}`;
    const said = JSON.stringify(input);
    const before = done.get(key);
    if (before !== undefined) {
      if (before.input === said) return before.answer as Promise<T>;
      throw invalid(
        "The clientToken was used before with other parameters: take a new token for a new request",
        "IdempotentParameterMismatchException",
      );
    }
    const answer = make();
    done.set(key, { input: said, answer });
    answer.catch(() => done.delete(key));
    for (const oldest of done.keys()) {
      if (done.size <= TOKENS_MAX) break;
      done.delete(oldest);
    }
    return answer;
  };
}
