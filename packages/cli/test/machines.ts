/** Machines for tests: on a free port, in a directory of their own, stopped and removed at the end. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseConfig } from "@bursar/events/config-schema";
import { afterAll } from "vitest";
import type { MachineEvent } from "../src/feed.ts";
import { type Machine, type MachineOptions, startMachine } from "../src/machine.ts";

const made: { machine: Machine | null; directory: string }[] = [];

afterAll(async () => {
  for (const { machine, directory } of made.splice(0)) {
    await machine?.stop();
    rmSync(directory, { recursive: true, force: true });
  }
});

export function directoryForTest(): string {
  const directory = mkdtempSync(join(tmpdir(), "bursar-machine-"));
  made.push({ machine: null, directory });
  return directory;
}

export async function machineForTest(options: Partial<MachineOptions> = {}): Promise<Machine> {
  const directory = directoryForTest();
  const defaults = { data: join(directory, "data"), config: parseConfig({ org: "acme" }), port: 0 };
  const machine = await startMachine({ ...defaults, ...options });
  made.unshift({ machine, directory });
  return machine;
}

/** The first event that passes, from now on. */
export function nextEvent(machine: Machine, passes: (event: MachineEvent) => boolean): Promise<MachineEvent> {
  return new Promise((resolve) => {
    const off = machine.on((event) => {
      if (!passes(event)) return;
      off();
      resolve(event);
    });
  });
}
