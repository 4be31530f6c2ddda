import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { cleanText, cleanUrl, ID_MAX, isIdentifier, TEXT_MAX, URL_MAX } from "../src/text.ts";

const strange = fc.oneof(
  fc.string({ unit: "binary", maxLength: 600 }),
  fc.string({
    unit: fc.constantFrom("a", "\u0000", "\n", "\u202e", "\ud800", "\udc00", "😀", "%", "é"),
    maxLength: 600,
  }),
);
const CONTROLS = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/u;

describe("cleanText", () => {
  test.each([
    ["control characters", "a\u0000b\tc\nd\u007fe\u009bf", "abcdef"],
    ["an escape sequence of a terminal", "\u001b[31mred\u001b[0m", "[31mred[0m"],
    ["marks that turn the reading direction", "a\u202eb\u2066c\u200fd\u061ce", "abcde"],
    ["half a surrogate pair", "a\ud800b", "a\ufffdb"],
    ["what is fine", "Café 😀 «ok»", "Café 😀 «ok»"],
  ])("%s", (_, dirty, cleaned) => expect(cleanText(dirty)).toBe(cleaned));

  test("cuts at 256, and never leaves half a pair", () => {
    expect(cleanText("x".repeat(TEXT_MAX + 1))).toBe("x".repeat(TEXT_MAX));
    const cut = cleanText(`${"x".repeat(TEXT_MAX - 1)}😀`);
    expect([cut.length, cut.isWellFormed()]).toEqual([TEXT_MAX, true]);
  });

  test("any text becomes short, well-formed, without controls; twice is once", () => {
    fc.assert(
      fc.property(strange, (text) => {
        const cleaned = cleanText(text);
        expect(cleaned.length).toBeLessThanOrEqual(TEXT_MAX);
        expect(cleaned.isWellFormed()).toBe(true);
        expect(cleaned).not.toMatch(CONTROLS);
        expect(cleanText(cleaned)).toBe(cleaned);
      }),
    );
  });
});

describe("isIdentifier", () => {
  test.each([
    ["a", true],
    ["req-1/ä 😀", true],
    ["x".repeat(ID_MAX), true],
    ["x".repeat(ID_MAX + 1), false],
    ["", false],
    ["a\nb", false],
    ["a\u202eb", false],
    ["\ud800", false],
  ])("%j: %s", (text, expected) => expect(isIdentifier(text)).toBe(expected));
});

describe("cleanUrl", () => {
  test.each([
    ["https://api.example.com/reports/q3", "https://api.example.com/reports/q3"],
    ["https://api.example.com", "https://api.example.com/"],
    ["HTTPS://API.Example.com:443/a/../b", "https://api.example.com/b"],
    ["http://127.0.0.1:4021/reports/1?key=hunter2", "http://127.0.0.1:4021/reports/1"],
    ["https://api.example.com/a#token=hunter2", "https://api.example.com/a"],
    ["https://user:hunter2@api.example.com/a", "https://api.example.com/a"],
    ["https://hunter2@api.example.com/a", "https://api.example.com/a"],
    ["https://u:hunter2@x@api.example.com/a", "https://api.example.com/a"],
    ["https:user:hunter2@api.example.com/a", "https://api.example.com/a"],
    ["https:\\\\user:hunter2@api.example.com\\a", "https://api.example.com/a"],
    ["ht\ntps://user:hunter2@api.example.com/a", "https://api.example.com/a"],
    ["  https://user:hunter2@api.example.com/a  ", "https://api.example.com/a"],
    ["https://api.example.com/@team/x", "https://api.example.com/@team/x"],
    [
      "https://proxy.example.com/https://user:hunter2@x.example.com/a",
      "https://proxy.example.com/https://x.example.com/a",
    ],
    ["/reports/q3?key=hunter2", "/reports/q3"],
    ["/@team/q3", "/@team/q3"],
    ["//user:hunter2@api.example.com/a", "//api.example.com/a"],
    ["user:hunter2@api.example.com/a", "user:api.example.com/a"],
    ["hunter2@api.example.com/a", "api.example.com/a"],
    ["localhost:4021/reports", "localhost:4021/reports"],
    ["https://user:hunter2@not a host/a?b", "https://not a host/a"],
    ["https://user:hunter2@api.example.com:99999/a", "https://api.example.com:99999/a"],
    ["blob:https://user:hunter2@api.example.com/a", "blob:https://api.example.com/a"],
    ["foo://user:hunter2@host/a?b#c", "foo://host/a"],
    ["?key=hunter2", ""],
    ["", ""],
  ])("%j", (url, cleaned) => expect(cleanUrl(url)).toBe(cleaned));

  test("a user name of any length goes", () => {
    expect(cleanUrl(`https://user:${"hunter2".repeat(5_000)}@api.example.com/a`)).toBe("https://api.example.com/a");
  });

  test("with or without a query behind it: the same", () => {
    const plain = fc.stringMatching(/^https?:\/\/([a-z0-9]{1,3}\.){1,3}[a-z]{1,3}(\/[A-Za-z0-9_~.-]{1,5}){1,3}$/);
    fc.assert(
      fc.property(fc.oneof(plain, fc.webUrl()), (bare) => {
        expect(cleanUrl(bare)).toBe(cleanUrl(`${bare}?SECRET`));
      }),
      { numRuns: 1_000 },
    );
  });

  test("cuts at 512", () => {
    expect(cleanUrl(`https://api.example.com/${"x".repeat(1_000)}`).length).toBe(URL_MAX);
  });

  test("a cut that leaves a dot segment is resolved, so that twice is once", () => {
    for (let length = 480; length < 512; length++) {
      const cleaned = cleanUrl(`https://a.example/${"x/".repeat(10)}${"y".repeat(length)}/...z/..z`);
      expect(cleanUrl(cleaned)).toBe(cleaned);
    }
  });

  const part = fc.string({
    unit: fc.constantFrom("a", "B", "/", "\\", ".", ":", "%", "2", "e", " ", "é", "\ud800", "\n"),
    maxLength: 300,
  });
  const url = fc
    .tuple(
      fc.constantFrom("https://", "http:", "//", "/", "", "foo://", "blob:https://", "HTTPS:\\\\", "mailto:"),
      fc.constantFrom("", "SECRET@", "user:SECRET@", ":SECRET@", "a@SECRET@"),
      fc.constantFrom("api.example.com", "[::1]", "host:80", "not a host", "ex%41mple"),
      fc.constantFrom("", "/"),
      part,
      fc.constantFrom("", "?SECRET", "#SECRET", "?a=SECRET#b", "#?SECRET"),
    )
    .map((parts) => parts.join(""));

  test("no secret of the query, the fragment or the user name is left, whatever stands around it", () => {
    fc.assert(
      fc.property(url, (dirty) => {
        // After a single slash there is a path, and in a path an @ is a letter like others.
        fc.pre(!/^\/[^/\\]/.test(dirty.replace(/[\p{Cc}]/gu, "")));
        expect(cleanUrl(dirty)).not.toContain("SECRET");
      }),
      { numRuns: 1_000 },
    );
  });

  test("any text becomes short, well-formed, without controls; twice is once", () => {
    fc.assert(
      fc.property(fc.oneof(url, strange, fc.webUrl({ withQueryParameters: true, withFragments: true })), (dirty) => {
        const cleaned = cleanUrl(dirty);
        expect(cleaned.length).toBeLessThanOrEqual(URL_MAX);
        expect(cleaned.isWellFormed()).toBe(true);
        expect(cleaned).not.toMatch(CONTROLS);
        expect(cleanUrl(cleaned)).toBe(cleaned);
      }),
      { numRuns: 2_000 },
    );
  });
});
