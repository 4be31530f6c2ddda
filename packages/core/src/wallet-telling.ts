/** What of a wallet is not told yet: the alerts that it opens and ends, and the wallet once they are told. Pure. */
import type { Cause } from "./alerts.ts";
import {
  endText,
  explainedText,
  missingAlertId,
  missingCause,
  type Telling,
  walletAlertId,
  walletCause,
} from "./wallet-causes.ts";
import type { Missing, WalletState } from "./wallet-state.ts";

export interface Untold {
  readonly open: readonly Cause[];
  readonly ended: readonly { readonly id: string; readonly text: string }[];
  /** The wallet with these told, whatever else of it has changed meanwhile. */
  readonly told: (state: WalletState) => WalletState;
}

/** Null where all is told. */
export function untoldOf(state: WalletState, isGoverned: boolean, telling: Telling, now: string): Untold | null {
  const { address } = state;
  const open: Cause[] = [];
  const ended: { id: string; text: string }[] = [];
  for (const rule of state.untold) {
    if (state.standing[rule] !== undefined) open.push(walletCause(rule, state, telling));
    else ended.push({ id: walletAlertId(rule, address), text: endText(rule, state, telling, isGoverned) });
  }
  const late = state.missing.filter((one) => isRipe(one, state, now));
  const done = state.missing.filter(({ amount }) => amount === "0");
  for (const one of late) open.push(missingCause(one, state, telling));
  for (const one of done) {
    const id = missingAlertId(one, address);
    const isOne = !state.missing.some((other) => other.amount !== "0" && missingAlertId(other, address) === id);
    if (one.toldAt !== null && isOne) ended.push({ id, text: explainedText(state) });
  }
  if (state.untold.length + late.length + done.length === 0) return null;
  const has = (list: readonly Missing[], { from, to }: Missing): boolean =>
    list.some((one) => one.from === from && one.to === to);
  return {
    open,
    ended,
    told: (after) => ({
      ...after,
      untold: [],
      missing: after.missing
        .filter((one) => !has(done, one))
        .map((one) => (has(late, one) ? { ...one, toldAt: now } : one)),
    }),
  };
}

/** Still unexplained at a reading after the one that noticed it: its movements had their time to be seen. */
function isRipe({ amount, at, toldAt }: Missing, { readAt }: WalletState, now: string): boolean {
  return amount !== "0" && toldAt === null && at < now && readAt === now;
}
