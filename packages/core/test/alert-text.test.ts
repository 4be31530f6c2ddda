/** Strangers' text made harmless, and text for the page. */
import { describe, expect, test } from "vitest";
import { asciiText, cutText, dataText, withoutLinks, wrapText } from "../src/alert-text.ts";
import { slackCut, slackPieces } from "../src/slack-text.ts";

describe("a stranger's text", () => {
  test.each([
    ["a\nb\r\n\tc", "a b c"],
    ["\u001b[31mred", "[31mred"],
    ["\u202egnp\u200b.exe\ufeff", "gnp.exe"],
    ["  x  ", "x"],
    ["\ud800", "\ufffd"],
  ])("%j becomes %j", (text, data) => {
    expect(dataText(text)).toBe(data);
  });

  test("says where it is cut", () => {
    expect(dataText("x".repeat(300))).toBe(`${"x".repeat(253)}...`);
  });
});

describe("a text without links", () => {
  test.each([
    ["https://evil.com/x?y", "https[:]//evil[.]com/x?y"],
    ["www.evil.co.uk EVIL.COM xn--e1a.xn--p1ai", "www[.]evil[.]co[.]uk EVIL[.]COM xn--e1a[.]xn--p1ai"],
    ["mailto:eve@evil.com", "mailto[:]eve@ evil[.]com"],
    ["@here <!channel>", "@ here <!channel>"],
    ["$5.00 of limits.maxPaymentUsd in bursar.config.ts", "$5.00 of limits.maxPaymentUsd in bursar[.]config.ts"],
    ["the end. And on", "the end. And on"],
  ])("%j becomes %j", (text, harmless) => {
    expect(withoutLinks(text)).toBe(harmless);
  });
});

test("lines are broken between words, and long words in themselves, by columns", () => {
  expect(wrapText("one two three", 7)).toEqual(["one two", "three"]);
  expect(wrapText("abcdefghij", 4)).toEqual(["abcd", "efgh", "ij"]);
  expect(wrapText("漢字漢字", 4)).toEqual(["漢字", "漢字"]);
  expect(wrapText("", 4)).toEqual([]);
});

test("ASCII is printable, and cut with three points", () => {
  expect(asciiText("café\n", 20)).toBe("caf??");
  expect(cutText("abcdefgh", 6)).toBe("abc...");
});

test("Slack's pieces end within no escape and no character", () => {
  expect(slackPieces("a&b<c", 6)).toEqual(["a&amp;", "b&lt;c"]);
  expect(slackPieces("😀😀", 3)).toEqual(["😀", "😀"]);
  expect(slackCut("", 3)).toBe("-");
});
