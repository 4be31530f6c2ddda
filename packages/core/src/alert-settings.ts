/** How alerts are wanted: the config's word on rules, and what humans keep quiet. One item, read with every alert that moves. */

import { type RuleSetting, ruleOf } from "./alert-rules.ts";
import type { AlertName, Manner } from "./alert-state.ts";
import { canonical } from "./canonical.ts";
import { changeItem } from "./change.ts";
import type { Json, Key, Store, Stored } from "./ports.ts";

/** A rule or a subject that nobody is told of until a time. */
export interface Quiet {
  /** A rule's name, or a subject like `agent:research`. */
  readonly about: string;
  /** ISO-8601; from then on it is told again, what stands then too. */
  readonly until: string;
  readonly reason: string;
  readonly at: string;
}

export interface AlertSettings {
  readonly rules: { readonly [rule: string]: RuleSetting };
  readonly quiets: readonly Quiet[];
}

export const ALERT_SETTINGS_KEY: Key = { pk: "ALERTS", sk: "." };
const NONE: AlertSettings = { rules: {}, quiets: [] };
/** Kept at once; the one that ends first gives way. */
const QUIETS_MAX = 200;

export const alertSettingsOf = (stored: Stored | undefined): AlertSettings =>
  stored === undefined ? NONE : (stored.data as unknown as AlertSettings);

export async function readAlertSettings(store: Store): Promise<AlertSettings> {
  const [stored] = await store.get([ALERT_SETTINGS_KEY]);
  return alertSettingsOf(stored);
}

/** Puts the config's rules in force. */
export async function applyAlertRules(store: Store, rules: AlertSettings["rules"]): Promise<void> {
  await change(store, (settings) => ({ ...settings, rules }));
}

/** Keeps a rule or a subject quiet until a time; until now or earlier is the end of it. Answers what is quiet then. */
export async function keepQuiet(store: Store, quiet: Quiet): Promise<readonly Quiet[]> {
  const { quiets } = await change(store, (settings) => {
    const others = settings.quiets.filter(({ about, until }) => about !== quiet.about && until > quiet.at);
    const all = quiet.until > quiet.at ? [...others, quiet] : others;
    return { ...settings, quiets: all.sort((a, b) => (a.until < b.until ? -1 : 1)).slice(-QUIETS_MAX) };
  });
  return quiets;
}

/** How an alert is wanted at `now`. */
export function mannerOf(
  { rules, quiets }: AlertSettings,
  { rule, subject }: Pick<AlertName, "rule" | "subject">,
  now: string,
): Manner {
  const own = ruleOf(rule);
  const set = Object.hasOwn(rules, rule) ? rules[rule] : undefined;
  const ends = quiets.filter(({ about, until }) => (about === rule || about === subject) && until > now);
  return {
    severity: set?.severity ?? null,
    tell: set?.tell ?? own.tell,
    tellEnd: own.tellEnd,
    quietUntil:
      ends
        .map(({ until }) => until)
        .sort()
        .at(-1) ?? null,
  };
}

async function change(store: Store, edit: (settings: AlertSettings) => AlertSettings): Promise<AlertSettings> {
  let after = NONE;
  await changeItem(store, ALERT_SETTINGS_KEY, (stored) => {
    const before = alertSettingsOf(stored);
    after = edit(before);
    const data = after as unknown as Json;
    return canonical(data) === canonical(before as unknown as Json) ? null : { data };
  });
  return after;
}
