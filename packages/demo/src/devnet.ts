/**
 * A whole local Arbitrum in one call: chain id 42161, blocks every 250 ms, safe and finalized tags that move, the
 * genuine USDC at its address, Multicall3, funded accounts, and reorgs when asked for.
 */
import { type Address, createNonceManager, type HDAccount, type NonceManager, type TransactionReceipt } from "viem";
import { mnemonicToAccount } from "viem/accounts";
import { getBlockNumber, getCode } from "viem/actions";
import { jsonRpc } from "viem/nonce";
import { startAnvil } from "./anvil.ts";
import type { SignedAuthorization } from "./authorization.ts";
import { type DevClient, devClient, mine, reorg } from "./dev-client.ts";
import { MULTICALL3, MULTICALL3_CODE } from "./multicall3.ts";
import { settle } from "./settlement.ts";
import { mint, USDC } from "./usdc.ts";
import { installUsdc } from "./usdc-install.ts";

export const DEVNET_CHAIN_ID = 42161;

export interface DevnetOptions {
  readonly port?: number | undefined;
  /** The chain goes on from this file when it is there, and is written to it at the end. */
  readonly stateFile?: string | undefined;
  /** Seconds between blocks, default 0.25. */
  readonly blockTimeSeconds?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

export interface Devnet {
  readonly rpcUrl: string;
  readonly client: DevClient;
  /** USDC's address, lower case. */
  readonly usdc: Address;
  readonly accounts: {
    /** Owner and minter of USDC. */
    readonly owner: HDAccount;
    /** Pays the gas of settlements; may be used by many at once. */
    readonly relayer: HDAccount;
    /** A second facilitator. */
    readonly relayer2: HDAccount;
  };
  /** The `index`th account of agents, APIs and other people, from 0; the same in every devnet. */
  account(index: number): HDAccount;
  /** Mints USDC to `address`, and gives it a little ether, so that it can also send transactions itself. */
  fund(address: Address, amount: bigint): Promise<void>;
  /** Settles authorizations in one transaction by the relayer; see `settle`. */
  settle(...signed: readonly SignedAuthorization[]): Promise<TransactionReceipt>;
  /** Replaces the last `depth` blocks, or a few more, by empty ones; what was in them is gone, not waiting again. */
  reorg(depth: number): Promise<void>;
  mine(blocks: number): Promise<void>;
  blockNumber(): Promise<number>;
  stop(): Promise<void>;
}

/** The mnemonic that every test chain uses: its keys are public and hold nothing anywhere. */
const MNEMONIC = "test test test test test test test test test test test junk";

/** Blocks made after the set-up, so that no reorg takes the set-up back. */
const SETTLED_BLOCKS = 20;

const ETHER = 10n ** 18n;

/**
 * Starts a devnet; with a `stateFile` of an earlier one it is that chain, further on.
 * @throws {AnvilError} where this platform has no anvil, or it does not start
 */
export async function startDevnet(options: DevnetOptions = {}): Promise<Devnet> {
  const { log = () => {} } = options;
  const anvil = await startAnvil({ ...options, chainId: DEVNET_CHAIN_ID });
  const client = devClient(anvil.rpcUrl);
  const nonces = forgetfulNonces();
  const account = (addressIndex: number) => mnemonicToAccount(MNEMONIC, { addressIndex, nonceManager: nonces.manager });
  const accounts = { owner: account(0), relayer: account(1), relayer2: account(2) };
  const admin = mnemonicToAccount(MNEMONIC, { addressIndex: 3 }).address;

  try {
    if ((await getCode(client, { address: MULTICALL3 })) === undefined) {
      await client.request({ method: "anvil_setCode", params: [MULTICALL3, MULTICALL3_CODE] });
      await installUsdc(client, accounts.owner, admin);
      await mine(client, SETTLED_BLOCKS);
      log(`local Arbitrum at ${anvil.rpcUrl}, USDC at ${USDC}`);
    } else {
      log(`local Arbitrum at ${anvil.rpcUrl}, continued from ${options.stateFile}`);
    }
  } catch (error) {
    await anvil.stop();
    throw error;
  }

  return {
    rpcUrl: anvil.rpcUrl,
    client,
    usdc: USDC,
    accounts,
    account: (index) => account(FIRST_OF_OTHERS + index),
    async fund(address, amount) {
      await client.request({ method: "anvil_setBalance", params: [address, `0x${ETHER.toString(16)}`] });
      const receipt = await mint(client, accounts.owner, address, amount);
      if (receipt.status !== "success") throw new Error(`minting ${amount} to ${address} reverted`);
    },
    settle: (...signed) => settle(client, accounts.relayer, signed),
    async reorg(depth) {
      try {
        await anvil.undisturbed(() => reorg(client, depth));
      } finally {
        nonces.forget();
      }
    },
    mine: (blocks) => mine(client, blocks),
    blockNumber: async () => Number(await getBlockNumber(client, { cacheTime: 0 })),
    stop: () => anvil.stop(),
  };
}

/** Accounts below are Bursar's own. */
const FIRST_OF_OTHERS = 10;

/** viem's nonce manager keeps the last nonce, which a reorg may have taken back: this one can be told to ask again. */
function forgetfulNonces(): { readonly manager: NonceManager; forget(): void } {
  const fresh = () => createNonceManager({ source: jsonRpc() });
  let current = fresh();
  return {
    manager: {
      consume: (parameters) => current.consume(parameters),
      increment: (parameters) => current.increment(parameters),
      get: (parameters) => current.get(parameters),
      reset: (parameters) => current.reset(parameters),
    },
    forget() {
      current = fresh();
    },
  };
}
