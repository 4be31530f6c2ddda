/** What can be asked of the machine: the public lists, made from the table and the overview at the time of asking. */
import { listAlerts } from "@bursar/core/alert-book";
import { type Quiet, readAlertSettings } from "@bursar/core/alert-settings";
import type { KeptAlert } from "@bursar/core/alert-shape";
import { readBudgets } from "@bursar/core/budget-reads";
import { aliasPk, TIES } from "@bursar/core/items";
import { eachPayment, showById } from "@bursar/core/lists";
import { eachAction, type KeptAction } from "@bursar/core/outbox";
import { all } from "@bursar/core/pages";
import { readPolicies } from "@bursar/core/policies";
import type { Store } from "@bursar/core/ports";
import { readSessions } from "@bursar/core/session-reads";
import { readWallets } from "@bursar/core/wallet-items";
import type { CorrelateWorld } from "@bursar/core/write";
import type { Config } from "@bursar/events/config-schema";
import { alias, parsePaymentId } from "@bursar/events/ids";
import type { Action, Budget, Mode, Payment, Session, Wallet, Window } from "@bursar/events/shapes";
import type { Overview } from "./overview.ts";

export interface Readable {
  readonly store: Store;
  readonly config: Config;
  readonly world: CorrelateWorld;
  readonly overview: Overview;
  /** The wallets that this process has read, as they are now. */
  readonly wallets: () => ReadonlyMap<string, Wallet>;
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

export function budgetsOf({ store, config }: Readable, now: string, which: "current" | "all"): Promise<Budget[]> {
  return readBudgets(store, config.org, now, which);
}

/** Budgets as they are in force, with what is spent and held of none of them. */
export async function policiesOf({ store }: Readable, now: string): Promise<PolicyInForce[]> {
  const { kept } = await readPolicies(store);
  return kept
    .filter(({ removed }) => !removed)
    .map(({ policy: { scope, limit, ...policy }, from, raise }) => ({
      ...policy,
      scope: `${scope.kind}:${scope.id}`,
      limit: limit.toString(),
      from,
      raise: raise === null || raise.until <= now ? null : { ...raise, to: raise.to.toString() },
    }));
}

/** A budget in force. Amounts are atomic units, decimal. */
export interface PolicyInForce {
  readonly id: string;
  readonly scope: string;
  readonly window: Window;
  readonly limit: string;
  readonly mode: Mode;
  readonly thresholds: readonly { readonly at: number; readonly do: string }[];
  readonly from: "config" | "command";
  readonly raise: { readonly to: string; readonly until: string; readonly reason: string; readonly at: string } | null;
}

/** Alerts as they stand now, by id; those that stand, or all. */
export async function alertsOf({ store }: Readable, now: string, which: "standing" | "all"): Promise<KeptAlert[]> {
  return (await listAlerts(store, now, which)).sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** What humans keep quiet now, the one that ends first before the others. */
export async function quietsOf({ store }: Readable, now: string): Promise<readonly Quiet[]> {
  return (await readAlertSettings(store)).quiets.filter(({ until }) => until > now);
}

/** Actions, the latest first. */
export async function actionsOf({ store }: Readable): Promise<Action[]> {
  return (await all(eachAction(store))).map(publicAction).reverse();
}

/** An action without what only the outbox needs. */
export function publicAction({ nextAt: _, tries: __, ...action }: KeptAction): Action {
  return action;
}

/** Whose the governed wallets are, by address: those that somebody owns for sure, and those that agents have signed with. */
export function walletOwners({
  world,
  overview,
}: Pick<Readable, "world" | "overview">): Map<string, readonly string[]> {
  const owners = new Map<string, readonly string[]>();
  for (const [wallet, agentId] of world.directory.walletOwner) owners.set(wallet, [agentId]);
  for (const [wallet, { agentIds }] of overview.wallets()) if (!owners.has(wallet)) owners.set(wallet, agentIds);
  return owners;
}

/** The governed wallets with their balances, as they are now where this process reads them. */
export function walletsOf(readable: Readable, now: string): Promise<Wallet[]> {
  const { store, world, wallets } = readable;
  return readWallets(store, world.directory.chainId, walletOwners(readable), wallets(), now);
}

export function sessionsOf({ store }: Readable, now: string): Promise<Session[]> {
  return readSessions(store, now);
}
