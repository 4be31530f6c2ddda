/** The machine's health and totals on a few lines. */
import type { Status } from "../commands/status.ts";
import { count, plural, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { safe, wrap } from "./text.ts";
import { nodesOf } from "./watch-lines.ts";

export function statusLines(status: Status, screen: Screen): string[] {
  const { from, health, totals, alertsOpen, budgetsReached } = status;
  const paint = painter(screen);
  const { dot } = signsOf(screen);
  const line = (name: string, text: string) => `${paint("dim", name.padEnd(10))}${text}`;
  const lines: string[] = [];
  if (health === null)
    lines.push(
      line("machine", `${paint("yellow", "not running")} ${dot} read from ${safe(from)} ${dot} start it: bursar start`),
    );
  else {
    const { chain, queueDepth, quarantined, faults = [], frozen = [] } = health;
    lines.push(
      line(
        "machine",
        `${paint(health.status === "ok" ? "green" : "yellow", health.status)} ${dot} ${safe(from)} ${dot} Bursar ${safe(health.version)}`,
      ),
    );
    const width = Math.min(screen.columns, 100) - 10;
    for (const fault of faults)
      lines.push(...wrap(safe(fault), width).map((text, i) => line(i === 0 ? "fault" : "", paint("yellow", text))));
    if (frozen.length > 0)
      lines.push(
        line("frozen", `${paint("red", safe(frozen.join(", ")))} ${dot} let go: bursar unfreeze AGENT --reason TEXT`),
      );
    const lag = chain.lagBlocks === null ? "" : ` ${dot} ${plural(chain.lagBlocks, "block")} behind`;
    const seen =
      chain.latest === null
        ? "not seen yet: is an RPC URL configured?"
        : `block ${count(chain.latest)} ${dot} final ${count(chain.final ?? 0)}${lag}`;
    lines.push(line("chain", `${chain.id} ${dot} ${seen}`));
    lines.push(...nodesOf(status).map((text, i) => line(i === 0 ? "nodes" : "", text)));
    lines.push(
      line("queue", `${plural(queueDepth, "entry", "entries")} waiting ${dot} ${count(quarantined)} quarantined`),
    );
  }
  lines.push(
    line(
      "payments",
      `${count(totals.payments)} ${dot} ${count(totals.matched)} matched ${dot} ${count(totals.pending)} pending ${dot} ${paint(totals.breaks > 0 ? "red" : null, `${count(totals.breaks)} with breaks`)}`,
    ),
  );
  lines.push(line("money", `${usd(totals.spent)} spent ${dot} ${usd(totals.held)} held`));
  if (alertsOpen !== null)
    lines.push(
      line(
        "alerts",
        alertsOpen === 0 ? "none open" : `${paint("yellow", `${count(alertsOpen)} open`)} ${dot} bursar alerts`,
      ),
    );
  if (budgetsReached !== null && budgetsReached.length > 0)
    lines.push(line("budgets", paint("red", `reached: ${safe(budgetsReached.slice(0, 5).join(", "))}`)));
  return lines;
}
