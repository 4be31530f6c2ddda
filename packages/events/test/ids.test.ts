import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { alias, type PaymentKey, parsePaymentId, paymentId, rowId } from "../src/ids.ts";

const hex = (digits: number) =>
  fc
    .string({ unit: fc.constantFrom(..."0123456789abcdef"), minLength: digits, maxLength: digits })
    .map((d) => `0x${d}`);
const integer = fc.nat({ max: Number.MAX_SAFE_INTEGER });
const key: fc.Arbitrary<PaymentKey> = fc.oneof(
  fc.record({
    method: fc.constant("eip3009" as const),
    chainId: integer,
    asset: hex(40),
    payer: hex(40),
    nonce: hex(64),
  }),
  fc.record({ method: fc.constant("transfer" as const), chainId: integer, txHash: hex(64), logIndex: integer }),
);

describe("paymentId", () => {
  test("and back", () => {
    fc.assert(
      fc.property(key, (one) => {
        expect(parsePaymentId(paymentId(one))).toEqual({ ...one });
      }),
    );
  });

  test("no two keys share an id", () => {
    fc.assert(
      fc.property(key, key, (one, other) => {
        expect(paymentId(one) === paymentId(other)).toBe(JSON.stringify(one) === JSON.stringify(other));
      }),
    );
  });

  test.each([
    "",
    "eip3009",
    "eip3009:42161",
    "eip3009:x:0xa:0xb:0xc",
    "eip3009:-1:0xa:0xb:0xc",
    "eip3009:042161:0xa:0xb:0xc",
    "eip3009:42161:0xa:0xb:0xc:0xd",
    "eip3009:42161:0xa::0xc",
    "transfer:42161:0xa:x",
    "transfer:42161:0xa",
    "transfer:42161:0xa:1:2",
    "permit2:42161:0xa:0xb:0xc",
    "request:research:req-1",
    "tx:42161:0xa",
  ])("%j is no payment's", (id) => expect(parsePaymentId(id)).toBe(null));

  test("a row of a request or a hash is never read as a payment", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), integer, (agent, request, chain) => {
        expect(parsePaymentId(rowId.request(agent, request))).toBe(null);
        expect(parsePaymentId(rowId.transaction(chain, request))).toBe(null);
      }),
    );
  });
});

describe("alias", () => {
  const agentId = fc.stringMatching(/^[A-Za-z0-9._-]{1,16}$/);
  const name = fc.string({ unit: fc.constantFrom("a", ":", "%", "/", "3", "A"), minLength: 1, maxLength: 6 });

  test("nobody's names another's: a request is its agent's, a session its manager's", () => {
    const pair = (first: fc.Arbitrary<string>) => fc.tuple(first, name);
    fc.assert(
      fc.property(pair(agentId), pair(agentId), ([a, b], [c, d]) => {
        expect(alias.request(a, b) === alias.request(c, d)).toBe(a === c && b === d);
      }),
    );
    fc.assert(
      fc.property(pair(name), pair(name), ([a, b], [c, d]) => {
        expect(alias.session(a, b) === alias.session(c, d)).toBe(a === c && b === d);
      }),
      { numRuns: 1_000 },
    );
  });
});
