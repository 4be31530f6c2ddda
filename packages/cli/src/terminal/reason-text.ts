/** Why Bursar did something, short enough to stand in a line beside what it did. */
import { safe } from "./text.ts";

/** `gambler-hour: agent:gambler is at 102 % of $5.00 ($5.10)`, as the judge words it. */
const FIGURE = /^([A-Za-z0-9._-]{1,64}): (.*) is at (all|\d+ %) of (-?\$[\d.,]+) \((-?\$[\d.,]+)\)$/s;
const FROZEN = /^[A-Za-z0-9._-]{1,128} is frozen: /;

export interface FigureWords {
  readonly policy: string;
  /** `agent:gambler` */
  readonly scope: string;
  /** `102 %`, or `all` of a limit of nothing. */
  readonly share: string;
  readonly limit: string;
  readonly amount: string;
}

/** A budget's figure in words taken apart; null for another text. */
export function figureOf(text: string): FigureWords | null {
  const [, policy, scope, share, limit, amount] = FIGURE.exec(text) ?? [];
  if (policy === undefined || scope === undefined || share === undefined) return null;
  return { policy, scope: safe(scope), share, limit: limit as string, amount: amount as string };
}

/** `gambler-hour at 102 %`, `frozen`; a human's words stay as they are. */
export function shortReason(reason: string): string {
  const parts = reason.split("; ").map((part) => {
    if (FROZEN.test(part)) return "frozen";
    const figure = figureOf(part);
    return figure === null ? safe(part) : `${figure.policy} at ${figure.share}`;
  });
  return [...new Set(parts)].join("; ");
}

/** The policy that a reason is about; null where it is about none. */
export function policyOf(reason: string): string | null {
  return figureOf(reason)?.policy ?? null;
}
