/** What Bursar governs. Copy, edit, and check it with `npx bursar doctor`. Only `org` is required. */
import { defineConfig } from "@bursar/events/config";

export default defineConfig({
  org: "acme",
  // One chain. A URL that holds a key is a secret: give its name here, never the URL itself.
  chains: [{ id: 42161, rpcUrls: [{ secret: "ArbitrumRpcUrl" }] }],
  agents: {
    research: {
      wallets: ["0x00000000000000000000000000000000000a9e01"],
      paymentManagerArn: "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1",
      userId: "research",
      labels: { team: "growth" },
    },
    trader: {
      wallets: ["0x00000000000000000000000000000000000a9e02"],
      paymentManagerArn: "arn:aws:bedrock-agentcore:us-east-1:123456789012:payment-manager/pm-1",
      userId: "trader",
      labels: { team: "markets" },
    },
  },
  // The paid APIs that are yours. Other people's need no entry: agent and chain suffice there.
  apis: { reports: { payTo: ["0x00000000000000000000000000000000000a9e10"] } },
  budgets: [
    {
      id: "research-day",
      scope: { agent: "research" },
      window: "day",
      limitUsd: "5.00",
      thresholds: [
        { at: 0.5, do: "alert" },
        { at: 1, do: "revoke" },
      ],
    },
    // "*" is a budget for each; "observe" tells what it would do and deletes nothing.
    {
      id: "agent-hour",
      scope: { agent: "*" },
      window: "hour",
      limitUsd: "2.00",
      mode: "observe",
      thresholds: [{ at: 1, do: "revoke" }],
    },
    {
      id: "org-month",
      scope: { org: "*" },
      window: "month",
      limitUsd: "500.00",
      thresholds: [
        { at: 0.8, do: "alert" },
        { at: 1, do: "freeze" },
      ],
    },
  ],
  wallets: { lowUsd: "1.00", emptyUsd: "0.01" },
  deadlines: { settleSeconds: 120, reportSeconds: 300 },
  limits: { maxPaymentUsd: "100.00", revocationsPerMinute: 20 },
  alerts: { email: ["oncall@example.com"], slack: { secret: "SlackWebhookUrl" } },
});
