/** Where commands read from: the machine that runs, else its data directory, read-only. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { PaymentFilter } from "@bursar/core/lists";
import type { Recount } from "@bursar/core/recount";
import type { Budget, Health, Payment, Wallet } from "@bursar/events/shapes";
import type { Input } from "./args.ts";
import { addressOf, type Client, connect } from "./client.ts";
import { CommandError } from "./errors.ts";
import type { Io } from "./io.ts";
import { pause } from "./pause.ts";
import type { Reading, Reconciled } from "./reconcile.ts";
import { dayFor } from "./reconcile-days.ts";
import type { StoryFact } from "./story.ts";
import type { ChainStanding } from "./watcher.ts";

export interface PaymentPage {
  readonly payments: readonly Payment[];
  readonly nextCursor: string | null;
}

export interface WalletPage {
  readonly wallets: readonly Wallet[];
  readonly nextCursor: string | null;
}

export interface Reader {
  /** What a person calls it: the machine's URL, or the directory. */
  readonly from: string;
  /** Null where no machine runs. */
  readonly health: Health | null;
  payments(filter: PaymentFilter, limit: number, cursor: string | null): Promise<PaymentPage>;
  payment(id: string): Promise<Payment | null>;
  /** Null where nobody has it: the timeline alone is known then. */
  story(id: string): Promise<readonly StoryFact[] | null>;
  /** Null where no machine runs. */
  budgets(): Promise<readonly Budget[] | null>;
  /** How the chain is watched; null where no machine runs, or none watches it. */
  chain(): Promise<ChainStanding | null>;
  /** The governed wallets, with their balances as they are now, or as they were kept last where no machine runs. */
  wallets(): Promise<WalletPage>;
  /** Every counter against its payments. */
  recount(): Promise<Recount>;
  /** The day's three-way balance; `day` as a person writes it. @throws {CommandError} for a day that is none */
  reconcile(day: string, onReading: (reading: Reading) => void): Promise<Reconciled>;
  close(): Promise<void>;
}

export const DATA_DEFAULT = ".bursar";
/** Where `start --demo` keeps the config of its fleet, so that its data can be read when it is over. */
export const demoConfigFile = (data: string): string => join(data, "demo", "config.json");

/** Payments asked for at once. */
export const PAGE = 500;
/** Everything is read for it, and of a large table that takes a while. */
const RECOUNT_MS = 10 * 60_000;
/** A day of blocks besides, from a node that may give little at once. */
const RECONCILE_MS = 30 * 60_000;
/** How often a machine is asked how far it is. */
const READING_EVERY_MS = 500;

/** @throws {CommandError} where neither is there, with how to start one */
export async function openReader(input: Input, io: Io): Promise<Reader> {
  const address = addressOf(input, io);
  const connected = await connect(address);
  const data = input.text("data") ?? DATA_DEFAULT;
  if (connected !== null) return machineReader(connected.client, connected.health);
  const hasData = existsSync(join(data, "store", "data.mdb"));
  if (address.named || !hasData) {
    const also = address.named ? "" : ` and ${data} holds no data`;
    throw new CommandError(`No machine answers at ${address.url}${also}. Start one: bursar start --demo`);
  }
  return directoryReader(await openTable(data, input, io), data);
}

/** The running machine alone: for what only it knows. */
export async function openMachine(input: Input, io: Io): Promise<{ client: Client; health: Health }> {
  const address = addressOf(input, io);
  const connected = await connect(address);
  if (connected === null)
    throw new CommandError(`No machine answers at ${address.url}. Start one: bursar start --demo`);
  return connected;
}

function machineReader(client: Client, health: Health): Reader {
  return {
    from: client.url,
    health,
    async payments(filter, limit, cursor) {
      const { state = null, verdict = null, agent = null, tx = null } = filter;
      const query = { state, verdict, agent, tx, limit: String(limit), cursor };
      return (await client.get("/api/payments", query)) as PaymentPage;
    },
    async payment(id) {
      return (await client.get(`/api/payments/${encodeURIComponent(id)}`)) as Payment | null;
    },
    async story(id) {
      const answer = (await client.get("/api/story", { id })) as { readonly story: readonly StoryFact[] } | null;
      return answer?.story ?? null;
    },
    async budgets() {
      const answer = (await client.get("/api/budgets")) as { budgets: readonly Budget[] } | null;
      return answer?.budgets ?? null;
    },
    async chain() {
      const answer = (await client.get("/api/chain")) as { readonly chain: ChainStanding | null } | null;
      return answer?.chain ?? null;
    },
    wallets: async () => (await client.get("/api/wallets")) as WalletPage,
    recount: async () => (await client.get("/api/recount", {}, RECOUNT_MS)) as Recount,
    async reconcile(day, onReading) {
      const ended = new AbortController();
      const watching = followReading(client, onReading, ended.signal);
      try {
        return (await client.get("/api/reconcile", { day }, RECONCILE_MS)) as Reconciled;
      } finally {
        ended.abort();
        await watching;
      }
    },
    async close() {},
  };
}

/** Asks the machine how far it is, until the signal says stop. It is a courtesy: no failure of it matters. */
async function followReading(client: Client, onReading: (reading: Reading) => void, stop: AbortSignal): Promise<void> {
  for (;;) {
    await pause(READING_EVERY_MS, stop);
    if (stop.aborted) return;
    const answer = (await client.get("/api/reconcile/progress").catch(() => null)) as {
      reading: Reading | null;
    } | null;
    if (answer?.reading != null && !stop.aborted) onReading(answer.reading);
  }
}

function directoryReader(table: Table, data: string): Reader {
  return {
    from: data,
    health: null,
    payments: table.payments,
    payment: table.payment,
    story: table.story,
    budgets: async () => null,
    chain: async () => null,
    wallets: table.wallets,
    recount: table.recount,
    reconcile: table.reconcile,
    close: table.close,
  };
}

type Table = Pick<Reader, "payments" | "payment" | "story" | "wallets" | "recount" | "reconcile" | "close">;

async function openTable(data: string, input: Input, io: Io): Promise<Table> {
  const [{ openLmdbStore }, { listPayments, showById }, { readHeads }, { worldOf }, { storyOf }, { loadConfig }] =
    await Promise.all([
      import("@bursar/store/lmdb"),
      import("@bursar/core/lists"),
      import("@bursar/core/heads"),
      import("@bursar/core/world"),
      import("./story.ts"),
      import("./config-file.ts"),
    ]);
  const named = input.text("config");
  const demo = demoConfigFile(data);
  const { config } = await loadConfig(named ?? (existsSync(demo) ? demo : null), io.cwd);
  const store = await openLmdbStore(join(data, "store"), { readOnly: true });
  const heads = new Map();
  for (const { id } of config.chains) {
    const head = await readHeads(store, id);
    if (head !== undefined) heads.set(id, head);
  }
  const world = worldOf(config, heads);
  const now = (): string => io.now().toISOString();
  // Under the budgets in force, which commands may have changed.
  const worldNow = async () => {
    const { baseOf, worldAt } = await import("@bursar/core/govern-world");
    return worldAt(store, baseOf(world, config), now());
  };
  return {
    payments: (filter, limit, cursor) => listPayments(store, world, now(), filter, { limit, cursor }),
    payment: (id) => showById(store, world, now(), id),
    story: (id) => storyOf(store, world, id),
    async wallets() {
      const { readWallets } = await import("@bursar/core/wallet-items");
      const { chainId, walletOwner } = world.directory;
      const owners = new Map([...walletOwner].map(([wallet, agentId]) => [wallet, [agentId]]));
      return { wallets: await readWallets(store, chainId, owners, new Map(), now()), nextCursor: null };
    },
    async recount() {
      const { recount } = await import("@bursar/core/recount");
      return recount(store, await worldNow(), now());
    },
    async reconcile(name, onReading) {
      const [{ createReconciler }, { rpcUrlsOf }] = await Promise.all([
        import("./reconcile.ts"),
        import("./rpc-urls.ts"),
      ]);
      const day = dayFor(name, now());
      if (typeof day === "string") throw new CommandError(`The day is ${day}.`);
      const { urls, missing } = rpcUrlsOf(config.chains[0]?.rpcUrls ?? [], io.env);
      const noUrls = missing.length === 0 ? undefined : `the secret ${missing.join(", ")} is not in the environment`;
      return createReconciler({ store, world: worldNow, rpcUrls: urls, noUrls, now, isLive: false }).run(
        day,
        onReading,
      );
    },
    close: () => store.close(),
  };
}

/** Every payment that passes, page by page, at most `max`. */
export async function* eachPage(
  reader: Reader,
  filter: PaymentFilter,
  max = Number.POSITIVE_INFINITY,
): AsyncGenerator<PaymentPage> {
  let cursor: string | null = null;
  let left = max;
  do {
    const page: PaymentPage = await reader.payments(filter, Math.min(PAGE, left), cursor);
    yield page;
    left -= page.payments.length;
    cursor = page.nextCursor;
  } while (cursor !== null && left > 0);
}
