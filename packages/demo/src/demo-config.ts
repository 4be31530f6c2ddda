/** The config of the machine that watches the demo fleet: short deadlines, so that breaks show while someone looks. */
import type { ConfigInput } from "@bursar/events/config";
import { DEVNET_CHAIN_ID } from "./devnet.ts";
import type { AgentId, ApiId } from "./plan.ts";

export interface DemoConfigFacts {
  readonly rpcUrl: string;
  readonly wallets: Readonly<Record<AgentId, string>>;
  readonly payTo: Readonly<Record<ApiId, string>>;
}

const TEAMS: Readonly<Record<AgentId, string>> = {
  research: "insight",
  trader: "markets",
  writer: "insight",
  intern: "insight",
};

export function demoConfig({ rpcUrl, wallets, payTo }: DemoConfigFacts): ConfigInput {
  return {
    org: "demo",
    chains: [{ id: DEVNET_CHAIN_ID, rpcUrls: [rpcUrl] }],
    agents: Object.fromEntries(
      Object.entries(wallets).map(([id, wallet]) => [
        id,
        { wallets: [wallet], userId: id, labels: { team: TEAMS[id as AgentId] } },
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
    deadlines: { settleSeconds: 10, reportSeconds: 15 },
  };
}
