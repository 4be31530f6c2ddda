/** What a wallet gives cause to tell, in words: what, whose, how much, since when, and what to do about it. */
import { chainById } from "@bursar/events/chains";
import { displayUsd } from "@bursar/events/money";
import type { Severity } from "@bursar/events/shapes";
import type { Cause } from "./alerts.ts";
import type { Missing, WalletLimits, WalletRule, WalletState } from "./wallet-state.ts";

const SEVERITY: { readonly [Rule in WalletRule]: Severity } = {
  wallet_low: "warning",
  wallet_empty: "critical",
  wallet_runway: "warning",
  wallet_blacklisted: "critical",
};

/** Where the wallet is, and what it may not fall below. */
export interface Telling {
  readonly chainId: number;
  readonly limits: WalletLimits;
}

/** One alert for a wallet and a condition while it lasts: no period ends it but its own. */
export function walletCause(rule: WalletRule, state: WalletState, telling: Telling): Cause {
  return {
    rule,
    subject: subjectOf(state.address),
    severity: SEVERITY[rule],
    sample: `${openText(rule, state, telling)} ${seeText(state.address, telling)}`,
    period: "-",
    agentId: ownerOf(state),
    ...(state.standing[rule] === undefined ? {} : { at: state.standing[rule] }),
  };
}

export const walletAlertId = (rule: WalletRule, address: string): string => `${rule}/${subjectOf(address)}/-`;

/** How a condition that stood came to an end. */
export function endText(rule: WalletRule, state: WalletState, { limits }: Telling, isGoverned: boolean): string {
  const { status, balance, runwaySeconds } = state;
  const whose = whoseText(state);
  if (!isGoverned) return `${whose} is not governed any more: it is in no agent's wallets`;
  const holds = `holds ${moneyText(balance)}`;
  switch (rule) {
    case "wallet_low":
      return `${whose} was refilled: it ${holds}, enough from ${displayUsd((limits.lowUsd * 6n) / 5n)} on`;
    case "wallet_empty":
      return status === "low"
        ? `${whose} was refilled a little: it ${holds}, and is low`
        : `${whose} was refilled: it ${holds}`;
    case "wallet_runway":
      if (status === "empty") return `${whose} is empty now: see its alert wallet_empty`;
      return runwaySeconds === null
        ? `${whose} spent nothing for an hour: it ${holds}`
        : `${whose} ${holds}, which lasts ${lastsText(runwaySeconds)} at the last hour's burn`;
    case "wallet_blacklisted":
      return `${whose} is not blacklisted any more: it ${holds} and can pay`;
  }
}

/** USDC that left by no movement that was seen; one alert for a wallet and a day, with each as a sample. */
export function missingCause(missing: Missing, state: WalletState, telling: Telling): Cause {
  const amount = displayUsd(BigInt(missing.amount));
  return {
    rule: "unexplained_outflow",
    subject: subjectOf(state.address),
    severity: "critical",
    sample: `${amount} left ${whoseText(state)} after block ${missing.from}, up to ${missing.to}, by no movement that Bursar saw (noticed at ${missing.at}). Who moved it? If its transfers of these blocks are no news, the RPC node hides logs: add another to chains[0].rpcUrls. ${seeText(state.address, telling)}`,
    period: missing.at.slice(0, 10),
    at: missing.at,
    agentId: ownerOf(state),
    amount: missing.amount,
  };
}

export const missingAlertId = ({ at }: Missing, address: string): string =>
  `unexplained_outflow/${subjectOf(address)}/${at.slice(0, 10)}`;

export const explainedText = (state: WalletState): string =>
  `what left ${whoseText(state)} is explained: the movements were seen late`;

/** Whose the wallet is, where it is one agent's. */
const ownerOf = ({ agentIds }: WalletState): string | null => (agentIds.length === 1 ? (agentIds[0] ?? null) : null);

/** The token moves for nobody: one alert, whoever holds it. */
export function pausedCause(asset: string, wallets: number): Cause {
  return {
    rule: "token_paused",
    subject: `token:${asset}`,
    severity: "critical",
    sample: `USDC at ${asset} is paused by its issuer: nobody can pay with it, and ${wallets === 1 ? "the governed wallet waits" : `all ${wallets} governed wallets wait`}. What was signed stays open until it expires. Nothing is to be done but to wait; see Circle's status page`,
    period: "-",
  };
}

export const pausedAlertId = (asset: string): string => `token_paused/token:${asset}/-`;
export const unpausedText = (asset: string): string => `USDC at ${asset} is not paused any more: payments go on`;

/** "3 h 10 min": two units at most, as people say how long something lasts. */
export function lastsText(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  const [big, bigUnit, small, smallUnit] =
    hours < 48 ? [hours, "h", minutes % 60, "min"] : [Math.floor(hours / 24), "d", hours % 24, "h"];
  return small === 0 ? `${big} ${bigUnit}` : `${big} ${bigUnit} ${small} ${smallUnit}`;
}

function openText(rule: WalletRule, state: WalletState, { limits }: Telling): string {
  const { balance, runwaySeconds } = state;
  const whose = whoseText(state);
  const since = `since ${state.standing[rule] ?? state.readAt ?? "now"}`;
  const holds = `holds ${moneyText(balance)}`;
  const lasts = runwaySeconds === null ? "" : ` and is empty in ${lastsText(runwaySeconds)} at the last hour's burn`;
  switch (rule) {
    case "wallet_low":
      return `${whose} ${holds}${lasts}: less than ${displayUsd(limits.lowUsd)} (wallets.lowUsd), ${since}. Send it USDC.`;
    case "wallet_empty":
      return `${whose} ${holds} ${since}: it is empty, and what it signs cannot settle. Send it USDC.`;
    case "wallet_runway":
      return `${whose} ${holds}${lasts}: less than ${limits.runwayHours} h (wallets.runwayHours), ${since}. Send it USDC, or slow its agent down.`;
    case "wallet_blacklisted":
      return `${whose} is blacklisted by USDC's issuer ${since}: it can neither pay nor be paid, and ${moneyText(balance)} in it cannot move. Give its agent another wallet, and ask Circle why.`;
  }
}

function whoseText({ address, agentIds }: WalletState): string {
  return `wallet ${address} of ${agentIds.length === 0 ? "nobody" : agentIds.join(" and ")}`;
}

const moneyText = (balance: string | null): string =>
  balance === null ? "an unknown balance" : displayUsd(BigInt(balance));

const seeText = (address: string, { chainId }: Telling): string =>
  `See ${chainById(chainId)?.explorerAddress ?? ""}${address}`;

const subjectOf = (address: string): string => `wallet:${address}`;
