/** An alert as an e-mail: a subject line, and a body that a sleepy person understands. Strangers' text stands behind ">". */
import type { AlertNotice } from "@bursar/events/alert-notice";
import { asciiText, dataText, timeText, withoutLinks, wrapText } from "./alert-text.ts";
import {
  alertCommands,
  didLines,
  noticeFacts,
  placeText,
  reasonText,
  samplesTitle,
  sampleText,
  shownSamples,
  stateWord,
} from "./notice-lines.ts";

/** SNS wants less than 100 ASCII characters (API reference of Publish, `Subject`). */
export const SUBJECT_MAX = 99;
/** Columns of a line, but for what breaks when it is broken: links, and names that are longer. */
export const MAIL_COLUMNS = 78;

/** `[critical] gambler: session revoked at 102 % of gambler-day`: printable ASCII, at most SUBJECT_MAX characters. */
export const subjectOf = (notice: AlertNotice): string =>
  asciiText(`[${stateWord(notice)}] ${notice.title}`, SUBJECT_MAX);

/** The body, by lines of at most MAIL_COLUMNS; ends with a line's end. */
export function textOf(notice: AlertNotice): string {
  const { todo, links, did } = notice;
  const reason = reasonText(notice);
  const blocks = [
    ["What happened", ...indented(notice.what)],
    factLines(notice),
    quoteLines("What ended it", notice.ended),
    quoteLines("What was noted", notice.note),
    ["What Bursar did", ...didLines(notice).flatMap((one) => indented(one, did.length > 1 ? "- " : ""))],
    [
      "What to do",
      ...todo.flatMap(({ text, command }, i) => [
        ...indented(text, `${i + 1}. `),
        ...(command === undefined ? [] : commandLines(command, 5)),
      ]),
      ...(reason === null ? [] : indented(reason)),
    ],
    links.length === 0 ? [] : ["Where to look", ...links.flatMap(({ label, url }) => [`  ${label}:`, `  ${url}`])],
    sampleLines(notice),
    endLines(notice),
  ];
  const text = blocks.filter((block) => block.length > 0).map((block) => block.join("\n"));
  return `${text.join("\n\n")}\n`;
}

function indented(text: string, mark = ""): string[] {
  const lines = wrapText(text, MAIL_COLUMNS - 2 - mark.length);
  return lines.map((line, i) => `  ${i === 0 ? mark : " ".repeat(mark.length)}${line}`);
}

const LABEL_COLUMNS = 14;

function factLines(notice: AlertNotice): string[] {
  return noticeFacts(notice).flatMap(([label, text]) => {
    const lines = wrapText(text, MAIL_COLUMNS - LABEL_COLUMNS - 2);
    return lines.map((line, i) => `${(i === 0 ? label : "").padEnd(LABEL_COLUMNS)}  ${line}`);
  });
}

/** One line, or several that a shell reads as one. Between quotes nothing is broken. */
function commandLines(command: string, indent: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of command.split(command.includes("'") ? / (?=--)/ : " ")) {
    if (line !== "" && indent + line.length + 1 + word.length + 2 > MAIL_COLUMNS) {
      lines.push(`${line} \\`);
      line = `  ${word}`;
    } else line = line === "" ? word : `${line} ${word}`;
  }
  return [...lines, line].map((one) => `${" ".repeat(indent)}${one}`);
}

function quoteLines(heading: string, text: string | null): string[] {
  return text === null || text === "" ? [] : [heading, ...quoted(text)];
}

/** A stranger's text: every line of it begins with ">", and none of ours does. */
function quoted(text: string): string[] {
  return wrapText(withoutLinks(text), MAIL_COLUMNS - 2).map((line) => `> ${line}`);
}

function sampleLines(notice: AlertNotice): string[] {
  const samples = shownSamples(notice);
  if (samples.length === 0) return [];
  const lines = samples.flatMap((sample) => quoted(`${timeText(sample.at)}  ${sampleText(sample)}`));
  return [samplesTitle(notice), ...lines];
}

function endLines(notice: AlertNotice): string[] {
  const { show, ack } = alertCommands(notice);
  if (show === null) return ["--", `${placeText(notice)}, about an alert with the id`, ...quoted(dataText(notice.id))];
  return [
    "--",
    `${placeText(notice)}. The whole alert:`,
    ...commandLines(show, 2),
    ...(ack === null ? [] : ["To hear no more of it until it changes:", ...commandLines(ack, 2)]),
  ];
}
