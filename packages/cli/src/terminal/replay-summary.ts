/** What a replay found, on one screen: counts, breaks in words, budgets, what was refused, what to do next. */
import type { Replayed } from "@bursar/core/replay";
import type { Payment } from "@bursar/events/shapes";
import { budgetLines } from "./budget-lines.ts";
import { amount, count, duration, plural, shortId, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { cut, padEnd, padStart, safe, wrap } from "./text.ts";
import { breakMeaning, breakName } from "./words.ts";

export interface ReplayFacts {
  readonly replayed: Replayed;
  readonly events: number;
  readonly seconds: number;
  readonly file: string;
}

/** Breaks, budgets and reasons that are listed before "and so many more". */
const SHOWN = 10;

export function replaySummary({ replayed, events, seconds, file }: ReplayFacts, screen: Screen): string[] {
  const { payments, budgets, alerts, actions, quarantined } = replayed;
  const paint = painter(screen);
  const { dot } = signsOf(screen);
  const rate = seconds >= 1 ? ` (${count(Math.round(events / seconds))}/s)` : "";
  const of = (verdict: string) => payments.filter((payment) => payment.verdict === verdict).length;
  const lines = [
    `${paint("bold", plural(events, "event"))} of ${safe(file === "-" ? "the pipe" : file)} in ${duration(seconds)}${rate}`,
    "",
    `${paint("bold", plural(payments.length, "payment"))} ${dot} ${usd(spentOf(payments))} settled ${dot} ${paint("green", `${count(of("matched"))} matched`)} ${dot} ${count(of("pending"))} pending ${dot} ${paint(of("break") > 0 ? "red" : null, `${count(of("break"))} with breaks`)}`,
    ...states(payments, dot),
  ];
  lines.push(...breakLines(payments, screen));
  if (budgets.length > 0) {
    lines.push(
      "",
      paint("bold", "Budgets"),
      ...budgetLines(budgets.slice(0, SHOWN), screen, null).map((line) => `  ${line}`),
    );
    if (budgets.length > SHOWN) lines.push(`  and ${plural(budgets.length - SHOWN, "more row")}: --json has them all`);
  }
  lines.push(...actionLines(actions, screen));
  if (alerts.length > 0) lines.push("", `${plural(alerts.length, "alert")} would be open ${dot} --json has them`);
  lines.push(...quarantineLines(quarantined, screen));
  if (events === 0 && quarantined.length === 0)
    lines.push("", "The file holds no events. A line is one EventBridge event: bursar replay --help shows it.");
  return lines;
}

function spentOf(payments: readonly Payment[]): bigint {
  return payments.reduce((sum, { state, amount }) => (MOVED.has(state) ? sum + BigInt(amount ?? 0) : sum), 0n);
}
const MOVED: ReadonlySet<string> = new Set(["settled", "safe", "final"]);

function states(payments: readonly Payment[], dot: string): string[] {
  const counts = new Map<string, number>();
  for (const { state } of payments) counts.set(state, (counts.get(state) ?? 0) + 1);
  if (counts.size === 0) return [];
  return [
    `  ${[...counts]
      .sort(([, a], [, b]) => b - a)
      .map(([state, n]) => `${count(n)} ${state}`)
      .join(` ${dot} `)}`,
  ];
}

function breakLines(payments: readonly Payment[], screen: Screen): string[] {
  const paint = painter(screen);
  const signs = signsOf(screen);
  const byBreak = new Map<string, Payment[]>();
  for (const payment of payments) {
    for (const name of payment.breaks) byBreak.set(name, [...(byBreak.get(name) ?? []), payment]);
  }
  if (byBreak.size === 0) return [];
  const lines = ["", paint("bold", "Breaks")];
  for (const [name, those] of [...byBreak].sort(([, a], [, b]) => b.length - a.length)) {
    lines.push(`  ${paint("red", breakName(name))}: ${plural(those.length, "payment")}`);
    for (const line of wrap(breakMeaning(name), Math.min(screen.columns, 100) - 4))
      lines.push(`    ${paint("dim", line)}`);
    for (const payment of those.slice(0, 3)) lines.push(`    ${sample(payment, screen)}`);
    if (those.length > 3) lines.push(`    ${signs.ellipsis} and ${count(those.length - 3)} more`);
  }
  return lines;
}

function sample(payment: Payment, screen: Screen): string {
  const signs = signsOf(screen);
  const who = `${payment.agentId ?? "?"} ${signs.arrow} ${payment.apiId ?? "?"}`;
  return `${padEnd(shortId(payment.id, signs), 12)}  ${padEnd(safe(who), 24)} ${amount(payment.amount)}  ${payment.state}`;
}

/** What the thresholds would have done. */
function actionLines(actions: Replayed["actions"], screen: Screen): string[] {
  if (actions.length === 0) return [];
  const paint = painter(screen);
  const { ellipsis } = signsOf(screen);
  const width = Math.min(screen.columns, 100) - 2;
  const lines = ["", paint("bold", "Would be stopped")];
  for (const { kind, target, reason } of actions.slice(0, SHOWN)) {
    const what = kind === "freeze_agent" ? `freeze ${safe(target)}` : `revoke session ${safe(target)}`;
    lines.push(`  ${cut(`${what}: ${safe(reason)}`, width, ellipsis)}`);
  }
  if (actions.length > SHOWN) lines.push(`  and ${plural(actions.length - SHOWN, "more")}: --json has them all`);
  return lines;
}

function quarantineLines(quarantined: Replayed["quarantined"], screen: Screen): string[] {
  if (quarantined.length === 0) return [];
  const paint = painter(screen);
  const byReason = new Map<string, number>();
  for (const { reason } of quarantined) byReason.set(reason, (byReason.get(reason) ?? 0) + 1);
  const sorted = [...byReason].sort(([, a], [, b]) => b - a);
  const width = Math.min(screen.columns, 100);
  const lines = [
    "",
    `${paint("bold", `${plural(quarantined.length, "event or line", "events or lines")} quarantined`)}: not taken, not lost`,
  ];
  for (const [reason, times] of sorted.slice(0, SHOWN)) {
    lines.push(`  ${padStart(count(times), 5)}  ${cut(safe(reason), width - 9, signsOf(screen).ellipsis)}`);
  }
  if (sorted.length > SHOWN) lines.push(`         and ${plural(sorted.length - SHOWN, "more reason")}`);
  lines.push("  Fix what sends them and replay: --json lists each with its reason and what was kept of it.");
  return lines;
}
