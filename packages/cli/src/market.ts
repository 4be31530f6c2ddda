/** The demo beside the machine: loaded only when asked for, because it brings a chain and a web server. */
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { DemoFacts, PreparedDemo, TroubleTold } from "@bursar/demo/demo";
import { type Config, parseConfig } from "@bursar/events/config-schema";
import { openLmdbStore } from "@bursar/store/lmdb";
import { checkDirectory } from "./preflight.ts";
import { demoConfigFile } from "./reader.ts";

export interface Market {
  readonly config: Config;
  readonly rpcUrl: string;
  /** The local AgentCore data plane. */
  readonly agentCoreUrl: string;
  readonly facts: DemoFacts;
  /** The first payment follows. `onTrouble` is told of what is made to go wrong. */
  start(eventsUrl: string, onTrouble: (told: TroubleTold) => void): void;
  stop(): Promise<void>;
}

/**
 * @throws {MachineError} for a data directory that is none
 * @throws {AnvilError} where this platform has no local chain
 * @throws {StoreError} where another process has the data directory: a second chain would overwrite the first one's state
 */
export async function openMarket(data: string, log: (line: string) => void): Promise<Market> {
  checkDirectory(data);
  await mkdir(dirname(demoConfigFile(data)), { recursive: true }); // first of all: it says whose the store is
  await (await openLmdbStore(join(data, "store"))).close();
  // The agents' EventBridge clients run in this process; which Node its makers will want next year is no news for a demo.
  process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= "true";
  const { prepareDemo } = await import("@bursar/demo/demo");
  const prepared: PreparedDemo = await prepareDemo({ stateDirectory: join(data, "demo"), log });
  const file = demoConfigFile(data);
  // So that the commands that read the directory later know whose wallets these were.
  await writeFile(file, `${JSON.stringify(prepared.config, null, 2)}\n`);
  return {
    config: parseConfig(prepared.config, file),
    rpcUrl: prepared.rpcUrl,
    agentCoreUrl: prepared.agentCoreUrl,
    facts: prepared.describe(),
    start: (eventsUrl, onTrouble) => void prepared.start({ endpoint: eventsUrl, onTrouble }),
    stop: () => prepared.stop(),
  };
}
