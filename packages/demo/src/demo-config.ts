/** The config of the machine that watches the demo fleet: short deadlines, so that breaks show while someone looks. */
import type { ConfigInput } from "@bursar/events/config";
import { AGENT_IDS, AGENTS, type DemoAgentId, MANAGER_ARN } from "./agents.ts";
import { DEVNET_CHAIN_ID } from "./devnet.ts";
import type { ApiId } from "./plan.ts";

export interface DemoConfigFacts {
  readonly rpcUrl: string;
  readonly wallets: Readonly<Record<DemoAgentId, string>>;
  readonly payTo: Readonly<Record<ApiId, string>>;
}

/** Seconds. Short, so that breaks show while someone looks. */
export const DEADLINES = { settleSeconds: 10, reportSeconds: 15 } as const;

export function demoConfig({ rpcUrl, wallets, payTo }: DemoConfigFacts): ConfigInput {
  return {
    org: "demo",
    chains: [{ id: DEVNET_CHAIN_ID, rpcUrls: [rpcUrl] }],
    agents: Object.fromEntries(
      AGENT_IDS.map((id) => [
        id,
        {
          wallets: [wallets[id]],
          paymentManagerArn: MANAGER_ARN,
          userId: id,
          labels: { team: AGENTS[id].team },
        },
      ]),
    ),
    apis: { reports: { payTo: [payTo.reports] }, quotes: { payTo: [payTo.quotes] } },
    budgets: [
      {
        id: "research-day",
        scope: { agent: "research" },
        window: "day",
        limitUsd: "25.00",
        thresholds: [
          { at: 0.5, do: "alert" },
          { at: 0.9, do: "alert" },
        ],
      },
      {
        id: "gambler-hour",
        scope: { agent: "gambler" },
        window: "hour",
        limitUsd: "5.00",
        thresholds: [
          { at: 0.5, do: "alert" },
          { at: 0.8, do: "alert" },
          { at: 1, do: "revoke" },
        ],
      },
      {
        id: "hydra-hour",
        scope: { agent: "hydra" },
        window: "hour",
        limitUsd: "2.00",
        thresholds: [
          { at: 0.5, do: "alert" },
          { at: 1, do: "freeze" },
        ],
      },
      {
        id: "each-agent-hour",
        scope: { agent: "*" },
        window: "hour",
        limitUsd: "100.00",
        thresholds: [{ at: 0.8, do: "alert" }],
      },
      {
        id: "quotes-day",
        scope: { api: "quotes" },
        window: "day",
        limitUsd: "20.00",
        thresholds: [{ at: 0.8, do: "alert" }],
      },
      { id: "insight-month", scope: { label: "team=insight" }, window: "month", limitUsd: "2000.00" },
      {
        id: "org-month",
        scope: { org: "*" },
        window: "month",
        limitUsd: "5000.00",
        thresholds: [{ at: 0.8, do: "alert" }],
      },
    ],
    deadlines: DEADLINES,
  };
}
