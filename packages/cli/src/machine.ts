/** The one-machine edition: store, queue, steps and HTTP in one process. `startMachine` puts them together. */
import { join } from "node:path";
import { undelivered } from "@bursar/core/alert-delivery";
import { touchedBy } from "@bursar/core/alert-marks";
import { applyAlertRules } from "@bursar/core/alert-settings";
import type { Heads } from "@bursar/core/assess";
import { govern } from "@bursar/core/govern";
import { baseOf, worldAt } from "@bursar/core/govern-world";
import { readHeads } from "@bursar/core/heads";
import { emptyNotes } from "@bursar/core/notes";
import { applyConfig } from "@bursar/core/policies";
import type { Sessions, Store } from "@bursar/core/ports";
import { readStops } from "@bursar/core/stops";
import { INSTRUMENTS_KEY, instrumentsOf, withInstruments } from "@bursar/core/wallet-owners";
import { worldOf } from "@bursar/core/world";
import type { Config } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import type { Alert, Health, Wallet } from "@bursar/events/shapes";
import { openLmdbStore } from "@bursar/store/lmdb";
import { createAlertOrders } from "./alert-orders.ts";
import { startAlerting, type TroubleRule } from "./alerting.ts";
import { createApi } from "./api.ts";
import { createChainOrders } from "./chain-orders.ts";
import { createFaults } from "./faults.ts";
import { createFeed, type Listener, type MachineEvent } from "./feed.ts";
import { startGovernance } from "./governance.ts";
import { openDoor } from "./http.ts";
import { createOrders } from "./orders.ts";
import { createOverview, type Totals } from "./overview.ts";
import { within } from "./pause.ts";
import { checkAddress, checkDirectory, listenError } from "./preflight.ts";
import { readQuarantine } from "./quarantine.ts";
import { openQueue } from "./queue.ts";
import type { Readable } from "./reads.ts";
import { publicAction, walletOwners } from "./reads.ts";
import { createReconciler } from "./reconcile.ts";
import { createReconcileDesk } from "./reconcile-desk.ts";
import { noteAgents, refoldChanged } from "./refold.ts";
import { startSteps } from "./steps.ts";
import { createStreams, type Streams } from "./stream.ts";
import { VERSION } from "./version.ts";
import type { WalletWatch } from "./wallet-watch.ts";
import type { Watcher } from "./watcher.ts";

export const DEFAULT_PORT = 4402;

export interface MachineOptions {
  /** The data directory, made where it is missing. The table is in `<data>/store`, the queue in `<data>/queue`. */
  readonly data: string;
  readonly config: Config;
  /** Default 4402; 0 takes any free one. */
  readonly port?: number | undefined;
  /** Default 127.0.0.1. Another address needs `token`. */
  readonly host?: string | undefined;
  /** Callers then must send `authorization: Bearer <token>`. */
  readonly token?: string | undefined;
  /** The chain to watch; without it no chain is watched and health says so. */
  readonly watch?:
    | {
        readonly rpcUrls: readonly string[];
        /** Pause between rounds, default 2,000 ms. */
        readonly intervalMs?: number | undefined;
        /** Where a first start begins; default the latest block. */
        readonly startBlock?: number | undefined;
        /** How old a wallet's balance may become, default 10,000 ms. */
        readonly readMs?: number | undefined;
      }
    | undefined;
  /** Where AgentCore's data plane is; default AWS's own, by each payment manager's region. */
  readonly agentCoreUrl?: string | undefined;
  /** A line for a person, such as that the chain does not answer. The feed's `notice` says the same, once one can listen. */
  readonly log?: ((line: string) => void) | undefined;
}

export interface Machine {
  readonly port: number;
  /** Such as `http://127.0.0.1:4402`, without a path. */
  readonly url: string;
  readonly store: Store;
  /** For the functions of `reads.ts`: budgets, alerts, wallets, sessions. */
  readonly readable: Readable;
  /** Resolves when the overview has read the table: before that totals, budgets and alerts are of a part of it. */
  readonly ready: Promise<void>;
  /** Entries that were acknowledged and are not yet in the table. */
  queueDepth(): number;
  /** Payments by verdict. */
  totals(): Totals;
  health(): Promise<Health>;
  /** Calls `listener` for every event from now on; returns what ends that. */
  on(listener: Listener): () => void;
  /** Facts of the chain, committed in process; resolves when they are durable. Repeats change nothing. */
  tell(told: readonly Told[]): Promise<void>;
  /** The chain's watcher, once the table is read; null where no chain is watched. @throws {RpcError} for URLs that are none */
  watching(): Promise<Watcher | null>;
  /** Resolves when nothing that was acknowledged waits in the queue. */
  drained(): Promise<void>;
  /** Takes no more, finishes what is under way and closes, within two seconds; the queue's rest waits for the next start. */
  stop(): Promise<void>;
}

/**
 * Starts everything and answers when requests are taken.
 * @throws {MachineError} `port_taken`, `address` (not local without a token), `data` (no directory, or another's)
 * @throws {StoreError} for a store that is locked, corrupt or not Bursar's
 */
export async function startMachine(options: MachineOptions): Promise<Machine> {
  const { data, config, port = DEFAULT_PORT, host = "127.0.0.1", token = null, watch, log = () => {} } = options;
  const { agentCoreUrl } = options;
  checkAddress(host, token);
  checkDirectory(data);
  const now = () => new Date().toISOString();
  const closing: (() => Promise<void> | void)[] = [];
  const closeAll = async (): Promise<void> => {
    for (const close of closing.reverse()) await close();
  };
  try {
    // The feed is for governance: the chain's cursor, rewritten with every round, would fill it.
    const store = await openLmdbStore(join(data, "store"), { feedOf: (pk) => pk.startsWith("PAY#") });
    closing.push(() => store.close());
    const feed = createFeed();
    const notice = (message: string): void => {
      log(message);
      feed.emit({ kind: "notice", at: now(), data: { message } });
    };
    const faults = createFaults(notice);
    const queue = await openQueue(join(data, "queue"), { log: notice });
    closing.push(() => queue.close());
    const heads = new Map<number, Heads>();
    const world = { ...worldOf(config, heads), heads };
    const base = { ...baseOf(world, config, emptyNotes()), heads };
    const { chainId, asset } = world.directory;
    const stored = await readHeads(store, chainId);
    if (stored !== undefined) heads.set(chainId, stored);
    await noteAgents(store, config);
    const [kept] = await store.get([INSTRUMENTS_KEY]);
    let directory = withInstruments(world.directory, instrumentsOf(kept));
    const overview = createOverview(() => directory);
    let walletWatch: WalletWatch | null = null;
    const quarantine = await readQuarantine(store);
    const readable = {
      store,
      config,
      get world() {
        return { ...world, directory };
      },
      overview,
      wallets: () => walletWatch?.figures() ?? new Map<string, Wallet>(),
    };
    await applyConfig(store, config.budgets);
    await applyAlertRules(store, config.alerts.rules);

    const stopping = new AbortController();
    const tellAlerts = (alerts: readonly Alert[]): void => {
      for (const alert of alerts) feed.emit({ kind: "alert", at: now(), data: alert });
    };
    const sessions = await agentCoreOf(config, agentCoreUrl);
    let movedAt = performance.now();
    const troubles = new Map<TroubleRule, string>();
    const alerting = startAlerting({
      store,
      publisher: { publish: async () => {} }, // no channel is configured: what was due counts as told
      now,
      troubles: () => {
        if (queue.depth() === 0) movedAt = performance.now();
        const waits = performance.now() - movedAt;
        if (waits < STUCK_MS) troubles.delete("queue_stuck");
        else
          troubles.set(
            "queue_stuck",
            `${queue.depth()} entries wait, and none was taken in for ${Math.round(waits / 1000)} s: what agents and APIs say is not heard. See bursar status`,
          );
        return troubles;
      },
      subjects: { chain_lag: `chain:${chainId}`, rpc_down: `chain:${chainId}`, queue_stuck: "queue:entries" },
      onAlerts: tellAlerts,
      onFault: (part, m) => faults.set(part, m),
    });
    closing.push(feed.on(({ kind }) => kind === "alert" && alerting.wake()));
    closing.push(() => alerting.stop());
    const steps = startSteps({
      store,
      queue,
      base,
      overview,
      quarantine,
      feed,
      now,
      onGoverned: (outcome) => governance.take(outcome),
      onTold: (told) => {
        movedAt = performance.now();
        walletWatch?.heard(told);
      },
      onFault: (m) => faults.set("steps", m),
    });
    const governance = startGovernance({
      store,
      base,
      sessions,
      now,
      tell: steps.tell,
      onAlerts: tellAlerts,
      onAction: (action) => feed.emit({ kind: "action", at: now(), data: publicAction(action) }),
      onFolded: (changed) => steps.show(changed),
      onWallets: () => void reread(),
      onFault: (part, m) => faults.set(part, m),
    });
    /** AgentCore has named other wallets: whose payments they are is another's, perhaps. */
    const reread = async (): Promise<void> => {
      ({ directory } = await worldAt(store, base, now()));
      await refolding().catch((error: Error) =>
        faults.set("overview", `payments cannot be folded again: ${error.message}`),
      );
    };
    let folding: Promise<void> = Promise.resolve();
    /** One after the other: a second change waits for the first to be through all payments. */
    const refolding = (): Promise<void> => {
      folding = folding.then(refoldOnce, refoldOnce);
      return folding;
    };
    const refoldOnce = (): Promise<void> =>
      refoldChanged({
        store,
        config,
        world: () => worldAt(store, base, now()),
        settled: steps.settled,
        now,
        stop: stopping.signal,
        async onChanged(changed) {
          steps.show(changed);
          const at = now();
          const counters = changed.flatMap(({ before, after }) => [
            ...Object.keys(before.applied),
            ...Object.keys(after.applied),
          ]);
          governance.take(
            await govern(
              store,
              await worldAt(store, base, at),
              { counters, sessions: [], findings: [], touched: touchedBy(changed) },
              at,
            ),
          );
        },
      });
    const reading = async (): Promise<void> => {
      await overview.scan(store, readable.world, now(), stopping.signal);
      await refolding();
    };
    const ready = reading().catch((error: Error) => {
      faults.set("overview", `the table cannot be read whole: ${error.message}`);
    });
    closing.push(() => {
      stopping.abort();
      return ready;
    });
    closing.push(async () => {
      const stopped = Promise.all([steps.stop(), governance.stop()]);
      queue.wake();
      await within(stopped, STOP_AGENTCORE_MS);
      sessions?.close(); // what AgentCore has not answered by now is due at the next start
      await stopped;
    });

    let watcher: Watcher | null = null;
    const health = async (): Promise<Health> => {
      const head = heads.get(chainId);
      const isWell = faults.none() && watch !== undefined;
      return {
        status: isWell ? "ok" : "degraded",
        version: VERSION,
        edition: "one-machine",
        chain: {
          id: chainId,
          latest: head?.latest ?? null,
          final: head?.final ?? null,
          lagBlocks: watcher?.behind() ?? null,
        },
        queueDepth: queue.depth(),
        quarantined: quarantine.count(),
        alertsUndelivered: (await undelivered(store)).length,
        faults: faults.list(),
        frozen: Object.keys((await readStops(store)).frozen).sort(),
      };
    };
    const streams = createStreams();
    closing.push(feed.on((event) => streamEvent(event, streams)));
    const isGoverned = (wallet: string): boolean => directory.walletOwner.has(wallet) || overview.wallets().has(wallet);
    const ordered = createOrders({ store, base, governance, refold: reread, notice, now });
    const orders = {
      ...ordered,
      taken: { ...ordered.taken, ...createChainOrders({ watcher: () => watcher, isGoverned, notice }) },
    };
    const standing = () => watcher?.standing() ?? null;
    const worldNow = () => worldAt(store, base, now());
    const rpcUrls = watch?.rpcUrls ?? [];
    const noUrls = "this machine watches no chain: give it an RPC URL (chains[0].rpcUrls)";
    const desk = createReconcileDesk(createReconciler({ store, world: worldNow, rpcUrls, noUrls, now, isLive: true }));
    const alertOrders = createAlertOrders({
      ...{ store, now, onAlerts: tellAlerts, notice },
      context: { org: config.org, chainId },
    });
    const api = createApi({ readable, orders, alertOrders, standing, desk, ready, health, now });
    const door = await openDoor({ host, port, token, api, streams, offer: queue.offer, log }).catch((error) => {
      throw listenError(error, host, port);
    });
    closing.push(() => door.close());
    // Between two looks at the table it ends by itself; one that waits for the chain touches the table no more.
    closing.push(() => within(desk.stop(), STOP_READING_MS));

    let watching: Promise<Watcher | null> = Promise.resolve(null);
    if (watch !== undefined) {
      const { rpcUrls, intervalMs, startBlock, readMs } = watch;
      const latest = () => heads.get(chainId)?.latest ?? null;
      const owned = () => [...directory.walletOwner.keys()];
      const parts = { rpcUrls, intervalMs, startBlock, store, owned, chainId, asset, overview, latest, now };
      let stopped = false;
      // Wallets that agents claimed in an earlier run are known when the table is read.
      watching = ready.then(async () => {
        // viem takes a while to load
        const [{ startWatcher }, { startWalletWatch }] = await Promise.all([
          import("./watcher.ts"),
          import("./wallet-watch.ts"),
        ]);
        if (stopped) return null;
        const wallets = startWalletWatch({
          ...{ store, chainId, asset, limits: config.wallets, readMs, latest, now },
          owners: () => walletOwners(readable),
          onAlerts: tellAlerts,
          onMoved: ({ wallet, before }) => feed.emit({ kind: "wallet", at: now(), data: wallet, before }),
          onFault: (m) => faults.set("wallets", m),
        });
        walletWatch = wallets;
        watcher = startWatcher({
          ...parts,
          tell: steps.tell,
          onRound: wallets.round,
          onFault: (m, kind) => {
            faults.set("chain", m);
            troubles.delete("chain_lag");
            troubles.delete("rpc_down");
            if (m !== null) troubles.set(kind === "lagging" ? "chain_lag" : "rpc_down", m);
          },
        });
        return watcher;
      });
      watching.catch((error: Error) => faults.set("chain", error.message));
      closing.push(async () => {
        stopped = true;
        await within(Promise.all([watcher?.stop(), walletWatch?.stop()]), STOP_CHAIN_MS);
      });
    }

    let ended: Promise<void> | null = null;
    const shown = host.includes(":") ? `[${host}]` : host;
    return {
      port: door.port,
      url: `http://${shown}:${door.port}`,
      store,
      readable,
      ready,
      queueDepth: () => queue.depth(),
      totals: () => overview.totals(),
      health,
      on: feed.on,
      tell: steps.tell,
      watching: () => watching,
      drained: () => queue.drained(),
      stop() {
        ended ??= closeAll();
        return ended;
      },
    };
  } catch (error) {
    await closeAll();
    throw error;
  }
}

/** AgentCore, where an agent of the config has a payment manager; a local data plane takes any credentials. */
async function agentCoreOf({ agents }: Config, endpoint: string | undefined): Promise<ClosableSessions | null> {
  if (Object.values(agents).every(({ paymentManagerArn }) => paymentManagerArn === undefined)) return null;
  // Which Node AWS's client will want next year is no news for whoever runs Bursar.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { createSessions } = await import("@bursar/agentcore/sessions"); // AWS's client takes a while to load
  if (endpoint === undefined) return createSessions();
  return createSessions({ endpoint, credentials: { accessKeyId: "local", secretAccessKey: "local" } });
}

type ClosableSessions = Sessions & { close(): void };

/** Milliseconds that nothing is taken in though entries wait, before that is a trouble. */
const STUCK_MS = 15_000;
/** Milliseconds that a round of the watcher has to end; what it would still commit fails and is done at the next start. */
const STOP_CHAIN_MS = 1_000;
/** Milliseconds that a reconciliation has to end. */
const STOP_READING_MS = 500;
/** Milliseconds that calls of AgentCore have to end. */
const STOP_AGENTCORE_MS = 500;

/** What goes to server-sent events: the frames of section 9. */
function streamEvent(event: MachineEvent, streams: Streams): void {
  if (event.kind === "payment" || event.kind === "alert" || event.kind === "action" || event.kind === "wallet")
    streams.send({ kind: event.kind, data: event.data });
}
