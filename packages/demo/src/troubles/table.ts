/** Every trouble, in the order in which they are made: those that show at once between those that take a deadline. */
import { foreignApi, foreignWallet, paidTwice, wrongAmount, wrongAsset, wrongPayee } from "./lies.ts";
import { plainTransfer, signedOnBase, strangersSettlement, unregisteredWallet } from "./shadows.ts";
import { lostReport, silentAgent, silentApi } from "./silences.ts";
import { settledAfterRevoke, signedAfterRevoke } from "./stops.ts";
import type { TroubleKind } from "./trouble.ts";
import { cancelledAfterDelivery, cancelledUnused, dropped, expiredUnused, replaced, reverted } from "./unsettled.ts";
import { gasSpike, reorg } from "./weather.ts";

export const TROUBLE_TABLE: readonly TroubleKind[] = [
  lostReport,
  silentAgent,
  reorg,
  plainTransfer,
  wrongAmount,
  silentApi,
  replaced,
  foreignWallet,
  cancelledUnused,
  signedAfterRevoke,
  reorg,
  paidTwice,
  gasSpike,
  wrongPayee,
  dropped,
  foreignApi,
  settledAfterRevoke,
  reorg,
  signedOnBase,
  reverted,
  cancelledAfterDelivery,
  strangersSettlement,
  wrongAsset,
  expiredUnused,
  unregisteredWallet,
];
