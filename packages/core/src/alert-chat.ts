/**
 * An alert for Amazon Q Developer in chat applications, as its custom notification: SNS carries it to Slack or Teams
 * without a webhook of ours. Schema: https://docs.aws.amazon.com/chatbot/latest/adminguide/custom-notifs.html
 */
import type { AlertNotice } from "@bursar/events/alert-notice";
import { attributesOf } from "./alert-attributes.ts";
import { subjectOf } from "./alert-mail.ts";
import { timeText, withoutLinks } from "./alert-text.ts";
import { fingerprint } from "./canonical.ts";
import { didLines, sampleText, shownSamples, stateWord } from "./notice-lines.ts";
import { slackCut, slackEscaped } from "./slack-text.ts";

export interface ChatNotice {
  readonly version: "1.0";
  readonly source: "custom";
  readonly id: string;
  readonly content: {
    readonly textType: "client-markdown";
    readonly title: string;
    readonly description: string;
    readonly nextSteps: readonly string[];
    readonly keywords: readonly string[];
  };
  readonly metadata: {
    /** The same for all messages of one alert: the channel shows them as one thread, where its preferences allow it. */
    readonly threadId: string;
    readonly summary: string;
    readonly eventType: string;
    readonly relatedResources: readonly string[];
    readonly additionalContext: { readonly [key: string]: string };
  };
}

/** AWS names no limits; what it posts has those of a Slack section. */
export const CHAT_LIMITS = { title: 150, description: 3000, step: 500, samples: 3 } as const;

export function chatNoticeOf(notice: AlertNotice): ChatNotice {
  const { id, change, step, reopened, org, stage, count } = notice;
  const attributes = attributesOf(notice);
  const subject = subjectOf(notice);
  const resource = slackEscaped(withoutLinks(attributes.subject).replaceAll("`", "'"));
  return {
    version: "1.0",
    source: "custom",
    id: fingerprint(`${id}/${change}/${step}/${reopened}`),
    content: {
      textType: "client-markdown",
      title: slackCut(subject, CHAT_LIMITS.title),
      description: descriptionOf(notice),
      nextSteps: notice.todo.map(stepText),
      keywords: [stateWord(notice), attributes.rule],
    },
    metadata: {
      threadId: fingerprint(id),
      summary: slackCut(subject, CHAT_LIMITS.title),
      eventType: `bursar.${attributes.rule}`,
      relatedResources: [`\`${resource}\``],
      additionalContext: {
        org,
        ...(stage === null ? {} : { stage }),
        severity: attributes.severity,
        change,
        count: count.toString(),
        ...(attributes.agentId === undefined ? {} : { agentId: attributes.agentId }),
      },
    },
  };
}

/** Markup of the chat program: ours are the bold words, the code and the links; strangers' text stands in code. */
function descriptionOf(notice: AlertNotice): string {
  const { what, who, much, since, ended, note, links } = notice;
  const lines = [
    slackEscaped(what),
    `*To whom:* ${slackEscaped(who)}`,
    ...(much === null ? [] : [`*How much:* ${slackEscaped(much)}`]),
    `*Since when:* ${timeText(since)}`,
    ...(ended === null || ended === "" ? [] : [`*What ended it:* ${code(ended)}`]),
    ...(note === null || note === "" ? [] : [`*What was noted:* ${code(note)}`]),
    `*What Bursar did:* ${slackEscaped(didLines(notice).join(" "))}`,
    ...links.map(({ label, url }) => `${slackEscaped(label)}: ${url}`),
    ...shownSamples(notice)
      .slice(0, CHAT_LIMITS.samples)
      .map((sample) => `${timeText(sample.at)} ${code(sampleText(sample))}`),
  ];
  // A line too many is left out whole: one that is cut would leave its code open.
  let description = "";
  for (const line of lines) {
    const longer = description === "" ? line : `${description}\n${line}`;
    if (longer.length <= CHAT_LIMITS.description) description = longer;
  }
  return description;
}

function stepText({ text, command }: AlertNotice["todo"][number]): string {
  const words = slackEscaped(text);
  const line = command === undefined ? words : `${words} \`${slackEscaped(command.replaceAll("`", "'"))}\``;
  return line.length <= CHAT_LIMITS.step ? line : words.slice(0, CHAT_LIMITS.step);
}

const code = (text: string): string => `\`${slackEscaped(withoutLinks(text).replaceAll("`", "'"))}\``;
