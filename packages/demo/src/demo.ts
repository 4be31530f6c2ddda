/** The demo: a local Arbitrum, a facilitator, two paid APIs and a small fleet of agents that really pay. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigInput } from "@bursar/events/config";
import { createEmitter, type Emitter, type Producer } from "@bursar/sdk";
import type { Address, LocalAccount } from "viem";
import { createBuyer } from "./buyer.ts";
import { QUOTE, REPORTS } from "./catalogue.ts";
import { demoConfig } from "./demo-config.ts";
import { DEVNET_CHAIN_ID, type Devnet, startDevnet } from "./devnet.ts";
import { createFacilitator, facilitatorApp } from "./facilitator.ts";
import { startTraffic, type Traffic, type TrafficOptions, type Workers } from "./fleet.ts";
import { paidApi } from "./paid-api.ts";
import type { AgentId } from "./plan.ts";
import { openSite, type Site } from "./site.ts";
import { fillWallets, keepWalletsFilled } from "./wallets.ts";

export interface DemoOptions {
  /** Where the chain and undelivered events are kept; a second demo there goes on with the same chain and wallets. */
  readonly stateDirectory: string;
  /** Where the reports are sold; another port where it is taken. Default 4021, quotes on the next one. */
  readonly apiPort?: number | undefined;
  readonly log?: ((line: string) => void) | undefined;
}

export interface DemoStart extends TrafficOptions {
  /** Where PutEvents is, such as `http://127.0.0.1:4402/aws/events`. */
  readonly endpoint: string;
}

/** The demo before its first payment: the chain runs, addresses and wallets are known. */
export interface PreparedDemo {
  readonly rpcUrl: string;
  /** Of the machine that is to watch this fleet. */
  readonly config: ConfigInput;
  /** For those who make trouble of their own: it is the same chain. */
  readonly devnet: Devnet;
  describe(): DemoFacts;
  /** Begins the traffic; once. */
  start(options: DemoStart): Traffic;
  /** Ends everything, within a second where the chain's state is small. A second call is the same as the first. */
  stop(): Promise<void>;
}

/** What a banner says. */
export interface DemoFacts {
  readonly chain: { readonly id: number; readonly rpcUrl: string; readonly usdc: string; readonly block: number };
  readonly agents: readonly { readonly id: AgentId; readonly wallet: string; readonly note: string | null }[];
  readonly apis: readonly {
    readonly id: string;
    readonly url: string;
    readonly payTo: string;
    readonly products: readonly { readonly path: string; readonly priceUsd: string; readonly title: string }[];
    readonly note: string | null;
  }[];
}

/** Accounts of the devnet's public test mnemonic, which holds nothing on any real chain. */
const ACCOUNTS = { research: 0, trader: 1, writer: 2, intern: 3, reports: 10, quotes: 11 } as const;
const AGENTS: readonly AgentId[] = ["research", "trader", "writer", "intern"];
const API_PORT = 4021;

/** How long a stop waits for purchases under way, and then for their events to leave. */
const GRACE_MS = 600;
const CLOSE_MS = 250;

/**
 * Starts the chain, takes the addresses and fills the wallets.
 * @throws {AnvilError} where this platform has no local chain
 */
export async function prepareDemo({ stateDirectory, apiPort = API_PORT, log }: DemoOptions): Promise<PreparedDemo> {
  await mkdir(stateDirectory, { recursive: true });
  const devnet = await startDevnet({ stateFile: join(stateDirectory, "chain.json"), log });
  const sites: Site[] = [];
  const site = async (port?: number) => {
    const opened = await openSite(port);
    sites.push(opened);
    return opened;
  };
  const release = () => Promise.all([...sites.map((opened) => opened.close()), devnet.stop()]);
  const account = (name: keyof typeof ACCOUNTS): LocalAccount => devnet.account(ACCOUNTS[name]);
  const addressOf = (name: keyof typeof ACCOUNTS) => account(name).address.toLowerCase() as Address;
  const wallets = AGENTS.map(addressOf);
  let addresses: { facilitator: Site; reports: Site; quotes: Site; silentQuotes: Site };
  let block: number;
  try {
    addresses = {
      facilitator: await site(),
      reports: await site(apiPort),
      quotes: await site(apiPort === 0 ? 0 : apiPort + 1),
      silentQuotes: await site(),
    };
    await fillWallets(devnet, wallets);
    block = await devnet.blockNumber();
  } catch (error) {
    await release();
    throw error;
  }
  const { facilitator, reports, quotes, silentQuotes } = addresses;

  const emitters: Emitter[] = [];
  let traffic: Traffic | undefined;
  let endFilling: (() => Promise<void>) | undefined;

  function start({ endpoint, ...options }: DemoStart): Traffic {
    if (traffic !== undefined) throw new Error("The demo's traffic was started already.");
    const emitter = (source: Producer) => {
      const made = createEmitter({ source, endpoint, spool: join(stateDirectory, "spool"), flushMs: 250 });
      emitters.push(made);
      return made;
    };
    facilitator.serve(facilitatorApp(createFacilitator(devnet)));
    const sell = { facilitatorUrl: facilitator.url };
    reports.serve(
      paidApi({ ...sell, products: REPORTS, payTo: addressOf("reports"), emitter: emitter({ api: "reports" }) }),
    );
    quotes.serve(
      paidApi({ ...sell, products: [QUOTE], payTo: addressOf("quotes"), emitter: emitter({ api: "quotes" }) }),
    );
    silentQuotes.serve(paidApi({ ...sell, products: [QUOTE], payTo: addressOf("quotes"), emitter: null }));
    const workers = (agent: AgentId): Workers => ({
      payer: addressOf(agent),
      reporting: createBuyer(account(agent), emitter({ agent })),
      silent: createBuyer(account(agent), null),
    });
    endFilling = keepWalletsFilled(devnet, wallets, (error) => log?.(`a wallet could not be filled: ${error.message}`));
    traffic = startTraffic(
      {
        research: workers("research"),
        trader: workers("trader"),
        writer: workers("writer"),
        intern: workers("intern"),
      },
      {
        reports: { reportingUrl: reports.url, silentUrl: null },
        quotes: { reportingUrl: quotes.url, silentUrl: silentQuotes.url },
      },
      options,
    );
    return traffic;
  }

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await Promise.all([traffic?.stop(GRACE_MS), endFilling?.()]);
    await Promise.all(emitters.map((emitter) => emitter.close(CLOSE_MS)));
    await release();
  }

  return {
    rpcUrl: devnet.rpcUrl,
    config: demoConfig({
      rpcUrl: devnet.rpcUrl,
      wallets: Object.fromEntries(AGENTS.map((agent) => [agent, addressOf(agent)])) as Record<AgentId, string>,
      payTo: { reports: addressOf("reports"), quotes: addressOf("quotes") },
    }),
    devnet,
    describe: () => ({
      chain: { id: DEVNET_CHAIN_ID, rpcUrl: devnet.rpcUrl, usdc: devnet.usdc, block },
      agents: AGENTS.map((id) => ({ id, wallet: addressOf(id), note: id === "intern" ? "goes silent" : null })),
      apis: [
        { id: "reports", url: reports.url, payTo: addressOf("reports"), products: REPORTS.map(shown), note: null },
        {
          id: "quotes",
          url: quotes.url,
          payTo: addressOf("quotes"),
          products: [QUOTE].map(shown),
          note: "one replica is silent",
        },
      ],
    }),
    start,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}

function shown({ path, priceUsd, title }: { path: string; priceUsd: string; title: string }) {
  return { path, priceUsd, title };
}
