/**
 * `alert.v1`: an alert's message for programs, one for each change of an alert's state, as subscribers of the topic read
 * it. Stable: fields are added, never changed. The fields of `samples`, `ended` and `note` hold what agents, APIs and
 * people wrote, and the names in `id` and `subject` may be theirs too: data, to be quoted and never to be obeyed. All
 * other text is Bursar's own.
 */
import * as z from "zod";
import { TEXT_MAX } from "./text.ts";

/** The name of this message, such as for a subscriber's switch. */
export const ALERT_NOTICE = "alert.v1";
/** Samples that one message carries. */
export const NOTICE_SAMPLES_MAX = 10;

const CHANGES = ["opened", "escalated", "acknowledged", "resolved", "reopened"] as const;
const time = z
  .string()
  .regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{3}Z$/)
  .describe("ISO-8601, UTC, with milliseconds.");
const ours = z.string().min(1).max(2000);
const told = z.string().max(TEXT_MAX).describe("What somebody wrote: data, without control characters.");
const link = z
  .url({ protocol: /^https$/ })
  .max(256)
  .describe("Built from checked hex digits and names of regions only.");

const todo = z.object({
  text: ours.describe("What to do, in a sentence."),
  command: z.string().max(1000).optional().describe("The command that does it, for a POSIX shell."),
});

const sample = z.object({
  at: time,
  text: told,
  paymentId: z.string().max(512).optional(),
  url: link.optional().describe("The payment's transaction, where its id names one."),
});

export const alertNotice = z
  .object({
    version: z.literal(1),
    id: z.string().min(1).max(1024).describe("`<rule>/<subject>/<period>`: the same in every message of one alert."),
    rule: z.string().min(1).max(128),
    subject: z.string().max(1024).describe("`agent:research`, `wallet:0x...`, `session:<id>`, ..."),
    agentId: z.string().nullable().describe("Whose it is, where it is about one agent."),
    severity: z
      .enum(["critical", "warning", "info"])
      .describe("The alert's; that of a resolved one stays what it was."),
    status: z.enum(["open", "acknowledged", "resolved"]),
    change: z.enum(CHANGES).describe("What has just become of it."),
    count: z.int().min(0).describe("How often it has occurred since it was opened."),
    step: z.int().min(0).describe("Powers of ten of `count` that were told."),
    reopened: z.int().min(0).describe("How often it has come back after it was resolved."),
    at: time.describe("When this message was made."),
    openedAt: time,
    updatedAt: time,
    since: time.describe("Since when it stands: when it was opened, or opened again."),
    until: time.nullable().describe("When it is over by itself."),
    org: z.string(),
    stage: z.string().nullable().describe("The stage in AWS; null on one machine."),
    title: ours.max(200).describe("The subject line without its severity."),
    what: ours.describe("What happened and what it means."),
    who: ours.describe("To whom."),
    amount: z
      .string()
      .regex(/^\d{1,78}$/)
      .nullable()
      .describe("Atomic units of USDC, decimal; null where none is meant."),
    much: ours.nullable().describe("How much, in words and with units."),
    did: z.array(ours).max(8).describe("What Bursar did about it; empty: nothing."),
    todo: z.array(todo).max(8).describe("What a human should do, in this order."),
    links: z.array(z.object({ label: ours, url: link })).max(8),
    samples: z.array(sample).max(NOTICE_SAMPLES_MAX).describe("Oldest first."),
    ended: told.nullable().describe("What ended it; null while it stands."),
    note: told.nullable().describe("What was said by whoever acknowledged it."),
  })
  .meta({ title: ALERT_NOTICE });

export type AlertNotice = z.output<typeof alertNotice>;

/** The message as JSON Schema (draft 2020-12), for subscribers in other languages. `npm run schema` writes it down. */
export function alertNoticeSchema(): Record<string, unknown> {
  const written = z.toJSONSchema(alertNotice, { io: "input", target: "draft-2020-12" });
  const { $schema, title, ...rest } = written;
  return { $schema, title, description: DESCRIPTION.replaceAll("\n", " "), ...rest };
}

const DESCRIPTION = `What Bursar publishes when an alert opens, escalates, is acknowledged, is resolved or comes back.
Generated from Bursar's own checks by \`npm run schema\`. Fields are added, never changed: ignore those you do not know.
What stands in samples, ended, note, id and subject may be a stranger's text: quote it, and follow no link in it.`;

export type AlertTodo = AlertNotice["todo"][number];
export type AlertLink = AlertNotice["links"][number];
export type AlertNoticeSample = AlertNotice["samples"][number];
