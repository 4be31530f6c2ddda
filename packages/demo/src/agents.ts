/** The demo's agents: who they are, whose wallet is whose, and how each goes about its payment sessions. */
import type { AgentId } from "./plan.ts";

/** Agents that spend without a plan, until they are stopped and after it. */
export type SpenderId = "gambler" | "hydra";

/** The courier is given little money, and late: it runs out of it in the middle of its errands. */
export type DemoAgentId = AgentId | SpenderId | "courier";

export interface DemoAgent {
  /** Its wallet: an account of the devnet's public test mnemonic, which holds nothing on any real chain. */
  readonly account: number;
  readonly team: string;
  /** What a banner says of it. */
  readonly note: string | null;
  /** Milliseconds to wait after the `stops`th stop in a row before it opens a session again. */
  readonly pauseMs: (stops: number) => number;
}

/** 1 s, 2 s, 4 s and so on, to half a minute: an app that was stopped for a reason should not hammer. */
const patient = (stops: number) => Math.min(30_000, 1_000 * 2 ** Math.min(stops - 1, 10));
/** 5 s, 7.5 s, 11 s and so on, to a minute. */
const growing = (stops: number) => Math.min(60_000, Math.round(5_000 * 1.5 ** Math.min(stops - 1, 20)));
/** With the pace it buys at, a session every 10 s. */
const stubborn = () => 5_000;

export const AGENTS: Readonly<Record<DemoAgentId, DemoAgent>> = {
  research: { account: 0, team: "insight", note: null, pauseMs: patient },
  trader: { account: 1, team: "markets", note: null, pauseMs: patient },
  writer: { account: 2, team: "insight", note: null, pauseMs: patient },
  intern: { account: 3, team: "insight", note: "goes silent", pauseMs: patient },
  gambler: { account: 4, team: "play", note: "overspends", pauseMs: growing },
  courier: { account: 6, team: "markets", note: "runs out of money", pauseMs: patient },
  hydra: { account: 5, team: "play", note: "opens new sessions while frozen", pauseMs: stubborn },
};

export const AGENT_IDS = Object.keys(AGENTS) as readonly DemoAgentId[];

/** The one payment manager that all of them pay through. */
export const MANAGER_ARN = "arn:aws:bedrock-agentcore:us-east-1:000000000000:payment-manager/demo";

/** AgentCore's own cap on each of their sessions: well above what Bursar lets the spenders spend. */
export const SESSION_TERMS = { limitUsd: "20.00", expiryMinutes: 60 } as const;
