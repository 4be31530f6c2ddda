/** What the words of an alert are made of: names of known shapes and figures, read from the alert; no stranger's text. */
import { chainById } from "@bursar/events/chains";
import { displayUsd, parseUsd } from "@bursar/events/money";
import type { KeptAlert } from "./alert-shape.ts";
import {
  addressOf,
  type BudgetName,
  budgetOf,
  nonceOf,
  type PaymentName,
  paymentOf,
  plainName,
  producerOf,
  type Subject,
  shortAddress,
  subjectFrom,
} from "./alert-subject.ts";
import { countText, cutText, plural } from "./alert-text.ts";
import { type Command, commandLine } from "./shell.ts";

/** Where and when a message is made. */
export interface NoticeContext {
  readonly org: string;
  readonly now: string;
  /** The watched chain: wallets are looked up on it. */
  readonly chainId: number;
  /** The stage in AWS; absent on one machine. */
  readonly stage?: string | undefined;
}

export interface Facts {
  readonly alert: KeptAlert;
  readonly subject: Subject;
  readonly org: string;
  /** The stage in AWS; null on one machine. */
  readonly stage: string | null;
  /** The watched chain: "Arbitrum One". */
  readonly chainName: string;
  readonly agentId: string | null;
  readonly apiId: string | null;
  readonly wallet: string | null;
  /** The session's id, where it is a plain name. */
  readonly sessionId: string | null;
  readonly budget: BudgetName | null;
  /** The payment of the first sample, or of the subject. */
  readonly payment: PaymentName | null;
  /** What a budget stood at when it was judged. */
  readonly figure: BudgetFigure | null;
  /** Atomic units. */
  readonly amount: bigint | null;
  /** In a title, before the colon. */
  readonly name: string;
  /** "agent gambler", "an unknown agent". */
  readonly agent: string;
  /** A command for the machine or the stage that the alert is of. */
  run(name: string, about?: string | null, options?: Command["options"]): string;
  /** "3 payments": as many as occurred. */
  counted(one: string, many?: string): string;
}

/** Longest name in a title: it must leave room for what happened. */
const NAME_MAX = 28;

export const titleName = (name: string): string => cutText(name, NAME_MAX);

export function factsOf(alert: KeptAlert, context: NoticeContext): Facts {
  const { org } = context;
  const stage = context.stage !== undefined && STAGE.test(context.stage) ? context.stage : null;
  const subject = subjectFrom(alert.subject);
  const { kind, id } = subject;
  const budget = kind === "budget" ? budgetOf(id) : null;
  const agentId =
    (kind === "agent" ? producerOf(id) : null) ?? budget?.agentId ?? producerOf(alert.agentId) ?? ofSource("agent", id);
  const apiId = kind === "api" ? producerOf(id) : ofSource("api", id);
  const wallet = kind === "wallet" ? addressOf(id) : null;
  const payment = paymentIn(alert, subject);
  const places: Command["options"] = stage === null ? {} : { stage };
  const about = apiId ?? agentId ?? (wallet === null ? null : `wallet ${shortAddress(wallet)}`);
  const amount = alert.amount !== null && /^\d{1,78}$/.test(alert.amount) ? BigInt(alert.amount) : null;
  return {
    alert,
    subject,
    org,
    stage,
    chainName: chainById(context.chainId)?.name ?? "the watched chain",
    agentId,
    apiId,
    wallet,
    sessionId: kind === "session" ? plainName(id.slice(id.lastIndexOf("/") + 1)) : null,
    budget,
    payment,
    figure: figureIn(alert),
    amount,
    name: titleName(about ?? (payment === null ? org : `payment ${payment.short}`)),
    agent: agentId === null ? "an unknown agent" : `agent ${agentId}`,
    run: (name, on, options = {}) => commandLine({ name, about: on ?? undefined, options: { ...options, ...places } }),
    counted: (one, many) => plural(alert.count, one, many),
  };
}

const STAGE = /^[A-Za-z0-9][A-Za-z0-9-]{0,62}$/;

function ofSource(kind: "agent" | "api", id: string): string | null {
  const prefix = `bursar.${kind}.`;
  return id.startsWith(prefix) ? producerOf(id.slice(prefix.length)) : null;
}

/** Where a sample of Bursar's own names a nonce: behind no stranger's word. */
const NONCES: { readonly [rule: string]: RegExp } = {
  large_payment: /^\$\d{1,78}\.\d{2,6} signed in one payment \((0x[0-9a-f]{64})\)/,
  long_authorization: /^an authorization \((0x[0-9a-f]{64})\)/,
  claim_above_balance: /^[A-Za-z0-9._-]{1,128} signed \$\d.{0,600} \(nonce (0x[0-9a-f]{64})\)$/,
};

function paymentIn({ rule, samples }: KeptAlert, { kind, id }: Subject): PaymentName | null {
  const named = kind === "payment" ? [id] : [];
  for (const one of [...named, ...samples.flatMap(({ paymentId }) => paymentId ?? [])]) {
    const payment = paymentOf(one);
    if (payment !== null) return payment;
  }
  const pattern = Object.hasOwn(NONCES, rule) ? NONCES[rule] : undefined;
  const nonce = pattern?.exec(samples[0]?.text ?? "")?.[1];
  return nonce === undefined ? null : nonceOf(nonce);
}

export interface BudgetFigure {
  readonly policy: string;
  /** "102 %"; "all" of a budget of nothing. */
  readonly share: string;
  readonly limit: bigint;
  readonly amount: bigint;
}

/** The words of `crossings`. What stands between policy and figures may be a stranger's, so the last figures count. */
const FIGURE =
  /^(?:[A-Za-z0-9._-]{1,128} is frozen: )?([A-Za-z0-9._-]{1,64}): .* is at (\d{1,78} %|all) of (\$\d{1,78}\.\d{2,6}) \((\$\d{1,78}\.\d{2,6})\)$/;
const NOTHING_TO_REVOKE = /^(.*\(\$[\d.]+\)), and nothing can be revoked: /;

/** Rules whose samples are a budget's own words from their first letter on. */
const OF_BUDGETS: ReadonlySet<string> = new Set([
  "budget_threshold",
  "session_revoked",
  "would_revoke",
  "agent_frozen",
  "revocation_failed",
]);

function figureIn({ rule, samples, text }: KeptAlert): BudgetFigure | null {
  if (!OF_BUDGETS.has(rule)) return null;
  for (const said of [...samples.map((sample) => sample.text), text]) {
    const reason = NOTHING_TO_REVOKE.exec(said)?.[1] ?? said;
    const [, policy, share, limit, amount] = FIGURE.exec(reason) ?? [];
    if (policy === undefined || share === undefined) continue;
    return { policy, share, limit: dollars(limit), amount: dollars(amount) };
  }
  return null;
}

function dollars(text = "$0"): bigint {
  try {
    return parseUsd(text.slice(1));
  } catch {
    return 0n;
  }
}

/** In titles of wallets: "research: wallet 0x52ab...cd12". */
export function walletTitle({ wallet, agentId, name }: Facts): string {
  const own = wallet === null ? "a wallet" : `wallet ${shortAddress(wallet)}`;
  return agentId === null ? (wallet === null ? name : own) : `${name}: ${own}`;
}

/** The threshold that was crossed: "80 %"; null where the alert is of none. */
export function thresholdOf({ alert }: Facts): string | null {
  const [, share] = /\/(\d{1,4}(?:\.\d{1,4})?)$/.exec(alert.id) ?? [];
  return share === undefined ? null : `${Math.round(Number(share) * 10_000) / 100} %`;
}

/** "$5.10 of $5.00, which is 102 %". */
export function figureText({ figure }: Facts): string | null {
  if (figure === null) return null;
  const share = figure.share === "all" ? "" : `, which is ${figure.share}`;
  return `${displayUsd(figure.amount)} spent and held of ${displayUsd(figure.limit)}${share}`;
}

/** What a text of Bursar's own begins with: a figure before any stranger's word, else null. */
export function firstMatch({ alert }: Facts, pattern: RegExp): string | null {
  for (const { text } of alert.samples) {
    const [, found] = pattern.exec(text) ?? [];
    if (found !== undefined) return found;
  }
  return null;
}

export const amountText = ({ amount }: Facts): string | null => (amount === null ? null : displayUsd(amount));

/** "3 times"; "once". */
export const timesText = (count: number): string => (count === 1 ? "once" : `${countText(count)} times`);
