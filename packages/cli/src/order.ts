/** An order over HTTP: the JSON that a command sent, and what was done, or why not and what to write instead. */

export interface Refused {
  readonly status: 400 | 404 | 409;
  readonly code: string;
  readonly message: string;
  readonly candidates?: readonly string[];
}

export type OrderAnswer = { readonly done: object } | { readonly refused: Refused };

export type Fields = { readonly [name: string]: unknown };

/** Orders by the name that stands in the path. */
export type Taken = { readonly [name: string]: (body: unknown) => Promise<OrderAnswer> };

export function refuse(code: string, message: string, status: Refused["status"] = 400): OrderAnswer {
  return { refused: { status, code, message } };
}

/** Each order behind a check that its body is a JSON object. */
export function takenOf(orders: { readonly [name: string]: (given: Fields) => Promise<OrderAnswer> }): Taken {
  return Object.fromEntries(
    Object.entries(orders).map(([name, run]) => [
      name,
      async (body: unknown) =>
        typeof body === "object" && body !== null && !Array.isArray(body)
          ? run(body as Fields)
          : refuse("body", "the body is no JSON object"),
    ]),
  );
}
