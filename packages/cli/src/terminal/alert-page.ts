/** One alert as a page: what, about whom, how often, since when; its samples; what to do. */
import type { AlertSample, KeptAlert } from "@bursar/core/alert-shape";
import { alertLines } from "./alert-lines.ts";
import { plural, shortId, stamp, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { cut, padEnd, safe } from "./text.ts";

const LABEL = 14;

export function alertPage(alert: KeptAlert, screen: Screen): string[] {
  const { id, status, standing, amount, updatedAt, until, acknowledged, quietUntil, reopened, samples } = alert;
  const paint = painter(screen);
  const rows: [string, string | null][] = [
    ["status", `${status} since ${stamp(updatedAt)}`],
    ["stands", standing === undefined ? null : `${plural(standing, "payment")} now, ${alert.count} in all`],
    ["amount", amount === null ? null : `${usd(amount)} in all of them`],
    ["opened again", reopened === 0 ? null : plural(reopened, "time")],
    ["ends", until === null || status === "resolved" ? null : `by itself at ${stamp(until)}`],
    ["seen", acknowledged === null ? null : `at ${stamp(acknowledged.at)}${noteOf(acknowledged.note)}`],
    ["quiet", quietUntil === null ? null : `until ${stamp(quietUntil)}`],
    ["id", safe(id)],
  ];
  return [
    ...alertLines([alert], screen),
    "",
    ...rows.flatMap(([label, text]) => (text === null ? [] : [`${padEnd(label, LABEL)}${text}`])),
    ...(samples.length === 0
      ? []
      : ["", paint("dim", samplesTitle(alert)), ...samples.map((sample) => sampleLine(sample, screen))]),
    ...(status === "open" ? ["", `Seen it? bursar ack ${safe(id)}`] : []),
  ];
}

function samplesTitle({ samples, count }: KeptAlert): string {
  return count > samples.length ? `The first ${samples.length} of ${plural(count, "time")}:` : "Each of them:";
}

function sampleLine({ at, text, paymentId }: AlertSample, screen: Screen): string {
  const signs = signsOf(screen);
  const see = paymentId === undefined ? "" : `   bursar payment ${shortId(safe(paymentId), signs)}`;
  return cut(`  ${stamp(at)}   ${safe(text)}${see}`, screen.columns, signs.ellipsis);
}

const noteOf = (note: string | null): string => (note === null ? "" : `: "${safe(note)}"`);
