/** The world that a config describes: what every run of the steps shares beside the facts. */
import type { Config } from "@bursar/events/config-schema";
import type { Heads } from "./assess.ts";
import { directoryOf } from "./directory.ts";
import { countedBy } from "./effects.ts";
import type { CorrelateWorld } from "./write.ts";

/** Under the config's own budgets, with the chain's heads as they stand. */
export function worldOf(config: Config, heads: ReadonlyMap<number, Heads> = new Map()): CorrelateWorld {
  return { directory: directoryOf(config), deadlines: config.deadlines, counted: countedBy(config.budgets), heads };
}
