/** Payments as a table: one line each, the newest as the caller sorts them. */
import type { Payment } from "@bursar/events/shapes";
import { amount, shortId } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { signsOf } from "./style.ts";
import { table } from "./table.ts";
import { verdictColor, verdictText } from "./words.ts";

export function paymentTable(payments: readonly Payment[], screen: Screen): string[] {
  const signs = signsOf(screen);
  const columns = [
    { title: "ID", min: 12 },
    { title: "STARTED (UTC)" },
    { title: "AGENT", min: 6 },
    { title: "API", min: 6 },
    { title: "AMOUNT", align: "right" as const },
    { title: "STATE" },
    { title: "VERDICT", min: 10 },
  ];
  const rows = payments.map((payment) => [
    shortId(payment.id, signs),
    started(payment),
    payment.agentIds.join(", ") || signs.silent,
    payment.apiId ?? signs.silent,
    amount(payment.amount),
    payment.state,
    { text: verdictText(payment), color: verdictColor(payment.verdict) },
  ]);
  return table(columns, rows, screen);
}

/** "11-20 10:00:02": the year is this one or clear from what one looks for. */
function started({ timeline, bookedAt }: Payment): string {
  const at = timeline[0]?.at ?? bookedAt;
  return at === null || at === undefined ? "" : `${at.slice(5, 10)} ${at.slice(11, 19)}`;
}
