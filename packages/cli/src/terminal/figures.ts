/** Figures as people read them: money, hashes, durations, times, counts. */
import { displayUsd, formatUsd } from "@bursar/events/money";
import type { Signs } from "./style.ts";
import { safe } from "./text.ts";

/** A payment's amount with all six decimals, so that columns line up: "$0.010000". */
export function amount(units: string | null): string {
  return units === null ? "$?" : `$${formatUsd(BigInt(units))}`;
}

/** Dollars in a sentence, as short as they are exact: "$3.20", "$2,000.00". */
export function usd(units: string | bigint): string {
  const [dollars = "", decimals = ""] = displayUsd(BigInt(units)).split(".");
  return `${dollars.replace(THOUSANDS, ",")}.${decimals}`;
}

/** 0xa1984478...cbf5 as "0xa198…cbf5"; what is no long hex stays as it is. */
export function shortHex(text: string, { ellipsis }: Pick<Signs, "ellipsis">): string {
  return /^0x[0-9a-f]{12,}$/i.test(text) ? `${text.slice(0, 6)}${ellipsis}${text.slice(-4)}` : text;
}

/** How people call a payment: by its nonce or hash; a request by its id. */
export function shortId(id: string, signs: Pick<Signs, "ellipsis">): string {
  if (id.startsWith("request:")) return id.slice("request:".length).replace(":", "/");
  const parts = id.split(":");
  const hex = parts[0] === "transfer" ? parts[2] : parts[parts.length - 1];
  return shortHex(hex ?? id, signs);
}

/** "0.31 s", "12 s", "4 min 5 s", "4 h 3 min", "2 d 6 h": two units at most. */
export function duration(seconds: number): string {
  const whole = Math.round(Math.max(0, seconds));
  if (seconds < 9.95) return `${Math.max(0, seconds).toFixed(seconds < 0.995 ? 2 : 1)} s`;
  if (whole < 60) return `${whole} s`;
  const [big, bigUnit, small, smallUnit] =
    whole < 3600
      ? [Math.floor(whole / 60), "min", whole % 60, "s"]
      : whole < 86_400
        ? [Math.floor(whole / 3600), "h", Math.floor((whole % 3600) / 60), "min"]
        : [Math.floor(whole / 86_400), "d", Math.floor((whole % 86_400) / 3600), "h"];
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

/** 1217 as "1,217". */
export function count(value: number | bigint): string {
  return value.toString().replace(THOUSANDS, ",");
}

const THOUSANDS = /\B(?=(\d{3})+(?!\d))/g;

/** "1 payment", "2 payments". */
export function plural(value: number, one: string, many = `${one}s`): string {
  return `${count(value)} ${value === 1 ? one : many}`;
}

/** The time of day, UTC, with tenths: "12:00:03.1". */
export function clock(at: string): string {
  return safe(at.slice(11, 21));
}

/** Day and time, UTC: "2026-11-20 10:00:02". */
export function stamp(at: string): string {
  return safe(`${at.slice(0, 10)} ${at.slice(11, 19)}`);
}

/** "12:01:11", with the day where it is another one: "11-21 12:01:11". UTC. */
export function timeText(at: string, now: string): string {
  const clock = safe(at.slice(11, 19));
  return at.slice(0, 10) === now.slice(0, 10) ? clock : `${safe(at.slice(5, 10))} ${clock}`;
}

/** 0.764 as "76 %". */
export function percent(part: bigint, whole: bigint): string {
  if (whole === 0n) return part > 0n ? "over" : "0 %";
  const whole100 = (part * 100n) / whole;
  return whole100 === 0n && part > 0n ? "<1 %" : `${count(whole100)} %`;
}

/** 82328900 as "82.3 MB". */
export function bytes(size: number): string {
  const units = ["B", "KB", "MB", "GB", "TB"];
  let value = size;
  let unit = 0;
  while (value >= 1000 && unit < units.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${units[unit]}`;
}
