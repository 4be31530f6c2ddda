/** An alert's SNS message attributes, by which subscriptions filter: `severity`, `rule`, `subject`, `agentId`. */
import type { AlertNotice } from "@bursar/events/alert-notice";
import { isCalm } from "./notice-lines.ts";

export interface AlertAttributes {
  /** `info` for what is seen or over: whoever is woken by `critical` sleeps on. */
  readonly severity: AlertNotice["severity"];
  readonly rule: string;
  readonly subject: string;
  readonly agentId?: string;
}

/** Longest value. */
export const ATTRIBUTE_MAX = 256;

/** Values of data type String: never empty, printable ASCII without quotes and backslashes, at most 256 bytes. */
export function attributesOf({ severity, rule, subject, agentId, change }: AlertNotice): AlertAttributes {
  return {
    severity: isCalm(change) ? "info" : severity,
    rule: attributeValue(rule),
    subject: attributeValue(subject),
    ...(agentId === null ? {} : { agentId: attributeValue(agentId) }),
  };
}

/** A filter policy compares JSON strings: what a JSON string would escape is a question mark. */
function attributeValue(text: string): string {
  const plain = text
    .replace(/[^ -~]|["\\]/gu, "?")
    .trim()
    .slice(0, ATTRIBUTE_MAX);
  return plain === "" ? "-" : plain;
}
