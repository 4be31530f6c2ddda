/** A wallet in the feed: a line when it becomes low, empty, refilled or blocked; its figures alone make none. */
import type { Wallet } from "@bursar/events/shapes";
import type { MachineEvent } from "../feed.ts";
import { clock, duration, shortHex, usd } from "./figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, signsOf } from "./style.ts";
import { cut, fitLine, padEnd, safe } from "./text.ts";

type WalletEvent = Extract<MachineEvent, { kind: "wallet" }>;

/** Null where nothing changed that one must know at once. */
export function walletLine({ data, before, at }: WalletEvent, screen: Screen): string | null {
  const change = changeOf(data, before);
  if (change === null) return null;
  const paint = painter(screen);
  const signs = signsOf(screen);
  const who = padEnd(cut(safe(data.agentIds.join(", ") || "nobody"), 8, signs.ellipsis), 8);
  const wallet = `wallet ${shortHex(safe(data.address), signs)}`;
  const line = `${paint("dim", clock(at))}  ${who} ${wallet} ${paint(change.color, change.word)}  ${figuresOf(data)}`;
  return screen.live ? fitLine(line, screen.columns, signs.ellipsis) : line;
}

function changeOf({ status, blocked }: Wallet, before: WalletEvent["before"]): { word: string; color: Color } | null {
  // That the token is paused is told once, by its alert: it is about every wallet.
  const [isListed, wasListed] = [blocked === "blacklisted", before?.blocked === "blacklisted"];
  if (isListed && !wasListed) return { word: "is blacklisted by USDC's issuer", color: "red" };
  if (wasListed && !isListed) return { word: "is blacklisted no more", color: "green" };
  if (status === before?.status || status === "unknown") return null;
  if (status === "empty") return { word: "is empty", color: "red" };
  if (status === "low")
    return { word: before?.status === "empty" ? "is refilled a little" : "is low", color: "yellow" };
  return before?.status === "low" || before?.status === "empty" ? { word: "is refilled", color: "green" } : null;
}

function figuresOf({ balance, status, runwaySeconds, blocked }: Wallet): string {
  const holds = balance === null ? "" : usd(balance);
  const lasts = runwaySeconds !== null && status !== "empty" && blocked === undefined;
  return lasts ? `${holds}, lasts ${duration(runwaySeconds)} at this burn` : holds;
}
