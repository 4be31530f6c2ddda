/** What governance judges by: the config, the budgets in force, who is stopped, whose wallets are whose. */
import type { Config } from "@bursar/events/config-schema";
import { emptyNotes, type Notes } from "./notes.ts";
import { type InForce, inForce, POLICIES_KEY, policiesOf } from "./policies.ts";
import type { Store } from "./ports.ts";
import { STOPS_KEY, type Stops, stopsOf } from "./stops.ts";
import { INSTRUMENTS_KEY, instrumentsOf, withInstruments } from "./wallet-owners.ts";
import type { CorrelateWorld } from "./write.ts";

/** What a config says to governance, and how the budgets and stops stand: read anew for every batch. */
export interface GovernWorld extends CorrelateWorld {
  readonly notes: Notes;
  readonly agents: Config["agents"];
  readonly limits: Config["limits"];
  readonly force: InForce;
  readonly stops: Stops;
}

/** What is the same for every batch of a process. */
export type GovernBase = Omit<GovernWorld, "force" | "stops" | "counted" | "edition">;

/** What a base is made of. */
export function baseOf(world: CorrelateWorld, { agents, limits }: Config, notes: Notes = emptyNotes()): GovernBase {
  return { ...world, notes, agents, limits };
}

/** The world as it stands in the table. */
export async function worldAt(store: Store, base: GovernBase, now: string): Promise<GovernWorld> {
  const [policies, stops, instruments] = await store.get([POLICIES_KEY, STOPS_KEY, INSTRUMENTS_KEY]);
  const force = inForce(policiesOf(policies), now);
  const directory = withInstruments(base.directory, instrumentsOf(instruments));
  return { ...base, directory, force, counted: force.counted, edition: force.edition, stops: stopsOf(stops) };
}

/** An agent whose sessions AgentCore can be asked for. */
export function isAsked(agents: Config["agents"], agentId: string): boolean {
  const agent = Object.hasOwn(agents, agentId) ? agents[agentId] : undefined;
  return agent?.paymentManagerArn !== undefined && agent.userId !== undefined;
}
