/** What every rendering of an alert says alike: its word, its facts by label, its samples. */
import type { AlertNotice, AlertNoticeSample } from "@bursar/events/alert-notice";
import { parseSource } from "@bursar/events/source";
import { durationText } from "./alert-notice.ts";
import { budgetOf, paymentOf, producerOf, subjectFrom } from "./alert-subject.ts";
import { countText, timeText } from "./alert-text.ts";
import { commandLine } from "./shell.ts";

/** The word in brackets: how grave it is, or that it is seen or over. */
export function stateWord({ change, severity }: AlertNotice): string {
  return isCalm(change) ? change : severity;
}

/** Whether nobody need be woken: somebody has seen it, or it is over. */
export const isCalm = (change: AlertNotice["change"]): boolean => change === "resolved" || change === "acknowledged";

/** To whom, how much, since when, how often; what is not known is left out. */
export function noticeFacts(notice: AlertNotice): readonly (readonly [label: string, text: string])[] {
  const { who, much, since, at, change, updatedAt, count, until } = notice;
  const isOver = change === "resolved";
  const lasted = isOver ? `until ${timeText(updatedAt)}` : `${durationText(since, at)} ago`;
  const facts: readonly (readonly [string, string | null])[] = [
    ["To whom", who],
    ["How much", much],
    ["Since when", `${timeText(since)}, ${lasted}`],
    ["How often", count > 1 ? `${countText(count)} times` : null],
    ["Closes itself", until === null || isOver ? null : timeText(until)],
  ];
  return facts.flatMap(([label, text]) => (text === null ? [] : [[label, text] as const]));
}

export const didLines = ({ did }: AlertNotice): readonly string[] => (did.length === 0 ? ["Nothing."] : did);

/** Commands that put something into the record want a reason. */
export const reasonText = ({ todo }: AlertNotice): string | null =>
  todo.some(({ command }) => command?.includes(" --reason WHY") === true)
    ? "Write your reason in place of WHY: it is kept in the record."
    : null;

/** Ids that a command can hold as they stand. */
const PLAIN_ID = /^[A-Za-z0-9_][A-Za-z0-9_.:/=-]{0,199}$/;

/** Whether an alert's id is of known shapes: a session called evil.com would be a link in a line of ours. */
function isPlainId({ id, subject }: AlertNotice): boolean {
  if (!PLAIN_ID.test(id) || !id.includes(`/${subject}`)) return false;
  const { kind, id: name } = subjectFrom(subject);
  if (kind === "agent" || kind === "api") return producerOf(name) !== null;
  if (kind === "source") return parseSource(name) !== null;
  if (kind === "budget") return budgetOf(name).scope !== null;
  return !name.includes(".");
}

/** Commands about the alert itself; none where its id holds a stranger's text. */
export function alertCommands(notice: AlertNotice): {
  readonly show: string | null;
  readonly ack: string | null;
} {
  const { id, stage, change } = notice;
  const run = (name: string): string => commandLine({ name, about: id, options: stage === null ? {} : { stage } });
  if (!isPlainId(notice)) return { show: null, ack: null };
  return { show: run("alerts show"), ack: isCalm(change) ? null : run("ack") };
}

/** The samples that are shown: none of what is over. */
export const shownSamples = ({ samples, change }: AlertNotice): readonly AlertNoticeSample[] =>
  change === "resolved" ? [] : samples;

export function samplesTitle({ samples, count }: AlertNotice): string {
  const some = count > samples.length ? `, ${samples.length} of ${countText(count)}` : "";
  const isNames = samples.every((sample) => sampleText(sample) !== sample.text);
  return isNames ? `Which payments${some}` : `What was recorded${some} (agents and APIs wrote parts of this)`;
}

/** A sample's text, still as it came; a payment by its short name. */
export function sampleText({ text, paymentId }: AlertNoticeSample): string {
  const payment = paymentId === undefined || text !== paymentId ? null : paymentOf(paymentId);
  return payment === null ? text : `payment ${payment.short}`;
}

export const placeText = ({ org, stage }: AlertNotice): string =>
  `Bursar of ${org}${stage === null ? "" : `, stage ${stage}`}`;
