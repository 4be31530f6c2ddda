/** An alert in the feed: one short line, whom it is about in the same column as everything else. */
import { parseUsd } from "@bursar/events/money";
import type { Alert } from "@bursar/events/shapes";
import { bar } from "./bar.ts";
import { type Exposure, exposureText, sessionText, whoText } from "./feed-action.ts";
import { clock } from "./figures.ts";
import { type FigureWords, figureOf } from "./reason-text.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { fitLine, padEnd, padStart, safe } from "./text.ts";
import { breakName, severityColor } from "./words.ts";

/** Alerts whose action, or whose wallet, has a line of its own. */
const ACTED: ReadonlySet<string> = new Set([
  "session_revoked",
  "agent_frozen",
  "wallet_low",
  "wallet_empty",
  "wallet_blacklisted",
]);
/** Warnings that no payment's line tells. */
const TOLD: ReadonlySet<string> = new Set(["unregistered_wallet"]);
const BAR = 10;

/** `agentId` is whose session it is, where that is known. Null for what has a line already, or only counts. */
export function alertLine(alert: Alert, at: string, agentId: string | null, screen: Screen): string | null {
  const text = textOf(alert, at, agentId, screen);
  if (text === null) return null;
  const { ellipsis } = signsOf(screen);
  const line = `${painter(screen)("dim", clock(at))}  ${text}`;
  return screen.live ? fitLine(line, screen.columns, ellipsis) : line;
}

function textOf(alert: Alert, at: string, agentId: string | null, screen: Screen): string | null {
  const { rule, subject, severity, status, count, text } = alert;
  const paint = painter(screen);
  const signs = signsOf(screen);
  const id = subject.slice(subject.indexOf(":") + 1);
  if (ACTED.has(rule)) return null;
  if (rule === "budget_threshold" || rule === "would_revoke") {
    const figure = figureOf(text);
    if (figure === null || status !== "open") return null;
    const who = whoText(idOf(figure), signs);
    if (rule === "budget_threshold") return `${who} ${budgetText(figure, screen)}`;
    const would = subject.startsWith("agent:") ? "would be frozen" : `${sessionText(id)} would be revoked`;
    return `${who} ${paint("yellow", would)}  ${paint("dim", `${figure.policy} at ${figure.share}`)}`;
  }
  if (rule === "exposure") {
    // How it ends has a line in its payments.
    const exposure = exposureOf(alert);
    if (exposure === null) return null;
    return `${whoText(agentId ?? "", signs)} ${sessionText(id)} ${paint("yellow", exposureText(exposure, at))}`;
  }
  if (rule === "revocation_failed") {
    // Of a session: its action has a line. Of an agent: there is no session to act on.
    const figure = figureOf(text.split(", and nothing can be revoked")[0] ?? "");
    if (!subject.startsWith("agent:") || status !== "open") return null;
    const why = figure === null ? safe(text) : `${figure.policy} at ${figure.share}, no session known`;
    return `${whoText(id, signs)} ${paint("red", "cannot be stopped")}  ${why}; bursar doctor`;
  }
  if (rule === "revocations_held_back") {
    if (status !== "open") return null;
    const [limit = "so many"] = /\d+(?= in a minute)/.exec(text) ?? [];
    return `${paint("red", "held back")}  ${limit} revocations in a minute is all without a human: bursar revoke --scope`;
  }
  // A growing count is in the totals; each break has its own line already.
  if ((severity !== "critical" && !TOLD.has(rule)) || (status === "open" && count > 1)) return null;
  const what = paint(severityColor(severity), `${severity}: ${breakName(safe(rule))}`);
  return `${what} ${safe(subject)} is ${status}`;
}

const idOf = ({ scope }: FigureWords): string => scope.slice(scope.indexOf(":") + 1);

/** `budget gambler-hour  █████░░░░░   50 %  $2.50 of $5.00` */
function budgetText({ policy, share, limit, amount }: FigureWords, screen: Screen): string {
  const [used, whole] = [unitsOf(amount), unitsOf(limit)];
  const color = used >= whole ? "red" : "yellow";
  const cells = bar(used, 0n, whole, BAR, signsOf(screen));
  const paint = painter(screen);
  return `budget ${padEnd(policy, 18)} ${paint(color, cells)}  ${paint(color, padStart(share, 5))}  ${amount} of ${limit}`;
}

const unitsOf = (text: string): bigint => parseUsd(text.replace(/[$,]/g, ""));

/** What an alert says of an exposure; null when it is over. */
export function exposureOf({ status, text }: Pick<Alert, "status" | "text">): Exposure | null {
  if (status !== "open") return null;
  const [, amount, until = null] =
    /^(\$[\d.,]+) signed in session .* may still settle(?:, until (\d{4}-\d\d-\d\dT[\d:.]+Z))?$/s.exec(text) ?? [];
  return { amount: amount ?? "of an unknown amount", until };
}
