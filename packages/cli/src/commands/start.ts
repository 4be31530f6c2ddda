/** `bursar start`: the machine, with --demo a market beside it, and what happens as it happens. */
import { readCounters, spentCounter } from "@bursar/core/counters";
import { knownCounters } from "@bursar/core/known-books";
import { all } from "@bursar/core/pages";
import { windowOf } from "@bursar/core/windows";
import type { TroubleTold } from "@bursar/demo/demo";
import { chainById } from "@bursar/events/chains";
import type { Config } from "@bursar/events/config-schema";
import type { Alert, Budget } from "@bursar/events/shapes";
import type { Input } from "../args.ts";
import { loadConfig } from "../config-file.ts";
import { EXIT } from "../errors.ts";
import { interrupted } from "../interrupt.ts";
import { type Io, printLines, toJson } from "../io.ts";
import { type Machine, startMachine } from "../machine.ts";
import { type Market, openMarket } from "../market.ts";
import { checkKind } from "../preflight.ts";
import { DATA_DEFAULT } from "../reader.ts";
import { alertsOf, budgetsOf } from "../reads.ts";
import { rpcUrlsOf } from "../rpc-urls.ts";
import { type Banner, bannerLines, localChainText } from "../terminal/banner.ts";
import { budgetBars } from "../terminal/budget-bars.ts";
import { createFeedLines } from "../terminal/feed-lines.ts";
import { createLive } from "../terminal/live.ts";
import { type Summary, summaryLine } from "../terminal/summary-line.ts";
import { troubleLines } from "../terminal/trouble-lines.ts";
import { VERSION } from "../version.ts";

/** What does not stop in this time is left to its crash safety: everything acknowledged is on disk. */
const STOP_MS = 1900;
/** How often the totals are looked up for a person, and how often they are printed where nobody looks. */
const LOOK_MS = 500;
/** Alerts are counted from their counters: not at each look. */
const ALERT_LOOKS = 6;
/** So are budgets: their rows are made from all counters of the windows that are now. */
const BUDGET_LOOKS = 2;
const QUIET_MS = 30_000;
/** The local chain makes four blocks a second; a real one is asked once a second. */
const DEMO_INTERVAL_MS = 250;

export async function run(input: Input, io: Io): Promise<number> {
  const started = performance.now();
  const port = input.integer("port", 0, 65_535);
  const data = input.text("data") ?? DATA_DEFAULT;
  const json = input.flag("json");
  const stopped = interrupted();
  const say = (line: string): void => {
    if (!json) io.err.write(`${line}\n`);
  };
  const loaded =
    input.flag("demo") && input.text("config") === null ? null : await loadConfig(input.text("config"), io.cwd);
  checkKind(data, input.flag("demo"));
  const market = input.flag("demo") ? await openMarket(data, () => {}) : null;
  let machine: Machine | null = null;
  try {
    const config = market?.config ?? (loaded?.config as Config);
    const { urls, missing } =
      market === null ? rpcUrlsOf(config.chains[0]?.rpcUrls ?? [], io.env) : { urls: [market.rpcUrl], missing: [] };
    machine = await startMachine({
      data,
      config,
      agentCoreUrl: market?.agentCoreUrl,
      port: port ?? undefined,
      // What is said before anybody can listen, such as that the queue was damaged. Later notices come in the feed.
      log: (line) => {
        if (machine === null) io.err.write(`${line}\n`);
      },
      watch:
        urls.length === 0 ? undefined : { rpcUrls: urls, intervalMs: market === null ? undefined : DEMO_INTERVAL_MS },
    });
    const banner = bannerOf({
      machine,
      market,
      config,
      data,
      missing,
      file: loaded?.file ?? null,
      io,
      seconds: (performance.now() - started) / 1000,
    });
    if (json)
      io.out.write(
        `${toJson({ kind: "ready", at: io.now().toISOString(), url: machine.url, version: VERSION, data })}\n`,
      );
    else printLines(io, bannerLines(banner, io.screen()));
    const show = json ? showJson(machine, io) : showLive(machine, config, io);
    market?.start(`${machine.url}/aws/events`, show.trouble);
    await stopped;
    show.end();
    say("Stopping.");
    return EXIT.done;
  } finally {
    await stopAll(machine, market, say);
  }
}

async function stopAll(machine: Machine | null, market: Market | null, say: (line: string) => void): Promise<void> {
  const late = setTimeout(() => {
    say("Something did not stop in time and was cut off; nothing that was acknowledged is lost.");
    process.exit(process.exitCode ?? EXIT.done);
  }, STOP_MS);
  try {
    // The agents first: what they say last is still taken.
    await market?.stop();
    await machine?.stop();
  } finally {
    clearTimeout(late);
  }
}

interface Show {
  /** The demo makes something go wrong. */
  trouble(told: TroubleTold): void;
  end(): void;
}

/** One JSON object a line. */
function showJson(machine: Machine, io: Io): Show {
  const off = machine.on((event) => io.out.write(`${toJson(event)}\n`));
  return {
    trouble: ({ leads: _, ...told }) =>
      void io.out.write(`${toJson({ kind: "trouble", at: io.now().toISOString(), data: told })}\n`),
    end: off,
  };
}

/** The feed above budgets and totals on a terminal; without one the totals alone, now and then. */
function showLive(machine: Machine, config: Config, io: Io): Show {
  const live = createLive(io.out, () => io.screen());
  const linesOf = createFeedLines();
  let block: number | null = null;
  let alertsOpen = 0;
  let budgets: readonly Budget[] = [];
  let looks = 0;
  const off = machine.on((event) => {
    if (event.kind === "heads") block = event.data.latest;
    const screen = io.screen(); // each time: a terminal may be made narrower, and a line that wraps stays behind
    if (!screen.live && event.kind !== "notice") return;
    for (const line of linesOf(event, screen)) live.print(line);
  });
  let last = "";
  let busy = false;
  const look = async (): Promise<void> => {
    if (busy) return;
    busy = true;
    try {
      const screen = io.screen();
      if (!screen.live || looks++ % ALERT_LOOKS === 0) alertsOpen = (await openAlertsOf(machine, io)).length;
      const summary = { ...(await figuresOf(machine, config, io)), alertsOpen, block };
      if (screen.live) {
        const now = io.now().toISOString();
        if (looks % BUDGET_LOOKS === 1) budgets = await budgetsOf(machine.readable, now, "current");
        live.stay((at) => [...budgetBars(budgets, at, now), summaryLine(summary, at)]);
        return;
      }
      const line = summaryLine(summary, screen);
      if (line !== last) live.print(`${io.now().toISOString()}  ${line}`);
      last = line;
    } catch {
      // The machine is closing; the last totals stay.
    } finally {
      busy = false;
    }
  };
  const timer = setInterval(() => void look(), io.screen().live ? LOOK_MS : QUIET_MS);
  void look();
  return {
    trouble(told) {
      const screen = io.screen();
      if (!screen.live) return;
      for (const line of troubleLines(told, io.now().toISOString(), screen)) live.print(line);
    },
    end() {
      clearInterval(timer);
      off();
      live.end();
    },
  };
}

async function openAlertsOf({ readable }: Machine, io: Io): Promise<readonly Alert[]> {
  return (await alertsOf(readable, io.now().toISOString(), "standing")).filter(({ status }) => status === "open");
}

/** Totals from the machine, and the day's money from the books: what agents hold binds them, whoever else has spoken. */
async function figuresOf(machine: Machine, { org }: Config, io: Io): Promise<Omit<Summary, "alertsOpen" | "block">> {
  const day = windowOf("day", io.now().toISOString()).start ?? "";
  const holding = await all(knownCounters(machine.store, "agent", "held"));
  const [spent = 0n, ...held] = await readCounters(machine.store, [spentCounter(`org:${org}`, "day", day), ...holding]);
  const sum = held.reduce((total, amount) => total + amount, 0n);
  return { ...machine.totals(), spent, held: sum, queueDepth: machine.queueDepth() };
}

interface BannerFacts {
  readonly machine: Machine;
  readonly market: Market | null;
  readonly config: Config;
  readonly data: string;
  readonly missing: readonly string[];
  readonly file: string | null;
  readonly seconds: number;
  readonly io: Io;
}

function bannerOf({ machine, market, config, data, missing, file, seconds, io }: BannerFacts): Banner {
  const screen = io.screen();
  const other = machine.port === 4402 ? "" : ` --port ${machine.port}`;
  const common = { version: VERSION, seconds, data: `${data.replace(/\/+$/, "")}/`, url: machine.url };
  const tries = [`npx bursar payments${other}`, `npx bursar payment ID${other}`, "Ctrl-C to stop"];
  if (market !== null) {
    const { chain, agents, apis } = market.facts;
    return {
      ...common,
      edition: "one machine, demo fleet",
      chain: localChainText(chain, screen),
      apis: apis.map(({ id, url, products, note }) => ({
        id,
        url,
        note: `${pricesOf(products)}${note === null ? "" : ` (${note})`}`,
      })),
      agents: agents.map(({ id, note }) => (note === null ? id : `${id} (${note})`)),
      tries,
      notes: [],
    };
  }
  const [chain] = config.chains;
  const secret =
    missing.length === 0 ? "no RPC URL is configured" : `the secret ${missing[0]} is not in the environment`;
  const watched = chain !== undefined && missing.length < chain.rpcUrls.length;
  return {
    ...common,
    edition: "one machine",
    chain: `${chainById(chain?.id ?? 0)?.name ?? "unknown"} (id ${chain?.id ?? "?"})${watched ? "" : ", not watched"}`,
    apis: [],
    agents: Object.keys(config.agents),
    tries,
    notes: [
      ...(file === null
        ? [
            "There is no bursar.config.ts here: nothing has a budget and no wallet an owner. bursar start --demo shows what Bursar does.",
          ]
        : []),
      ...(watched ? [] : [`The chain is not watched: ${secret}. Nothing will be matched. See: bursar doctor`]),
    ],
  };
}

function pricesOf(products: readonly { readonly priceUsd: string }[]): string {
  const prices = products.map(({ priceUsd }) => priceUsd).sort((a, b) => Number(a) - Number(b));
  const [least, most] = [prices[0], prices[prices.length - 1]];
  return least === most ? `$${least}` : `$${least} to $${most}`;
}
