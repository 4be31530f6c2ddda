/** What can be asked of the machine: the public lists, made from the table and the overview at the time of asking. */
import { type Cause, openAlerts } from "@bursar/core/alerts";
import { budgetRows } from "@bursar/core/budgets";
import { aliasPk, counterKey, TIES } from "@bursar/core/items";
import { eachPayment, showById } from "@bursar/core/lists";
import type { Store } from "@bursar/core/ports";
import type { CorrelateWorld } from "@bursar/core/write";
import type { Config } from "@bursar/events/config-schema";
import { alias, parsePaymentId } from "@bursar/events/ids";
import type { Alert, Budget, Payment, Wallet } from "@bursar/events/shapes";
import type { Overview } from "./overview.ts";
import type { QuarantineList } from "./quarantine.ts";

/** What a session looks like from events alone; AgentCore's own figures come with the issue on sessions. */
export interface Session {
  readonly id: string;
  readonly managerArn: string;
  readonly agentId: string | null;
  readonly userId: string | null;
  readonly status: "open" | "revoked" | "expired" | "unknown";
  readonly expiresAt: string | null;
  readonly revokedAt: string | null;
  readonly limit: string | null;
  readonly available: string | null;
  readonly exposure: string | null;
  readonly drift: string | null;
}

export interface Readable {
  readonly store: Store;
  readonly config: Config;
  readonly world: CorrelateWorld;
  readonly overview: Overview;
  readonly quarantine: QuarantineList;
}

/** Candidates that are named where a prefix fits many payments. */
const CANDIDATES_MAX = 10;

/** The payments that `text` means: an id, or the beginning of one, of a nonce or of a hash. Two or more: ambiguous. */
export async function findPayments({ store, world }: Readable, text: string, now: string): Promise<readonly Payment[]> {
  const exact = await showById(store, world, now, text);
  if (exact !== null) return [exact];
  const wanted = /^0x[0-9a-f]*$/i.test(text) || /^(?:eip3009|transfer|tx):/i.test(text) ? text.toLowerCase() : text;
  const again = wanted === text ? null : await showById(store, world, now, wanted);
  if (again !== null) return [again];
  if (/^0x[0-9a-f]{64}$/.test(wanted)) {
    const tied = await ofTransaction(store, world, wanted, now);
    if (tied.length > 0) return tied;
  }
  const found: Payment[] = [];
  for await (const { payment } of eachPayment(store, world, now, null, null)) {
    if (!begins(payment, wanted)) continue;
    found.push(payment);
    if (found.length === CANDIDATES_MAX) break;
  }
  return found;
}

async function ofTransaction(store: Store, world: CorrelateWorld, hash: string, now: string): Promise<Payment[]> {
  const { items } = await store.facts(aliasPk(alias.transaction(world.directory.chainId, hash)), TIES, { limit: 100 });
  const ids = new Set(items.map(({ data }) => (data as unknown as { id: string }).id));
  const found = await Promise.all([...ids].slice(0, CANDIDATES_MAX).map((id) => showById(store, world, now, id)));
  return found.filter((payment) => payment !== null);
}

function begins({ id, txHashes }: Payment, text: string): boolean {
  const key = parsePaymentId(id);
  const names = [id, ...(key?.method === "eip3009" ? [key.nonce] : []), ...txHashes];
  return names.some((name) => name.startsWith(text));
}

export async function budgetsOf({ store, config, overview }: Readable, now: string): Promise<Budget[]> {
  const names = overview.counters();
  const amounts = await store.counters(names.map(counterKey));
  const figures = Object.fromEntries(names.map((name, i) => [name, amounts[i] ?? 0n]));
  return budgetRows(config.budgets, figures, config.org, now);
}

/** Open alerts, one per rule, subject and day of the cause; their life over time comes with the issue on alerts. */
export function alertsOf({ overview, quarantine }: Readable): Alert[] {
  const groups = new Map<string, { causes: Cause[]; since: string; latest: string }>();
  for (const { cause, since } of [...overview.causes(), ...quarantine.causes()]) {
    const group = `${since.slice(0, 10)}/${cause.rule}/${cause.subject}`;
    const known = groups.get(group);
    if (known === undefined) groups.set(group, { causes: [cause], since, latest: since });
    else {
      known.causes.push(cause);
      if (since < known.since) known.since = since;
      if (since > known.latest) known.latest = since;
    }
  }
  return [...groups.values()]
    .flatMap(({ causes, since, latest }) => openAlerts(causes, since).map((alert) => ({ ...alert, updatedAt: latest })))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** Wallets of the config, and those that agents have signed with. Nobody has read their balances yet. */
export function walletsOf({ config, world, overview }: Readable): Wallet[] {
  const owners = new Map<string, readonly string[]>();
  for (const [agentId, agent] of Object.entries(config.agents))
    for (const wallet of agent.wallets) owners.set(wallet, [agentId]);
  for (const [wallet, { agentIds }] of overview.wallets()) if (!owners.has(wallet)) owners.set(wallet, agentIds);
  const { chainId, asset } = world.directory;
  return [...owners]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([address, agentIds]) => ({
      address,
      agentIds,
      chainId,
      asset,
      balance: null,
      status: "unknown",
      runwaySeconds: null,
      updatedAt: null,
    }));
}

export function sessionsOf({ overview }: Readable): Session[] {
  return overview
    .sessions()
    .map(({ managerArn, sessionId, agentIds }): Session => {
      const nothing = {
        userId: null,
        expiresAt: null,
        revokedAt: null,
        limit: null,
        available: null,
        exposure: null,
        drift: null,
      };
      return { id: sessionId, managerArn, agentId: agentIds[0] ?? null, status: "unknown", ...nothing };
    })
    .sort((a, b) => (`${a.managerArn}/${a.id}` < `${b.managerArn}/${b.id}` ? -1 : 1));
}
