/** The demo: a local Arbitrum, AgentCore Payments, a facilitator, two paid APIs and a small fleet that really pays. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import type { ConfigInput } from "@bursar/events/config";
import { createEmitter, type Emitter, type Producer } from "@bursar/sdk";
import type { Address, LocalAccount } from "viem";
import { createDataPlane, type DataPlane } from "./agentcore/data-plane.ts";
import { createPayer, localPaymentsClient, type Payer } from "./agentcore/payer.ts";
import { createSessionKeeper, type Stop } from "./agentcore/session-keeper.ts";
import { AGENT_IDS, AGENTS, type DemoAgentId, MANAGER_ARN, SESSION_TERMS } from "./agents.ts";
import { createSessionBuyer, createSilentBuyer } from "./buyer.ts";
import { QUOTE, REPORTS } from "./catalogue.ts";
import { demoConfig } from "./demo-config.ts";
import { type DemoFacts, factsOf } from "./demo-facts.ts";
import { type Devnet, startDevnet } from "./devnet.ts";
import { createFacilitator, facilitatorApp } from "./facilitator.ts";
import { startTraffic, type TrafficOptions, type Workers } from "./fleet.ts";
import { paidApi } from "./paid-api.ts";
import type { AgentId } from "./plan.ts";
import { openSite, type Site } from "./site.ts";
import { type Splurge, startSpree } from "./spree.ts";
import { type Traffic, together } from "./traffic.ts";
import { fillWallets, keepWalletsFilled } from "./wallets.ts";

export type { DemoFacts } from "./demo-facts.ts";

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
  /** The gambler and the hydra spend too. Default: where the traffic has no `count`, for they know no end. */
  readonly overspend?: boolean | undefined;
  /** Told of each purchase of theirs that was answered. */
  readonly onSplurge?: ((splurge: Splurge) => void) | undefined;
  /** Told when AgentCore signs for an agent's session no more. */
  readonly onStop?: ((stop: Stop & { readonly agent: DemoAgentId }) => void) | undefined;
}

/** The demo before its first payment: the chain and AgentCore run, addresses and wallets are known. */
export interface PreparedDemo {
  readonly rpcUrl: string;
  /** AgentCore's endpoint on this machine, for an unmodified BedrockAgentCoreClient. It answers from now on. */
  readonly agentCoreUrl: string;
  /** Of the machine that is to watch this fleet. */
  readonly config: ConfigInput;
  /** For those who make trouble of their own: it is the same chain. */
  readonly devnet: Devnet;
  readonly plane: DataPlane;
  describe(): DemoFacts;
  /** Begins the traffic; once. */
  start(options: DemoStart): Traffic;
  /** Ends everything, within a second where the chain's state is small. A second call is the same as the first. */
  stop(): Promise<void>;
}

const PAY_TO = { reports: 10, quotes: 11 } as const;
const API_PORT = 4021;

/** How long a stop waits for purchases under way, and then for their events to leave. */
const GRACE_MS = 600;
const CLOSE_MS = 250;

/**
 * Starts the chain, takes the addresses, fills the wallets and gives them to AgentCore.
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
  const account = (agent: DemoAgentId): LocalAccount => devnet.account(AGENTS[agent].account);
  const wallet = (agent: DemoAgentId) => account(agent).address.toLowerCase() as Address;
  const payTo = (api: keyof typeof PAY_TO) => devnet.account(PAY_TO[api]).address.toLowerCase() as Address;
  const wallets = AGENT_IDS.map(wallet);
  const plane = createDataPlane({ accounts: AGENT_IDS.map(account), managerArns: [MANAGER_ARN] });
  let prepared: Awaited<ReturnType<typeof prepare>>;
  try {
    prepared = await prepare();
  } catch (error) {
    await release();
    throw error;
  }
  const { agentCore, facilitator, reports, quotes, silentQuotes, client, payers, block } = prepared;

  async function prepare() {
    const addresses = {
      agentCore: await site(),
      facilitator: await site(),
      reports: await site(apiPort),
      quotes: await site(apiPort === 0 ? 0 : apiPort + 1),
      silentQuotes: await site(),
    };
    addresses.agentCore.serve(plane.listener);
    const client = localPaymentsClient(addresses.agentCore.url);
    const payer = (agent: DemoAgentId) =>
      createPayer({ client, managerArn: MANAGER_ARN, userId: agent, walletAddress: wallet(agent) });
    const [made] = await Promise.all([Promise.all(AGENT_IDS.map(payer)), fillWallets(devnet, wallets)]);
    const payers = Object.fromEntries(made.map((each) => [each.userId, each])) as Record<DemoAgentId, Payer>;
    return { ...addresses, client, payers, block: await devnet.blockNumber() };
  }

  async function release(): Promise<void> {
    await Promise.all([...sites.map((opened) => opened.close()), devnet.stop()]);
  }

  const emitters: Emitter[] = [];
  let traffic: Traffic | undefined;
  let endFilling: (() => Promise<void>) | undefined;

  function start({ endpoint, overspend, onSplurge, onStop, ...options }: DemoStart): Traffic {
    if (traffic !== undefined) throw new Error("The demo's traffic was started already.");
    const { pace = 1 } = options;
    const emitter = (source: Producer) => {
      const made = createEmitter({ source, endpoint, spool: join(stateDirectory, "spool"), flushMs: 250 });
      emitters.push(made);
      return made;
    };
    facilitator.serve(facilitatorApp(createFacilitator(devnet)));
    const sell = { facilitatorUrl: facilitator.url };
    reports.serve(
      paidApi({ ...sell, products: REPORTS, payTo: payTo("reports"), emitter: emitter({ api: "reports" }) }),
    );
    quotes.serve(paidApi({ ...sell, products: [QUOTE], payTo: payTo("quotes"), emitter: emitter({ api: "quotes" }) }));
    silentQuotes.serve(paidApi({ ...sell, products: [QUOTE], payTo: payTo("quotes"), emitter: null }));

    const keeperOf = (agent: DemoAgentId) =>
      createSessionKeeper({
        payer: payers[agent],
        terms: SESSION_TERMS,
        pauseMs: (stops) => AGENTS[agent].pauseMs(stops) / pace,
        onStop: (stop) => onStop?.({ ...stop, agent }),
      });
    const workers = (agent: AgentId): Workers => ({
      payer: wallet(agent),
      reporting: createSessionBuyer(payers[agent], keeperOf(agent), emitter({ agent })),
      silent: createSilentBuyer(account(agent)),
    });
    const planned = startTraffic(
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
    const spenders = (overspend ?? options.count === undefined) ? (["gambler", "hydra"] as const) : [];
    const sprees = spenders.map((agent) => {
      const keeper = keeperOf(agent);
      const buy = createSessionBuyer(payers[agent], keeper, emitter({ agent }));
      return startSpree({ agent, buy, keeper, reportsUrl: reports.url, pace, onSplurge });
    });
    endFilling = keepWalletsFilled(devnet, wallets, (error) => log?.(`a wallet could not be filled: ${error.message}`));
    traffic = together([planned, ...sprees]);
    return traffic;
  }

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await Promise.all([traffic?.stop(GRACE_MS), endFilling?.()]);
    await Promise.all(emitters.map((emitter) => emitter.close(CLOSE_MS)));
    client.destroy();
    await release();
  }

  return {
    rpcUrl: devnet.rpcUrl,
    agentCoreUrl: agentCore.url,
    config: demoConfig({
      rpcUrl: devnet.rpcUrl,
      wallets: Object.fromEntries(AGENT_IDS.map((agent) => [agent, wallet(agent)])) as Record<DemoAgentId, string>,
      payTo: { reports: payTo("reports"), quotes: payTo("quotes") },
    }),
    devnet,
    plane,
    describe: () => factsOf({ devnet, block, wallet, payTo, reportsUrl: reports.url, quotesUrl: quotes.url }),
    start,
    stop() {
      stopping ??= stop();
      return stopping;
    },
  };
}
