/** One line per payment as it moves: when, who, how much, how far, who has spoken, and whether the stories agree. */
import type { Payment } from "@bursar/events/shapes";
import type { MachineEvent, Standing } from "../feed.ts";
import { actionLines } from "./feed-action.ts";
import { alertLine } from "./feed-alert.ts";
import { walletLine } from "./feed-wallet.ts";
import { amount, clock, duration, shortHex, shortId } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, type Signs, signsOf } from "./style.ts";
import { cut, fitLine, padEnd, padStart, safe, widthOf } from "./text.ts";
import { breakName } from "./words.ts";

/** What is worth a line; null for what only moves the totals. */
export function feedLine(event: MachineEvent, screen: Screen): string | null {
  const paint = painter(screen);
  const time = paint("dim", clock(event.at));
  switch (event.kind) {
    case "payment":
      return paymentLine(event.data, event.before, event.at, screen);
    case "alert":
      return alertLine(event.data, event.at, null, screen);
    case "action":
      return actionLines(event.data, event.at, null, screen)[0] ?? null;
    case "wallet":
      return walletLine(event, screen);
    case "quarantined": {
      const { source, reason } = event.data;
      return fit(
        `${time}  ${paint("yellow", "not taken")}  from ${safe(source ?? "an unknown source")}: ${safe(reason)}`,
        screen,
      );
    }
    case "notice":
      return fit(`${time}  ${paint("yellow", "notice")}  ${safe(event.data.message)}`, screen);
    case "heads":
      return null;
  }
}

function paymentLine(payment: Payment, before: Standing | null, at: string, screen: Screen): string | null {
  const step = stepOf(payment, before);
  if (step === null) return null;
  const paint = painter(screen);
  const signs = signsOf(screen);
  const agent = cut(safe(payment.agentId ?? "nobody"), 8, signs.ellipsis);
  const api = cut(safe(payment.apiId ?? "outside"), 8, signs.ellipsis);
  const who = `${padEnd(agent, 8)} ${signs.arrow} ${padEnd(api, 7)}`;
  const head = `${paint("dim", clock(at))}  ${who} ${padStart(amount(payment.amount), 10)}`;
  const { text, color } = verdictWords(payment, step, at);
  let line = `${head}  ${paint(color, padEnd(text, VERDICT))}`;
  let used = HEAD + 2 + Math.max(VERDICT, widthOf(text));
  // What matters less is left out where it would be cut; `bursar payment` has it all.
  for (const part of step.kind === "break" ? breakParts(payment, step, used, screen) : parts(payment, step, screen)) {
    if (screen.live && used + 2 + part.width > screen.columns) continue;
    line += `  ${part.shown}`;
    used += 2 + part.width;
  }
  return fit(line, screen);
}

function parts(payment: Payment, step: Step, screen: Screen): readonly Part[] {
  return [spoken(payment, signsOf(screen)), nameOf(payment, step, screen)];
}

/** A break is what one asks about next: its name is shown, if only its beginning, before who has spoken. */
function breakParts(payment: Payment, step: Step, used: number, screen: Screen): readonly Part[] {
  const [spoke, name] = parts(payment, step, screen) as [Part, Part];
  if (!screen.live || used + 4 + spoke.width + name.width <= screen.columns) return [spoke, name];
  return [used + 2 + name.width <= screen.columns ? name : nameOf(payment, step, screen, 8)];
}

/** Columns of the parts of a line, so that eyes can go down them. */
const HEAD = 10 + 2 + 18 + 1 + 10;
const VERDICT = 18;

interface Part {
  readonly shown: string;
  readonly width: number;
}

interface Step {
  readonly kind: "signed" | "matched" | "break" | "healed" | "closed" | "taken_back";
  readonly word: string;
}

const CLOSED: ReadonlySet<string> = new Set(["declined", "expired", "cancelled"]);
const PAID: ReadonlySet<string> = new Set(["settled", "safe", "final"]);

/**
 * Signed, then the verdict: what lies between them is over in a moment and would only make noise; how final a block is
 * changes no story. But that a block is gone is told.
 */
function stepOf({ state, verdict, breaks }: Payment, before: Standing | null): Step | null {
  const grown = breaks.some((name) => !before?.breaks.includes(name));
  const word = state === "safe" || state === "final" ? "settled" : state;
  if (verdict === "break" && grown) return { kind: "break", word };
  if (CLOSED.has(state) && before?.state !== state) return { kind: "closed", word };
  if (before !== null && PAID.has(before.state) && !PAID.has(state)) return { kind: "taken_back", word };
  if (before?.verdict === "break" && verdict !== "break") return { kind: "healed", word };
  if (verdict === "matched" && before?.verdict !== "matched") return { kind: "matched", word };
  const wasSigned = before !== null && before.state !== "offered";
  return state === "signed" && !wasSigned ? { kind: "signed", word } : null;
}

/** The nonce while it is all there is, then the transaction; or the first `digits` of it, which name it as well. */
function nameOf({ id, txHashes, explorerUrl }: Payment, { kind }: Step, screen: Screen, digits?: number): Part {
  const signs = signsOf(screen);
  const [hash] = txHashes;
  const short = (name: string): string => (digits === undefined ? shortHex(name, signs) : name.slice(0, digits));
  const text = kind === "signed" || hash === undefined ? shortId(id, signs) : short(hash);
  const link = kind === "signed" ? null : explorerUrl;
  return { shown: painter(screen)("dim", linked(text, link, screen)), width: widthOf(text) };
}

function verdictWords(payment: Payment, { kind, word }: Step, at: string): { text: string; color: Color | null } {
  if (kind === "signed") return { text: word, color: "dim" };
  if (kind === "taken_back") return { text: "taken back by a reorg", color: "yellow" };
  if (kind === "break") return { text: `break: ${payment.breaks.map(breakName).join(", ")}`, color: "red" };
  if (kind === "healed") return { text: "healed, agrees now", color: "green" };
  if (kind === "closed") return { text: `${word}, not paid`, color: null };
  const signed = payment.timeline.find(({ type }) => SIGNING.has(type));
  if (signed === undefined) return { text: "matched", color: "green" };
  const seconds = (Date.parse(at) - Date.parse(signed.at)) / 1000;
  return { text: `matched in ${duration(seconds)}`, color: "green" };
}

const SIGNING: ReadonlySet<string> = new Set(["agent.authorization_signed", "api.verification_started"]);

/** Who has told their story: "agent ✓ api ✓ chain –". */
function spoken({ timeline, agentIds, apiId, state }: Payment, signs: Signs): Part {
  const has = (source: (source: string) => boolean) =>
    timeline.some((entry) => source(entry.source)) ? signs.yes : signs.silent;
  const agent = has((source) => agentIds.some((id) => source === `bursar.agent.${id}`));
  const api = has((source) => source === `bursar.api.${apiId}`);
  // A settlement that was taken back is in the timeline for good; the chain does not stand by it.
  const chain = PAID.has(state) ? signs.yes : signs.silent;
  const shown = `agent ${agent} api ${api} chain ${chain}`;
  return { shown, width: widthOf(shown) };
}

/** A terminal that knows hyperlinks (OSC 8) opens the hash; others show the text alone. The URL is made of validated hex. */
function linked(text: string, url: string | null, { live }: Screen): string {
  if (!live || url === null || !/^https:\/\/[a-z.]+\/tx\/0x[0-9a-f]{64}$/.test(url)) return text;
  return `\u001b]8;;${url}\u001b\\${text}\u001b]8;;\u001b\\`;
}

/** Whole lines only: one that wraps would break the lines at the bottom. */
function fit(line: string, screen: Screen): string {
  return screen.live ? fitLine(line, screen.columns, signsOf(screen).ellipsis) : line;
}
