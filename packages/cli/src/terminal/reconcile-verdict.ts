/** Whether chain and books of a day are equal, proved by what; and where they are not, each payment and what to do. */
import type { Difference, DifferenceKind } from "@bursar/core/differences";
import type { Reconciled } from "../reconcile.ts";
import { plural, shortId, stamp, usd } from "./figures.ts";
import { figureText, signedUsd } from "./reconcile-figures.ts";
import type { Screen } from "./screen.ts";
import { type Color, painter, type Signs, signsOf } from "./style.ts";
import { table } from "./table.ts";
import { safe, wrap } from "./text.ts";

/** Differences that are listed; --json has them all. */
const SHOWN = 50;
/** Blocks that a watcher may stand behind without a word: a few minutes of Arbitrum. */
const UNREAD_TOLD = 1_000;

export function verdictLines(found: Reconciled, screen: Screen, width: number): string[] {
  const { chain, notAsked, chainFailed, differences, total, after } = found;
  const paint = painter(screen);
  const said = (text: string, color: Color | null = null) => wrap(text, width).map((line) => paint(color, line));
  if (chain === null) {
    const what = chainFailed ? "The chain did not answer" : "The chain was not asked";
    return [
      ...said(`${what}, so that nothing is proved.`, chainFailed ? "red" : "yellow"),
      ...said(`Why: ${safe(notAsked ?? "")}.`),
    ];
  }
  const unread = `${plural(chain.unread, "block")} of the day ${chain.unread === 1 ? "is" : "are"} not read yet`;
  return [
    ...(differences.length === 0
      ? said(`Chain and books are equal to the unit: ${figureText(total.books)}.`, "green")
      : [
          ...said(`Chain and books differ in ${plural(differences.length, "payment")}.`, "red"),
          "",
          ...differenceTable(differences, screen),
          "",
          ...adviceOf(differences).flatMap((text) => said(text)),
        ]),
    ...proofOf(found).flatMap(({ text, color }) => said(text, color)),
    ...(chain.isOver && chain.unread > 0
      ? said(`${unread}, so that the day is not complete. A running machine reads them; ask again then.`, "yellow")
      : chain.unread > UNREAD_TOLD
        ? said(`${unread}.`)
        : []),
    ...(after.count === 0 ? [] : said(`Booked since then, and not compared: ${figureText(after)}.`)),
  ];
}

const KINDS: { readonly [kind in DifferenceKind]: string } = {
  missing_in_books: "not in the books",
  missing_on_chain: "not on the chain",
  amount: "other amount",
  another_day: "another day",
};

function differenceTable(differences: readonly Difference[], screen: Screen): string[] {
  const signs = signsOf(screen);
  const lines = table(
    [
      { title: "DIFFERENCE" },
      { title: "PAYMENT", min: 11 },
      { title: "AGENT", min: 6 },
      { title: "BLOCK TIME" },
      { title: "CHAIN", align: "right" },
      { title: "BOOKS", align: "right" },
    ],
    differences
      .slice(0, SHOWN)
      .map(({ kind, id, agentIds, at, chain, books, table: known }) => [
        KINDS[kind],
        shortId(id, signs),
        agentIds.join(", ") || signs.silent,
        stamp(at),
        chain === null ? signs.silent : usd(chain),
        books === null ? tableText(known, signs) : usd(books),
      ]),
    screen,
  );
  const more = differences.length - SHOWN;
  return more > 0 ? [...lines, `and ${plural(more, "payment")} more: --json has them all`] : lines;
}

/** What the table has in place of an amount: another day, a state before settlement, or nothing. */
function tableText(known: Difference["table"], { silent }: Signs): string {
  return known === null ? silent : (known.bookedAt?.slice(0, 10) ?? known.state);
}

const ADVICE: { readonly [kind in DifferenceKind]: (first: Difference) => string } = {
  missing_in_books: ({ blockNumber }) =>
    `Not in the books: USDC left a governed wallet and Bursar has not counted it; most likely it was not running, or did not know the wallet, at the time. Read the chain again from there: bursar backfill --from ${blockNumber}`,
  missing_on_chain: () =>
    "Not on the chain: the books have a settlement that the chain does not show. Look at it: bursar payment ID. If it stays, the store was changed by somebody else, or this is a fault in Bursar.",
  amount: () =>
    "Other amount: the chain is right. No event can cause this: the store was changed by somebody else, or this is a fault in Bursar.",
  another_day: () =>
    "Another day: chain and books have it in different days. Reconcile the other day too before you close either.",
};

function adviceOf(differences: readonly Difference[]): string[] {
  return (Object.keys(ADVICE) as DifferenceKind[]).flatMap((kind) => {
    const first = differences.find((one) => one.kind === kind);
    return first === undefined ? [] : [ADVICE[kind](first)];
  });
}

/** USDC's own balances: do they say the same as the movements? */
function proofOf({ chain, wallets }: Reconciled): { text: string; color: Color | null }[] {
  if (chain === null || chain.blocks === null) return [];
  if (chain.unproved !== null) {
    const why = safe(chain.unproved);
    return [{ text: `Not provable by USDC's own balances, which takes an archive node: ${why}`, color: null }];
  }
  const proofs = wallets.flatMap(({ wallet, usdc }) => (usdc === null ? [] : [{ wallet, ...usdc }]));
  if (proofs.length === 0) return [];
  const wrong = proofs.filter(({ unexplained }) => unexplained !== "0");
  if (wrong.length === 0) {
    const [opening, incoming, outgoing, closing] = (["opening", "incoming", "outgoing", "closing"] as const).map(
      (field) => usd(proofs.reduce((sum, proof) => sum + BigInt(proof[field]), 0n)),
    );
    const text = `USDC's own balances agree for each wallet: ${opening} + ${incoming} in - ${outgoing} out = ${closing}.`;
    return [{ text, color: null }];
  }
  return [
    { text: `USDC's own balances do not agree for ${plural(wrong.length, "wallet")}:`, color: "red" },
    ...wrong.slice(0, SHOWN).map(({ wallet, opening, incoming, outgoing, closing, unexplained }) => ({
      text: `${wallet}: ${usd(opening)} + ${usd(incoming)} in - ${usd(outgoing)} out is not ${usd(closing)} (${signedUsd(unexplained)})`,
      color: null,
    })),
    { text: "The node has left something out: ask another one (chains[0].rpcUrls).", color: null },
  ];
}
