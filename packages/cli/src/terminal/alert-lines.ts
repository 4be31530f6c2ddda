/** Alerts as a person reads them: how grave, what, about whom, how often, since when; then in a sentence. */

import type { Quiet } from "@bursar/core/alert-settings";
import { parsePaymentId } from "@bursar/events/ids";
import type { Alert } from "@bursar/events/shapes";
import { plural, shortHex, shortId, stamp } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { cut, padEnd, safe, wrap } from "./text.ts";
import { breakName, severityColor } from "./words.ts";

export function alertLines(alerts: readonly Alert[], screen: Screen): string[] {
  const paint = painter(screen);
  const signs = signsOf(screen);
  return alerts.flatMap((alert) => {
    const { severity, rule, subject, count, openedAt, text } = alert;
    const what = `${breakName(safe(rule))} ${signs.dot} ${subjectText(alert, screen)} ${signs.dot} ${plural(count, "time")} since ${stamp(openedAt)}`;
    const head = `${paint(severityColor(severity), padEnd(severity, 8))}  ${cut(what, screen.columns - 10, signs.ellipsis)}`;
    // Without words of its own a text only repeats its head.
    const said =
      safe(text).startsWith(safe(rule).replaceAll("_", " ")) && subject !== "" ? sampleOf(text, screen) : safe(text);
    return [
      head,
      ...wrap(said, screen.columns - 10)
        .slice(0, LINES_MAX)
        .map((line) => paint("dim", `          ${line}`)),
      paint("dim", `          ${nameOf(alert, alerts)}`),
    ];
  });
}

/** What is kept quiet, until when and why. */
export function quietLines(quiets: readonly Quiet[], screen: Screen): string[] {
  const signs = signsOf(screen);
  return quiets.map(({ about, until, reason }) =>
    cut(`quiet     ${safe(about)} until ${stamp(until)}: ${safe(reason)}`, screen.columns, signs.ellipsis),
  );
}

/** Lines of one alert's words: the deciding part often stands last. */
const LINES_MAX = 4;

/** What bursar ack and alerts show take: without its period, where that names one alert. */
function nameOf({ id, rule, subject }: Alert, among: readonly Alert[]): string {
  const name = `${rule}/${subject}/`;
  return safe(among.filter((other) => other.id.startsWith(name)).length > 1 ? id : name.slice(0, -1));
}

function subjectText({ subject }: Alert, screen: Screen): string {
  const colon = subject.indexOf(":");
  const [kind, id] = [subject.slice(0, colon), subject.slice(colon + 1)];
  return safe(`${kind} ${shortHex(id, signsOf(screen))}`.trim());
}

/** What follows "such as" in an alert's text; a payment by the command that shows it. */
function sampleOf(text: string, screen: Screen): string {
  const at = text.indexOf("such as ");
  if (at === -1) return safe(text);
  const sample = safe(text.slice(at + "such as ".length));
  return parsePaymentId(sample) === null
    ? `such as ${sample}`
    : `such as: bursar payment ${shortId(sample, signsOf(screen))}`;
}
