/** One round of the chain's watcher, on a few lines. */
import type { WatchedOnce } from "../commands/watch.ts";
import type { ChainStanding } from "../watcher.ts";
import { count, duration, plural } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { painter, signsOf } from "./style.ts";
import { safe, wrap } from "./text.ts";

export function watchLines(done: WatchedOnce, screen: Screen): string[] {
  const paint = painter(screen);
  const { dot } = signsOf(screen);
  const line = (name: string, text: string) => `${paint("dim", name.padEnd(10))}${text}`;
  const { id, latest, safe: safeBlock, final, scanned, behind, backfilling, events, lagging, limited, waiting } = done;
  const past = backfilling > 0 ? ` (${count(backfilling)} of the past)` : "";
  const lines = [
    line("chain", `${id} ${dot} block ${count(latest)} ${dot} safe ${count(safeBlock)} ${dot} final ${count(final)}`),
    line(
      "read",
      `to block ${count(scanned)} ${dot} ${behind === 0 ? "nothing left" : `${plural(behind, "block")} left${past}`}`,
    ),
    line("told", events === 0 ? "nothing new" : plural(events, "fact")),
    ...nodesOf(done).map((text, i) => line(i === 0 ? "nodes" : "", text)),
  ];
  const open = Object.values(waiting);
  if (open.length > 0) {
    const pending = open.filter((one) => one === "pending").length;
    lines.push(
      line(
        "waiting",
        `${plural(pending, "claimed hash", "claimed hashes")} in the mempool ${dot} ${count(open.length - pending)} that no node knows`,
      ),
    );
  }
  if (lagging)
    lines.push(
      line("lagging", paint("yellow", "the nodes lack what was read before, or differ: nothing was taken back")),
    );
  const width = Math.min(screen.columns, 100) - 10;
  if (limited !== null)
    lines.push(...wrap(safe(limited), width).map((text, i) => line(i === 0 ? "cut short" : "", paint("yellow", text))));
  return lines;
}

/** Each node with what stands against it, in words. */
export function nodesOf({ nodes }: Pick<ChainStanding, "nodes">): string[] {
  return nodes.map(({ host, score, restMs }) => {
    if (restMs > 0) return `${safe(host)}  asked for a pause, again in ${duration(Math.ceil(restMs / 1000))}`;
    return `${safe(host)}  ${score >= 1 ? "well" : `health ${Math.round(score * 100)} %`}`;
  });
}
