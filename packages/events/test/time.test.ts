import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { canonicalTime } from "../src/scalars.ts";

describe("canonicalTime", () => {
  test.each([
    ["2026-11-20T10:00:00.000Z", "2026-11-20T10:00:00.000Z"],
    ["2026-11-20T10:00:00Z", "2026-11-20T10:00:00.000Z"],
    ["2026-11-20T10:00:00.5Z", "2026-11-20T10:00:00.500Z"],
    ["2026-11-20T10:00:00.123456789Z", "2026-11-20T10:00:00.123Z"],
    ["2026-11-20T12:00:00+02:00", "2026-11-20T10:00:00.000Z"],
    ["2026-11-20T04:30:00.250-05:30", "2026-11-20T10:00:00.250Z"],
    ["2026-11-20T10:00:00+00:00", "2026-11-20T10:00:00.000Z"],
    ["2026-11-20T10:00:00-00:00", "2026-11-20T10:00:00.000Z"],
    ["2026-12-31T23:59:59.999-00:01", "2027-01-01T00:00:59.999Z"],
    ["2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"],
    ["0000-01-01T00:00:00.000Z", "0000-01-01T00:00:00.000Z"],
    ["0000-01-01T01:00:00+01:00", "0000-01-01T00:00:00.000Z"],
    ["9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"],
    ["9999-12-31T22:59:59.999-01:00", "9999-12-31T23:59:59.999Z"],
  ])("%s", (text, expected) => expect(canonicalTime(text)).toBe(expected));

  test.each([
    ["2026-02-30T10:00:00Z", "30 February"],
    ["2026-02-30T10:00:00.000Z", "30 February"],
    ["2025-02-29T10:00:00+02:00", "29 February of no leap year"],
    ["2026-11-31T10:00:00Z", "31 November"],
    ["2026-13-01T10:00:00Z", "month 13"],
    ["2026-00-10T10:00:00Z", "month 0"],
    ["2026-11-00T10:00:00Z", "day 0"],
    ["2026-11-20T24:00:00Z", "24:00"],
    ["2026-11-20T24:00:00.000Z", "24:00"],
    ["2026-11-20T23:60:00Z", "minute 60"],
    ["2016-12-31T23:59:60Z", "a leap second"],
    ["2016-12-31T23:59:60.000Z", "a leap second"],
    ["2026-11-20T10:00:00", "no offset"],
    ["2026-11-20T10:00:00.Z", "a point and nothing"],
    ["2026-11-20T10:00:00.0123456789Z", "ten decimals"],
    ["2026-11-20T10:00:00+24:00", "an offset of a day"],
    ["2026-11-20T10:00:00+02:60", "an offset of 60 minutes"],
    ["2026-11-20", "a date"],
    ["20261120T100000Z", "the basic form"],
    ["+002026-11-20T10:00:00Z", "a long year"],
    ["-000001-01-01T00:00:00.000Z", "a year before 0"],
    ["0000-01-01T00:00:00+00:01", "before the year 0 in UTC"],
    ["9999-12-31T23:59:59-00:01", "after the year 9999 in UTC"],
    ["2026-11-20t10:00:00z", "lower case"],
    [" 2026-11-20T10:00:00Z", "a space"],
    ["2026-11-20T10:00:00Z\n", "a line break"],
    ["1795172400", "unix seconds"],
    ["yesterday", "a word"],
    ["", "nothing"],
  ])("refuses %j: %s", (text) => expect(canonicalTime(text)).toBe(null));

  test("an instant has one form, whatever the offset it is told in", () => {
    const instant = fc.date({
      min: new Date("0001-01-01T00:00:00Z"),
      max: new Date("9998-12-31T00:00:00Z"),
      noInvalidDate: true,
    });
    const minutes = fc.integer({ min: -(24 * 60 - 1), max: 24 * 60 - 1 });
    fc.assert(
      fc.property(instant, minutes, (at, offset) => {
        const local = new Date(at.getTime() + offset * 60_000).toISOString().slice(0, -1);
        const [hours, rest] = [Math.trunc(Math.abs(offset) / 60), Math.abs(offset) % 60];
        const told = `${local}${offset < 0 ? "-" : "+"}${String(hours).padStart(2, "0")}:${String(rest).padStart(2, "0")}`;
        expect(canonicalTime(told)).toBe(at.toISOString());
      }),
    );
  });

  test("whatever it takes it leaves as it is the second time", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        const at = canonicalTime(text);
        if (at !== null) expect(canonicalTime(at)).toBe(at);
      }),
    );
  });
});
