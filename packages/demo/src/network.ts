/** The local chain's name in x402 (CAIP-2): Arbitrum One's. */
export const NETWORK = "eip155:42161";
