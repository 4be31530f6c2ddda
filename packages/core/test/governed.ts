/** A table with governance over it, told step by step: what a shell does, with the clock in the test's hand. */
import type { BudgetInput, ConfigInput } from "@bursar/events/config";
import { parseConfig } from "@bursar/events/config-schema";
import type { Told } from "@bursar/events/envelope";
import { listAlerts } from "../src/alert-book.ts";
import { enforceDue } from "../src/enforce.ts";
import { type Governed, governAll } from "../src/govern.ts";
import { baseOf, worldAt } from "../src/govern-world.ts";
import { type Ingested, ingest } from "../src/ingest.ts";
import { eachAction, type KeptAction } from "../src/outbox.ts";
import { all } from "../src/pages.ts";
import { applyConfig, noteBooked } from "../src/policies.ts";
import type { Sessions } from "../src/ports.ts";
import { worldOf } from "../src/world.ts";
import { memoryStore } from "./memory-store.ts";
import { ARN, at, payTo, wallet } from "./story.ts";

const AGENTS: ConfigInput["agents"] = {
  research: { wallets: [wallet.research], labels: { team: "growth" }, paymentManagerArn: ARN, userId: "u" },
  trader: { wallets: [wallet.trader], paymentManagerArn: ARN, userId: "t" },
};

export interface GovernedOptions {
  readonly agents?: ConfigInput["agents"];
  readonly limits?: ConfigInput["limits"];
  readonly sessions?: Sessions;
}

export async function governed(budgets: readonly BudgetInput[], options: GovernedOptions = {}) {
  const config = parseConfig({
    org: "acme",
    agents: options.agents ?? AGENTS,
    apis: { reports: { payTo: [payTo.reports] }, quotes: { payTo: [payTo.quotes] } },
    budgets: [...budgets],
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  const store = memoryStore();
  const base = baseOf(worldOf(config), config);
  await noteBooked(store, (await applyConfig(store, config.budgets)).edition);
  const world = (now: string) => worldAt(store, base, now);
  return {
    store,
    base,
    config,
    world,
    tell: (told: readonly Told[], now: string): Promise<Ingested> => ingest(store, base, told, now),
    judgeAll: async (now: string): Promise<Governed> => governAll(store, await world(now), now),
    enforce: (now: string, sessions = options.sessions ?? null) =>
      enforceDue({
        store,
        sessions,
        agents: config.agents,
        now: () => now,
        tell: async (told) => void (await ingest(store, base, told, now)),
      }),
    /** `<kind> <target> <outcome>` of each, ascending. */
    async actions(): Promise<string[]> {
      const actions = await all(eachAction(store));
      return actions.map(({ kind, target, outcome }) => `${kind} ${target} ${outcome}`).sort();
    },
    async action(target: string): Promise<KeptAction | undefined> {
      return (await all(eachAction(store))).find((one) => one.target === target);
    },
    /** Ids of the alerts that are open at `now`. */
    async open(now: string): Promise<string[]> {
      return (await listAlerts(store, now)).filter(({ status }) => status === "open").map(({ id }) => id);
    },
  };
}

export const day = (fields: Partial<BudgetInput> = {}): BudgetInput => ({
  id: "d",
  scope: { agent: "*" },
  window: "day",
  limitUsd: "0.001",
  thresholds: [{ at: 1, do: "revoke" }],
  ...fields,
});

export const FREEZE = { at: 1, do: "freeze" } as const;
export const ALERT = (share: number) => ({ at: share, do: "alert" }) as const;
/** Seconds after ten o'clock of the next day. */
export const tomorrow = (seconds: number): string => at(86_400 + seconds);
