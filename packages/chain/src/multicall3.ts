/** Multicall3: many calls of contracts in one. */
import type { Address } from "viem";

/** The same on every chain that version 1 knows (https://www.multicall3.com). */
export const MULTICALL3: Address = "0xca11bde05977b3631167028862be2a173976ca11";
