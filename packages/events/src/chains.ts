/** The chains that version 1 knows, and USDC's address on each (Circle's list; x402's asset table). */

export interface KnownChain {
  readonly id: number;
  readonly name: string;
  /** USDC's contract, lower case. */
  readonly usdc: string;
  /** Where a person looks a transaction up; the hash goes behind it. */
  readonly explorerTx: string;
  /** The same for an address. */
  readonly explorerAddress: string;
}

export const CHAINS: readonly KnownChain[] = [
  {
    id: 42161,
    name: "Arbitrum One",
    usdc: "0xaf88d065e77c8cc2239327c5edb3a432268e5831",
    explorerTx: "https://arbiscan.io/tx/",
    explorerAddress: "https://arbiscan.io/address/",
  },
  {
    id: 421614,
    name: "Arbitrum Sepolia",
    usdc: "0x75faf114eafb1bdbe2f0316df893fd58ce46aa4d",
    explorerTx: "https://sepolia.arbiscan.io/tx/",
    explorerAddress: "https://sepolia.arbiscan.io/address/",
  },
];

/** The chain that is meant where nothing else is said. */
export const DEFAULT_CHAIN_ID = 42161;

/** A known chain by its id, else undefined. */
export function chainById(id: number): KnownChain | undefined {
  return CHAINS.find((chain) => chain.id === id);
}
