/** A machine that governs three agents, and the data plane that their sessions are opened at. */

import type { Operation } from "@bursar/demo/agentcore/data-plane";
import { type OpenDataPlane, openDataPlane } from "@bursar/demo/agentcore/open";
import { createPayer, localPaymentsClient, type Payer } from "@bursar/demo/agentcore/payer";
import type { ConfigInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import type { SessionRef } from "@bursar/sdk";
import { mnemonicToAccount } from "viem/accounts";
import { afterAll } from "vitest";
import type { Machine } from "../src/machine.ts";
import { machineForTest } from "./machines.ts";
import { clientOf, entryOf, keyOf, PAY_TO, put } from "./producers.ts";

export const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:000000000000:payment-manager/demo";
const MNEMONIC = "test test test test test test test test test test test junk";
const ACCOUNTS = [20, 21, 22, 23].map((addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));

const WALLETS = {
  research: `0x${"1".repeat(40)}`,
  writer: `0x${"2".repeat(40)}`,
  trader: `0x${"3".repeat(40)}`,
  loner: `0x${"4".repeat(40)}`,
} as const;

export type AgentId = keyof typeof WALLETS;

const plain = (id: Exclude<AgentId, "loner">) => ({ wallets: [WALLETS[id]], paymentManagerArn: MANAGER, userId: id });

const CONFIG: ConfigInput = {
  org: "acme",
  agents: {
    research: { ...plain("research"), labels: { team: "insight" } },
    writer: { ...plain("writer"), labels: { team: "insight" } },
    trader: plain("trader"),
    loner: { wallets: [WALLETS.loner] },
  },
  budgets: [
    { id: "research-day", scope: { agent: "research" }, window: "day", limitUsd: "50.00" },
    { id: "insight-month", scope: { label: "team=insight" }, window: "month", limitUsd: "2000.00" },
    {
      id: "writer-day",
      scope: { agent: "writer" },
      window: "day",
      limitUsd: "3.00",
      thresholds: [
        { at: 0.5, do: "alert" },
        { at: 1, do: "revoke" },
      ],
    },
  ],
};

export interface GovernedMarket {
  readonly machine: Machine;
  readonly plane: OpenDataPlane;
  /** Users whose sessions AgentCore refuses to delete. */
  readonly denied: Set<string>;
  /** A session at AgentCore that nobody has told of. */
  open(agent: Exclude<AgentId, "loner">): Promise<SessionRef>;
  /** Tells that the agent has signed so much in the session; resolves when it is in the books. */
  sign(agent: AgentId, session: SessionRef, amount: bigint): Promise<void>;
}

const opened: GovernedMarket[] = [];
afterAll(async () => {
  for (const { plane } of opened.splice(0)) await plane.close();
});

export async function governedMarket(): Promise<GovernedMarket> {
  const denied = new Set<string>();
  const fault = (operation: Operation, { userId }: { readonly userId: string }) =>
    operation === "DeletePaymentSession" && denied.has(userId) ? "deny" : undefined;
  const plane = await openDataPlane({ accounts: ACCOUNTS, managerArns: [MANAGER], fault });
  const machine = await machineForTest({ config: parseConfig(CONFIG), agentCoreUrl: plane.url });
  await machine.ready;
  const calls = localPaymentsClient(plane.url);
  const events = clientOf(machine.url);
  const payers = new Map<string, Payer>();
  let count = 0;
  const market: GovernedMarket = {
    machine,
    plane,
    denied,
    async open(agent) {
      const payer = payers.get(agent) ?? (await createPayer({ client: calls, managerArn: MANAGER, userId: agent }));
      payers.set(agent, payer);
      return payer.openSession({ limitUsd: "20.00" });
    },
    async sign(agent, session, amount) {
      const n = ++count;
      const signed = {
        type: "agent.authorization_signed",
        id: `signed-${n}`,
        at: new Date().toISOString(),
        payment: keyOf(n, WALLETS[agent]),
        amount: amount.toString(),
        payTo: PAY_TO,
        validBefore: String(Math.floor(Date.now() / 1000) + 600),
        requestId: `req-${n}`,
        session,
      };
      await put(events, [entryOf(`bursar.agent.${agent}`, [signed])]);
      await machine.drained();
    },
  };
  opened.push(market);
  return market;
}
