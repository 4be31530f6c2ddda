/** What a banner says of the demo: its chain, its agents, its paid APIs. */
import { AGENT_IDS, AGENTS, type DemoAgentId } from "./agents.ts";
import { QUOTE, REPORTS } from "./catalogue.ts";
import { DEVNET_CHAIN_ID, type Devnet } from "./devnet.ts";
import type { ApiId } from "./plan.ts";

export interface DemoFacts {
  readonly chain: { readonly id: number; readonly rpcUrl: string; readonly usdc: string; readonly block: number };
  readonly agents: readonly { readonly id: DemoAgentId; readonly wallet: string; readonly note: string | null }[];
  readonly apis: readonly {
    readonly id: string;
    readonly url: string;
    readonly payTo: string;
    readonly products: readonly { readonly path: string; readonly priceUsd: string; readonly title: string }[];
    readonly note: string | null;
  }[];
}

export interface DemoPlaces {
  readonly devnet: Devnet;
  readonly block: number;
  readonly wallet: (agent: DemoAgentId) => string;
  readonly payTo: (api: ApiId) => string;
  readonly reportsUrl: string;
  readonly quotesUrl: string;
}

export function factsOf({ devnet, block, wallet, payTo, reportsUrl, quotesUrl }: DemoPlaces): DemoFacts {
  return {
    chain: { id: DEVNET_CHAIN_ID, rpcUrl: devnet.rpcUrl, usdc: devnet.usdc, block },
    agents: AGENT_IDS.map((id) => ({ id, wallet: wallet(id), note: AGENTS[id].note })),
    apis: [
      { id: "reports", url: reportsUrl, payTo: payTo("reports"), products: REPORTS.map(shown), note: null },
      {
        id: "quotes",
        url: quotesUrl,
        payTo: payTo("quotes"),
        products: [QUOTE].map(shown),
        note: "one replica is silent",
      },
    ],
  };
}

function shown({ path, priceUsd, title }: { path: string; priceUsd: string; title: string }) {
  return { path, priceUsd, title };
}
