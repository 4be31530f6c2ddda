/**
 * An alert in Slack's Block Kit. Names and strangers' text stand in plain text objects, which know no markup; markup is
 * left to headings, commands and links, which are Bursar's own. Limits: https://docs.slack.dev/reference/block-kit/blocks
 */
import type { AlertNotice } from "@bursar/events/alert-notice";
import { subjectOf } from "./alert-mail.ts";
import { dataText, timeText, withoutLinks } from "./alert-text.ts";
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
import { slackCut, slackEscaped, slackPieces } from "./slack-text.ts";

export interface PlainText {
  readonly type: "plain_text";
  readonly text: string;
  readonly emoji: false;
}

/** `verbatim`: Slack makes no links and mentions of its own in it. */
export interface Markup {
  readonly type: "mrkdwn";
  readonly text: string;
  readonly verbatim: true;
}

export type SlackText = PlainText | Markup;

export type SlackBlock =
  | { readonly type: "header"; readonly text: PlainText }
  | { readonly type: "section"; readonly text: SlackText }
  | { readonly type: "section"; readonly fields: readonly SlackText[] }
  | { readonly type: "context"; readonly elements: readonly SlackText[] };

/** The body of one post to an incoming webhook. */
export interface SlackMessage {
  /** What notifications and screen readers say. */
  readonly text: string;
  readonly blocks: readonly SlackBlock[];
}

export const SLACK_LIMITS = {
  blocks: 50,
  text: 3000,
  header: 150,
  field: 2000,
  fields: 10,
  elements: 10,
  /**
   * Characters of a message's blocks as JSON. Slack documents none and answers `msg_blocks_too_long` from some 13,000 on
   * (slackapi/bolt-js#2509).
   */
  message: 10_000,
} as const;

/** The messages of one alert, in their order: one, or several where it is too long for one. */
export function blocksOf(notice: AlertNotice): SlackMessage[] {
  const packed = pack(unitsOf(notice));
  const text = slackCut(`${subjectOf(notice)}: ${notice.what}`, SLACK_LIMITS.text);
  return packed.map((blocks, i) => {
    if (packed.length === 1) return { text, blocks };
    const part = `${subjectOf(notice)} (${i + 1} of ${packed.length})`;
    return i === 0
      ? { text, blocks: [...blocks, small([part])] }
      : { text: slackEscaped(part), blocks: [small([part]), ...blocks] };
  });
}

/** A sign for the eye; the word stands beside it. */
const SIGNS: { readonly [word: string]: string } = {
  critical: "🔴",
  warning: "🟠",
  info: "🔵",
  acknowledged: "⚪",
  resolved: "🟢",
};

/** What is not to be torn apart, in its order. */
function unitsOf(notice: AlertNotice): readonly (readonly SlackBlock[])[] {
  const { todo, links, ended, note } = notice;
  const reason = reasonText(notice);
  const { ack } = alertCommands(notice);
  const facts = noticeFacts(notice).flatMap(([label, text]): SlackText[] => [
    markup(`*${label}*`),
    plain(slackCut(text, SLACK_LIMITS.field)),
  ]);
  const word = stateWord(notice);
  const units: readonly (readonly SlackBlock[])[] = [
    [{ type: "header", text: plain(slackCut(`${SIGNS[word] ?? ""} ${subjectOf(notice)}`, SLACK_LIMITS.header)) }],
    [heading("What happened"), ...paragraphs(notice.what)],
    [{ type: "section", fields: facts }],
    said("What ended it", ended),
    said("What was noted", note),
    [
      heading("What Bursar did"),
      ...paragraphs(
        didLines(notice)
          .map((one) => (notice.did.length > 1 ? `• ${one}` : one))
          .join("\n"),
      ),
    ],
    [heading("What to do")],
    ...todo.map(({ text, command }, i) => [
      ...paragraphs(`${i + 1}. ${text}`),
      ...(command === undefined ? [] : codes(command)),
    ]),
    reason === null ? [] : [small([reason])],
    links.length === 0
      ? []
      : [section(markup(links.map(({ label, url }) => `<${url}|${slackEscaped(label)}>`).join("\n")))],
    ...samplesOf(notice),
    ack === null ? [] : [small(["To hear no more of it until it changes:"]), ...codes(ack)],
    [small([lineageText(notice)])],
  ];
  return units.filter((unit) => unit.length > 0);
}

function samplesOf(notice: AlertNotice): (readonly SlackBlock[])[] {
  const [first, ...more] = shownSamples(notice).map((sample): SlackBlock => {
    const words = `${timeText(sample.at)}  ${withoutLinks(sampleText(sample))}`;
    const link = sample.url === undefined ? [] : [markup(`<${sample.url}|transaction>`)];
    return { type: "context", elements: [plain(slackCut(words, SLACK_LIMITS.field)), ...link] };
  });
  return first === undefined ? [] : [[heading(samplesTitle(notice)), first], ...more.map((block) => [block])];
}

function said(title: string, text: string | null): readonly SlackBlock[] {
  return text === null || text === "" ? [] : [heading(title), small([withoutLinks(text)])];
}

/** By this a reader finds the other messages of the same alert. */
function lineageText(notice: AlertNotice): string {
  return `${placeText(notice)} · alert ${withoutLinks(dataText(notice.id))} · opened ${timeText(notice.openedAt)}`;
}

const plain = (escaped: string): PlainText => ({ type: "plain_text", text: escaped, emoji: false });
const markup = (text: string): Markup => ({ type: "mrkdwn", text, verbatim: true });
const section = (text: SlackText): SlackBlock => ({ type: "section", text });
const heading = (title: string): SlackBlock => section(markup(`*${title}*`));
const paragraphs = (text: string): SlackBlock[] =>
  slackPieces(text, SLACK_LIMITS.text).map((piece) => section(plain(piece)));
const small = (texts: readonly string[]): SlackBlock => ({
  type: "context",
  elements: texts.map((text) => plain(slackCut(text, SLACK_LIMITS.field))),
});

/** A command to be copied; it holds no backtick, since no name in it may. */
function codes(command: string): SlackBlock[] {
  const fence = "```";
  return slackPieces(command.replaceAll("`", "'"), SLACK_LIMITS.text - 2 * fence.length).map((piece) =>
    section(markup(`${fence}${piece}${fence}`)),
  );
}

/** Blocks left over for the lines that say which part a message is. */
const PARTS_BLOCKS = 2;

function pack(units: readonly (readonly SlackBlock[])[]): SlackBlock[][] {
  const messages: SlackBlock[][] = [];
  let blocks: SlackBlock[] = [];
  let length = 0;
  for (const unit of units) {
    const size = JSON.stringify(unit).length;
    const isFull =
      length + size > SLACK_LIMITS.message || blocks.length + unit.length > SLACK_LIMITS.blocks - PARTS_BLOCKS;
    if (isFull && blocks.length > 0) {
      messages.push(blocks);
      blocks = [];
      length = 0;
    }
    blocks.push(...unit);
    length += size;
  }
  return [...messages, blocks];
}
