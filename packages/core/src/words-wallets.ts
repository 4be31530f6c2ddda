/** Words for wallets: what is low, empty, blocked, claimed or gone. */
import { amountText, type Facts, firstMatch, walletTitle } from "./alert-facts.ts";
import { doThis, freeze, seePayment, seePayments } from "./alert-todos.ts";
import type { RuleWords } from "./alert-words.ts";
import type { OwnRule } from "./rule-names.ts";

type WalletOwnRule = Extract<
  OwnRule,
  | "unregistered_wallet"
  | "wallet_low"
  | "wallet_empty"
  | "wallet_runway"
  | "wallet_blacklisted"
  | "token_paused"
  | "unexplained_outflow"
  | "claim_above_balance"
>;

/** Bursar's own words about a wallet: an address, its agents, figures; nothing of a stranger. */
const WALLET = "^wallet 0x[0-9a-f]{40} of [A-Za-z0-9._-]{1,128}(?: and [A-Za-z0-9._-]{1,128}){0,16}";
const HOLDS = new RegExp(`${WALLET} holds (\\$\\d{1,78}\\.\\d{2,6})`);
const LASTS = new RegExp(
  `${WALLET} holds \\$[\\d.]{1,90} and is empty in (\\d{1,9} (?:s|min|h|d)(?: \\d{1,2} (?:min|h))?) `,
);
const LEFT = /^(\$\d{1,78}\.\d{2,6}) left wallet 0x[0-9a-f]{40} /;

const holds = (f: Facts): string | null => firstMatch(f, HOLDS) ?? amountText(f);
const lasts = (f: Facts): string | null => firstMatch(f, LASTS);
const left = (f: Facts): string => firstMatch(f, LEFT) ?? amountText(f) ?? "some USDC";
const of = ({ agentId }: Facts): string => (agentId === null ? "" : ` of agent ${agentId}`);
const balance = (f: Facts): string | null => {
  const held = holds(f);
  return held === null ? null : `${held} in the wallet`;
};
const atThisRate = (f: Facts): string => {
  const time = lasts(f);
  return time === null ? "" : ` At the rate of the last hour it is empty in ${time}.`;
};

const refill = ({ wallet, chainName }: Facts) =>
  doThis(wallet === null ? "Send USDC to the wallet." : `Send USDC on ${chainName} to ${wallet}.`);
const seeWallets = ({ run }: Facts) => doThis("See all wallets, and how long each lasts.", run("wallets"));

export const WALLET_WORDS: { readonly [Rule in WalletOwnRule]: RuleWords } = {
  unregistered_wallet: {
    title: (f) => `${walletTitle(f)} is in no config`,
    what: () =>
      "An agent signs with a wallet that the config does not list. Until somebody says whose it is, Bursar can only go by who signs.",
    did: () => ["Watches the wallet, and charges what it pays to every agent that signs with it."],
    todo: (f) => [
      ...seePayment(f, "See who signs with it."),
      doThis("If it is an agent's, write it into the config: agents.<agent>.wallets."),
    ],
  },
  wallet_low: {
    title: (f) => `${walletTitle(f)} is low${holds(f) === null ? "" : ` (${holds(f)})`}`,
    what: (f) =>
      `The wallet${of(f)} holds less than is set as low (wallets.lowUsd in the config): soon its payments fail.${atThisRate(f)}`,
    much: balance,
    todo: (f) => [refill(f), seeWallets(f)],
  },
  wallet_empty: {
    title: (f) => `${walletTitle(f)} is empty`,
    what: (f) =>
      `The wallet${of(f)} is empty: whatever is signed with it cannot settle, and the agent can buy nothing.`,
    much: balance,
    todo: (f) => [refill(f), seeWallets(f), seePayments(f, "See what it was spent on.")],
  },
  wallet_runway: {
    title: (f) => `${walletTitle(f)} will be empty ${lasts(f) === null ? "soon" : `in ${lasts(f)}`}`,
    what: (f) =>
      `The wallet${of(f)} is spending faster than its balance lasts: less time is left than is set in wallets.runwayHours.${atThisRate(f)}`,
    much: balance,
    todo: (f) => [refill(f), seePayments(f, "Or see what it spends so much on, and slow it down."), seeWallets(f)],
  },
  wallet_blacklisted: {
    title: (f) => `${walletTitle(f)} is blacklisted by Circle`,
    what: (f) =>
      `Circle, which issues USDC, has blacklisted the wallet${of(f)}: it can neither pay nor be paid, and what it holds cannot be moved.`,
    much: balance,
    todo: (f) => [
      doThis("Give the agent another wallet, in AgentCore and in the config (agents.<agent>.wallets)."),
      doThis("Ask Circle why."),
      ...freeze(f, "If the agent's payments may be the cause, stop it."),
    ],
  },
  token_paused: {
    title: () => "USDC is paused: nobody can pay",
    what: () =>
      "Circle, which issues USDC, has paused it on this chain: no payment of any agent can settle until Circle lifts that. What was signed stays open until it expires.",
    todo: (f) => [
      doThis("Wait, and see Circle's status page: nothing on your side mends this."),
      doThis("See what is signed and waits.", f.run("payments", null, { state: "signed" })),
    ],
  },
  unexplained_outflow: {
    title: (f) => `${walletTitle(f)} lost ${left(f)}, unexplained`,
    what: (f) =>
      `${left(f)} in USDC left the wallet${of(f)} by no movement that Bursar saw. Either somebody moved it and the chain node (RPC) hides it, or Bursar is not shown the whole chain.`,
    much: (f) => `${left(f)} in USDC`,
    todo: (f) => [
      doThis(
        "See the wallet's transfers on Arbiscan (link below). If you do not know one of them, somebody has the key: move the rest to another wallet.",
      ),
      doThis("If you know all of them, the node hides logs: add another to chains[0].rpcUrls in the config."),
      ...freeze(f, "If somebody has the key, stop the agent."),
    ],
  },
  claim_above_balance: {
    title: (f) => `${walletTitle(f)} signed for more than it holds`,
    what: (f) =>
      `${f.counted("payment")} from the wallet${of(f)} asked for more USDC than it held: unless it is refilled first, the API cannot collect.`,
    did: () => ["Counts what is signed as held."],
    todo: (f) => [...seePayment(f), refill(f), seeWallets(f)],
  },
};
