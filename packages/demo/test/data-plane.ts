/** A data plane with a clock of its own and AWS's client at it, for tests. */
import type { BedrockAgentCoreClient } from "@aws-sdk/client-bedrock-agentcore";
import { mnemonicToAccount } from "viem/accounts";
import { afterEach } from "vitest";
import type { DataPlaneOptions } from "../src/agentcore/data-plane.ts";
import { type OpenDataPlane, openDataPlane } from "../src/agentcore/open.ts";
import { createPayer, localPaymentsClient, type Payer, type PaymentOffer } from "../src/agentcore/payer.ts";
import { USDC } from "../src/usdc.ts";

export const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:000000000000:payment-manager/demo";
export const OTHER_MANAGER = "arn:aws:bedrock-agentcore:us-east-1:000000000000:payment-manager/other-0123456789";
export const NOW = Date.parse("2026-11-23T12:00:00.000Z");

const MNEMONIC = "test test test test test test test test test test test junk";
export const ACCOUNTS = [20, 21, 22].map((addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));

const opened: { readonly plane: OpenDataPlane; readonly client: BedrockAgentCoreClient }[] = [];

afterEach(async () => {
  for (const { plane, client } of opened.splice(0)) {
    client.destroy();
    await plane.close();
  }
});

export interface TestPlane extends OpenDataPlane {
  readonly client: BedrockAgentCoreClient;
  /** Moves the plane's clock. */
  wait(minutes: number): void;
  payer(userId?: string, managerArn?: string): Promise<Payer>;
}

export async function planeForTest(options: Partial<DataPlaneOptions> = {}): Promise<TestPlane> {
  let at = NOW;
  const plane = await openDataPlane({
    accounts: ACCOUNTS,
    managerArns: [MANAGER, OTHER_MANAGER],
    now: () => at,
    ...options,
  });
  const client = localPaymentsClient(plane.url);
  opened.push({ plane, client });
  return {
    ...plane,
    client,
    wait(minutes) {
      at += minutes * 60_000;
    },
    payer: (userId = "research", managerArn = MANAGER) => createPayer({ client, managerArn, userId }),
  };
}

export function offerOf(amount: bigint, payTo = "0x1111111111111111111111111111111111111111"): PaymentOffer {
  return {
    scheme: "exact",
    network: "eip155:42161",
    asset: USDC,
    amount: String(amount),
    payTo,
    maxTimeoutSeconds: 60,
  };
}

/** What is refused, as its class and message. */
export async function refusalOf(call: Promise<unknown>): Promise<readonly [name: string, message: string]> {
  const error = await call.then(
    () => new Error("it was not refused"),
    (thrown: Error) => thrown,
  );
  return [error.constructor.name, error.message];
}
