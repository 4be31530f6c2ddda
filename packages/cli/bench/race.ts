/**
 * How far a budget is overshot when payments are in flight: `node packages/cli/bench/run.mjs only-race.ts`, or
 * `npm run bench`. Agents sign as fast as AgentCore answers until the machine, a process of its own, has deleted every
 * session. Beside it, in the same run, an estimate: the rate of signing times the time until both had
 * reported and until the last session was deleted, and everything in flight.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import type { ConfigInput } from "@bursar/events/config";
import { displayUsd } from "@bursar/events/money";
import { startChild } from "./child.ts";
import { percentile } from "./latencies.ts";
import { accounts, figuresOf, MANAGER, openRacePlane, PAY_TO, type RaceFigures, race, racerOf } from "./racing.ts";

const AMOUNT = 10_000n;
const LIMIT = 3_000_000n;
const ROUNDS = 5;

const RACES = [
  { name: "40 agents, one budget", agents: 40, sessions: 1, scope: { label: "team=race" } },
  { name: "1 agent, 10 sessions", agents: 1, sessions: 10, scope: { agent: "racer-0" } },
] as const;

export async function benchRace(rounds = ROUNDS): Promise<void> {
  const cores = `${cpus().length} cores (${cpus()[0]?.model.trim()})`;
  console.log(
    `overshoot, ${cores}, payments of ${displayUsd(AMOUNT)} against ${displayUsd(LIMIT)}, ${rounds} rounds each`,
  );
  for (const one of RACES) {
    const figures: RaceFigures[] = [];
    while (figures.length < rounds) figures.push(await round(one));
    report(one.name, one.agents * one.sessions, figures);
  }
}

async function round({ agents, sessions, scope }: (typeof RACES)[number]): Promise<RaceFigures> {
  const directory = mkdtempSync(join(tmpdir(), "bursar-bench-"));
  const wallets = accounts(agents);
  const plane = await openRacePlane(wallets);
  const racers = await Promise.all(wallets.map((wallet, n) => racerOf(plane, `racer-${n}`, wallet, sessions)));
  const config: ConfigInput = {
    org: "acme",
    agents: Object.fromEntries(
      racers.map(({ agentId, payer }) => [
        agentId,
        { wallets: [payer.address], paymentManagerArn: MANAGER, userId: agentId, labels: { team: "race" } },
      ]),
    ),
    apis: { reports: { payTo: [PAY_TO] } },
    budgets: [{ id: "race", scope, window: "day", limitUsd: "3.00", thresholds: [{ at: 1, do: "revoke" }] }],
    limits: { revocationsPerMinute: 10_000 },
  };
  const configFile = join(directory, "config.json");
  writeFileSync(configFile, JSON.stringify(config));
  const server = startChild("enforce-server.ts", ["machine", join(directory, "data"), plane.url, configFile]);
  try {
    const url = await server.line();
    const signed = await race({ url, racers, amount: AMOUNT, inFlight: 1, paymentsMax: 1_000_000, pauseMs: 0 });
    if (plane.open().length > 0) throw new Error(`${plane.open().length} sessions are open after the race`);
    return figuresOf(signed, LIMIT, plane, agents * sessions);
  } finally {
    server.child.kill("SIGKILL");
    for (const racer of racers) racer.close();
    await plane.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

function report(name: string, lanes: number, figures: readonly RaceFigures[]): void {
  const middle = (of: (one: RaceFigures) => number): number => percentile(figures.map(of), 0.5);
  const worst = figures.reduce((a, b) => (a.overshoot > b.overshoot ? a : b));
  const usd = (units: number): string => displayUsd(BigInt(Math.round(units)));
  console.log(
    `  ${name}: ${Math.round(middle((one) => one.perSecond))} signed a second in ${lanes} lanes; ` +
      `reported after ${middle((one) => one.reportMs).toFixed(0)} ms, the last session deleted ${middle((one) => one.stopMs).toFixed(0)} ms later; ` +
      `overshoot ${usd(middle((one) => Number(one.overshoot)))} (worst ${displayUsd(worst.overshoot)}), ` +
      `the estimate says ${usd(middle((one) => Number(one.estimate)))}`,
  );
}
