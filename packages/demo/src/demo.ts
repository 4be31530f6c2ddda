/** The demo: a local Arbitrum, AgentCore Payments, a facilitator, two paid APIs and a small fleet that really pays. */

import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConfigInput } from "@bursar/events/config";
import { createEmitter, type Emitter, type Producer } from "@bursar/sdk";
import type { Address, LocalAccount } from "viem";
import { createDataPlane, type DataPlane } from "./agentcore/data-plane.ts";
import { createPayer, localPaymentsClient, type Payer } from "./agentcore/payer.ts";
import { createSessionKeeper, type SessionKeeper, type Stop } from "./agentcore/session-keeper.ts";
import { AGENT_IDS, AGENTS, type DemoAgentId, MANAGER_ARN, SESSION_TERMS } from "./agents.ts";
import { createSessionBuyer, createSilentBuyer } from "./buyer.ts";
import { QUOTE, REPORTS } from "./catalogue.ts";
import { DEADLINES, demoConfig } from "./demo-config.ts";
import { type DemoFacts, factsOf } from "./demo-facts.ts";
import { type Devnet, startDevnet } from "./devnet.ts";
import { createFacilitator, facilitatorApp, mindful } from "./facilitator.ts";
import { startTraffic, type TrafficOptions, type Workers } from "./fleet.ts";
import { paidApi } from "./paid-api.ts";
import type { AgentId } from "./plan.ts";
import { openSite, type Site } from "./site.ts";
import { COURIER, SPENDERS, type Spender, type Splurge, startSpree } from "./spree.ts";
import { type Traffic, together } from "./traffic.ts";
import { startRota } from "./troubles/rota.ts";
import { TROUBLE_TABLE } from "./troubles/table.ts";
import type { TroubleKind, TroubleTold } from "./troubles/trouble.ts";
import { openYard, type Shown } from "./troubles/yard.ts";
import { fillWallets, keepWalletsFilled, POOR } from "./wallets.ts";

export type { DemoFacts } from "./demo-facts.ts";
export type { TroubleTold } from "./troubles/trouble.ts";

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
  /** The table's troubles, one after the other, and the courier's errands. Default: where the traffic has no `count`. */
  readonly rota?: RotaTerms | null | undefined;
  /** Told when a trouble begins and when there is no more to do for it. */
  readonly onTrouble?: ((told: TroubleTold) => void) | undefined;
  /** Told of each purchase of the spenders that was answered. */
  readonly onSplurge?: ((splurge: Splurge) => void) | undefined;
  /** Told when AgentCore signs for an agent's session no more. */
  readonly onStop?: ((stop: Stop & { readonly agent: DemoAgentId }) => void) | undefined;
}

export interface RotaTerms {
  /** Default: all of it. */
  readonly table?: readonly TroubleKind[] | undefined;
  readonly rounds?: number | undefined;
  /** Default: a settlement or revocation is seen within a second, and a break when its deadline has passed well. */
  readonly shown?: Shown | undefined;
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

/** A trouble every so often, and the first of them when the fleet has shown what is usual. */
const TROUBLE_EVERY_MS = 10_000;
const FIRST_TROUBLE_MS = 6_000;
/** A verdict that a deadline brings is there within this time of it, and what needs no deadline within that. */
const BREAK_SHOWN_MS = 4_000;
const SOON_SHOWN_MS = 1_000;

const shownInTime: Shown = async (_, what, signal) => {
  const ms = what === "settled" || what === "revoked" ? SOON_SHOWN_MS : DEADLINES.settleSeconds * 1000 + BREAK_SHOWN_MS;
  await sleep(ms, undefined, { signal, ref: false });
};

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
  const poor = wallet("courier");
  const rich = wallets.filter((address) => address !== poor);
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
    const [made] = await Promise.all([
      Promise.all(AGENT_IDS.map(payer)),
      fillWallets(devnet, rich),
      fillWallets(devnet, [poor], POOR),
    ]);
    const payers = Object.fromEntries(made.map((each) => [each.userId, each])) as Record<DemoAgentId, Payer>;
    return { ...addresses, client, payers, block: await devnet.blockNumber() };
  }

  async function release(): Promise<void> {
    await Promise.all([...sites.map((opened) => opened.close()), devnet.stop()]);
  }

  const emitters: Emitter[] = [];
  let traffic: Traffic | undefined;
  let endFilling: readonly (() => Promise<void>)[] = [];

  function start(given: DemoStart): Traffic {
    const { endpoint, overspend, onSplurge, onStop, onTrouble, ...options } = given;
    if (traffic !== undefined) throw new Error("The demo's traffic was started already.");
    const { pace = 1, count } = options;
    const rota = given.rota === undefined ? (count === undefined ? {} : null) : given.rota;
    const emitter = once(
      (source: Producer) => JSON.stringify(source),
      (source) => {
        const made = createEmitter({ source, endpoint, spool: join(stateDirectory, "spool"), flushMs: 250 });
        emitters.push(made);
        return made;
      },
    );
    const settling = mindful(createFacilitator(devnet));
    facilitator.serve(facilitatorApp(settling));
    const sell = { facilitatorUrl: facilitator.url };
    reports.serve(
      paidApi({ ...sell, products: REPORTS, payTo: payTo("reports"), emitter: emitter({ api: "reports" }) }),
    );
    quotes.serve(paidApi({ ...sell, products: [QUOTE], payTo: payTo("quotes"), emitter: emitter({ api: "quotes" }) }));
    silentQuotes.serve(paidApi({ ...sell, products: [QUOTE], payTo: payTo("quotes"), emitter: null }));

    const stops = new Map<DemoAgentId, Stop>();
    const keeperOf = once(
      (agent: DemoAgentId) => agent,
      (agent): SessionKeeper =>
        createSessionKeeper({
          payer: payers[agent],
          terms: SESSION_TERMS,
          pauseMs: (inARow) => AGENTS[agent].pauseMs(inARow) / pace,
          onStop(stop) {
            stops.set(agent, stop);
            onStop?.({ ...stop, agent });
          },
        }),
    );
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
      // The table has the plan's troubles too.
      rota === null ? options : { troubles: null, ...options },
    );
    const spree = (agent: DemoAgentId, spender: Spender, told?: DemoStart["onSplurge"]) => {
      const keeper = keeperOf(agent);
      const buy = createSessionBuyer(payers[agent], keeper, emitter({ agent }));
      return startSpree({ agent, spender, buy, keeper, reportsUrl: reports.url, pace, onSplurge: told });
    };
    const spenders = (overspend ?? count === undefined) ? (["gambler", "hydra"] as const) : [];
    const sprees = spenders.map((agent) => spree(agent, SPENDERS[agent], onSplurge));
    const rotas = rota === null ? [] : [startTroubles(rota), spree("courier", COURIER)];
    const failed = (error: Error) => log?.(`a wallet could not be filled: ${error.message}`);
    endFilling = [keepWalletsFilled(devnet, rich, failed), keepWalletsFilled(devnet, [poor], failed, POOR)];
    traffic = together([planned, ...sprees, ...rotas]);
    return traffic;

    function startTroubles({ table = TROUBLE_TABLE, rounds, shown }: RotaTerms): Traffic {
      return startRota({
        table,
        rounds,
        startAfterMs: FIRST_TROUBLE_MS / pace,
        everyMs: TROUBLE_EVERY_MS / pace,
        onTrouble,
        yard: (signal) =>
          openYard({
            ...{ devnet, account, payTo, payers, emitter, signal },
            keeper: keeperOf,
            facilitator: settling,
            urls: { reports: reports.url, quotes: quotes.url, silentQuotes: silentQuotes.url },
            isOpen: ({ sessionId }) => plane.sessions().some((session) => session.sessionId === sessionId),
            lastStop: (agent) => stops.get(agent) ?? null,
            shown: shown ?? shownInTime,
          }),
      });
    }
  }

  let stopping: Promise<void> | undefined;
  async function stop(): Promise<void> {
    await Promise.all([traffic?.stop(GRACE_MS), ...endFilling.map((end) => end())]);
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

/** `make`, once for each of what `keyOf` tells apart. */
function once<In, Out>(keyOf: (given: In) => string, make: (given: In) => Out): (given: In) => Out {
  const made = new Map<string, Out>();
  return (given) => {
    const key = keyOf(given);
    const known = made.get(key) ?? make(given);
    made.set(key, known);
    return known;
  };
}
