/** What Bursar did, in the feed: whose session, how it ended and how fast, why, and what it may still cost. */
import type { Action } from "@bursar/events/shapes";
import { latencyText } from "./action-table.ts";
import { clock, timeText } from "./figures.ts";
import { shortReason } from "./reason-text.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, type Signs, signsOf } from "./style.ts";
import { cut, fitLine, padEnd, safe, widthOf } from "./text.ts";

/** What was signed in a session before it was revoked, and until when it may settle. */
export interface Exposure {
  /** `$0.50` */
  readonly amount: string;
  /** ISO-8601; null where nobody knows. */
  readonly until: string | null;
}

/** Columns of the time and of whom it is about. */
const HEAD = 12;
const WHO = 8;
/** Of what was done, so that the reasons stand below each other; on a narrow terminal ids lose what all begin with. */
const DEED = 49;
const DEED_NARROW = 33;
const COLUMNS_WIDE = 98;

/** None for what is only under way; two where the exposure needs a line of its own. */
export function actionLines(action: Action, at: string, exposure: Exposure | null, screen: Screen): string[] {
  if (action.outcome === "due" || action.outcome === "planned") return [];
  const paint = painter(screen);
  const signs = signsOf(screen);
  const isWide = !screen.live || screen.columns >= COLUMNS_WIDE;
  const { what, word, color, why } = deedOf(isWide ? action : { ...action, target: bareId(action.target) });
  const room = isWide ? DEED : DEED_NARROW;
  const plain = `${what} ${word}`.trimStart();
  const deed = `${plain.slice(0, plain.length - word.length)}${paint(color, word)}${" ".repeat(Math.max(0, room - widthOf(plain)))}`;
  const head = `${paint("dim", clock(at))}  ${whoText((action.agentIds ?? []).join(", "), signs)} ${deed}  ${paint("dim", why)}`;
  const width = HEAD + WHO + 1 + Math.max(room, widthOf(plain)) + 2 + widthOf(why);
  const more = exposure === null ? "" : exposureText(exposure, at);
  if (more === "") return [fitLine(head, screen.columns, signs.ellipsis)];
  if (!screen.live || width + 2 + widthOf(more) <= screen.columns) return [`${head}  ${paint("yellow", more)}`];
  return [
    fitLine(head, screen.columns, signs.ellipsis),
    fitLine(`${" ".repeat(HEAD + WHO + 1)}${paint("yellow", more)}`, screen.columns, signs.ellipsis),
  ];
}

interface Deed {
  readonly what: string;
  readonly word: string;
  readonly color: Color | null;
  readonly why: string;
}

function deedOf({ kind, target, outcome, reason, latencyMs = null, detail = null }: Action): Deed {
  const what = kind === "freeze_agent" ? "" : sessionText(target);
  const why = shortReason(reason);
  if (outcome === "failed")
    return { what, word: "not revoked", color: "red", why: detail === null ? why : faultText(detail) };
  if (outcome === "skipped") return { what, word: "held back", color: "yellow", why };
  if (kind === "freeze_agent") return { what, word: "frozen", color: "red", why };
  // AgentCore had it no more: nothing was stopped by us.
  if (detail !== null) return { what, word: "was over already", color: null, why };
  return { what, word: `revoked${latencyMs === null ? "" : ` in ${latencyText(latencyMs)}`}`, color: "red", why };
}

/** What went wrong, without the call and the session that the line names already. */
function faultText(detail: string): string {
  return safe(detail).replace(/^[A-Za-z]+ \S+ for user \S+ at arn:\S+: /, "");
}

/** AgentCore's own ids say what they are. */
export function sessionText(id: string): string {
  const shown = safe(id);
  return /session/i.test(shown) || AGENTCORE.test(shown) ? shown : `session ${shown}`;
}

/** What is left of AgentCore's ids. */
const AGENTCORE = /^[a-z0-9]{15}$/;

function bareId(id: string): string {
  const bare = id.replace(/^payment-session-/, "");
  return AGENTCORE.test(bare) ? bare : id;
}

/** Whom a line is about, in the feed's column. */
export function whoText(who: string, signs: Signs): string {
  return padEnd(cut(safe(who) || "nobody", WHO, signs.ellipsis), WHO);
}

/** `exposure $0.50 until 12:01:11` */
export function exposureText({ amount, until }: Exposure, at: string): string {
  return `exposure ${amount}${until === null ? "" : ` until ${timeText(until, at)}`}`;
}
