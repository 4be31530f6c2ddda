/**
 * The words of every rule: what happened and what it means, what Bursar did, what to do now. Sentences are Bursar's own
 * from end to end; what strangers wrote stands in the samples and nowhere else.
 */
import type { AlertTodo } from "@bursar/events/alert-notice";
import type { Facts } from "./alert-facts.ts";
import { doThis } from "./alert-todos.ts";
import type { AlertRule } from "./rule-names.ts";
import { BREAK_WORDS } from "./words-breaks.ts";
import { BUDGET_WORDS } from "./words-budgets.ts";
import { MACHINE_WORDS } from "./words-machine.ts";
import { PRODUCER_WORDS } from "./words-producers.ts";
import { SESSION_WORDS } from "./words-sessions.ts";
import { WALLET_WORDS } from "./words-wallets.ts";

export interface RuleWords {
  /** The subject line, without severity. */
  readonly title: (facts: Facts) => string;
  readonly what: (facts: Facts) => string;
  /** Where it is more than the alert's amount. */
  readonly much?: (facts: Facts) => string | null;
  /** Empty, or absent: nothing. */
  readonly did?: (facts: Facts) => readonly string[];
  readonly todo: (facts: Facts) => readonly AlertTodo[];
}

const WORDS: { readonly [Rule in AlertRule]: RuleWords } = {
  ...BREAK_WORDS,
  ...BUDGET_WORDS,
  ...SESSION_WORDS,
  ...WALLET_WORDS,
  ...PRODUCER_WORDS,
  ...MACHINE_WORDS,
};

/** A rule of a later version is told too, by its name. */
const UNKNOWN: RuleWords = {
  title: ({ name, alert }) => `${name}: ${ruleText(alert.rule)}`,
  what: ({ alert }) =>
    `Bursar opened an alert of the rule ${ruleText(alert.rule)}; this version has no further words for it.`,
  todo: ({ run }) => [doThis("See what is open.", run("alerts"))],
};

const ruleText = (rule: string): string =>
  /^[a-z][a-z0-9_]{0,63}$/.test(rule) ? rule.replaceAll("_", " ") : "unknown";

export const hasWords = (rule: string): rule is AlertRule => Object.hasOwn(WORDS, rule);

export const wordsOf = (rule: string): RuleWords => (hasWords(rule) ? WORDS[rule] : UNKNOWN);
