/** What troubles are made with: the fleet's wallets, sessions and emitters, the chain, and facilitators that misbehave. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Break } from "@bursar/events/shapes";
import type { ClientOptions, EmitInput, Emitter, Producer, SessionRef } from "@bursar/sdk";
import type { Address, LocalAccount } from "viem";
import type { Payer } from "../agentcore/payer.ts";
import type { SessionKeeper, Stop } from "../agentcore/session-keeper.ts";
import type { DemoAgentId } from "../agents.ts";
import { type Bought, createKeyBuyer, createSessionBuyer, createSilentBuyer, type Sessions } from "../buyer.ts";
import type { Devnet } from "../devnet.ts";
import type { Mindful } from "../facilitator.ts";
import { overhear } from "../overheard.ts";
import type { ApiId } from "../plan.ts";
import { type Counter, type CounterOptions, openCounter } from "./counter.ts";

/** Waits for a payment's break or settlement, or a session's revocation, to be in the books; cut off by the signal. */
export type Shown = (id: string, what: Seen, signal: AbortSignal) => Promise<void>;

export type Seen = Break | "settled" | "revoked";

export interface YardParts {
  readonly devnet: Devnet;
  readonly account: (agent: DemoAgentId) => LocalAccount;
  readonly payTo: (api: ApiId) => Address;
  readonly payers: Readonly<Record<DemoAgentId, Payer>>;
  readonly keeper: (agent: DemoAgentId) => SessionKeeper;
  readonly emitter: (source: Producer) => Emitter;
  readonly facilitator: Mindful;
  readonly urls: { readonly reports: string; readonly quotes: string; readonly silentQuotes: string };
  /** True while AgentCore signs for the session. */
  readonly isOpen: (session: SessionRef) => boolean;
  /** The agent's last stop; null before the first. */
  readonly lastStop: (agent: DemoAgentId) => Stop | null;
  /** Resolves when a viewer has had the time to see this of the payment or session. */
  readonly shown: Shown;
  readonly signal: AbortSignal;
}

export interface Yard extends YardParts {
  /** An honest purchase by x402's client, but for what is said otherwise. Throws what fetch throws. */
  buy(agent: DemoAgentId, url: string, options?: BuyOptions): Promise<Spoken>;
  /** A purchase with the agent's own key, past AgentCore. */
  buyWithKey(account: LocalAccount, source: Producer, url: string, told?: ClientOptions): Promise<Spoken>;
  /** A purchase that its agent tells nobody of. */
  buySilently(agent: DemoAgentId, url: string): Promise<Bought>;
  /** A replica of the reports API whose facilitator settles as told. */
  counter(options: Pick<CounterOptions, "settle" | "authorizationSeconds">): Promise<Counter>;
  /** Resolves when `condition` holds. Throws once `seconds` have passed, or all of it stops. */
  until(what: string, seconds: number, condition: () => boolean | Promise<boolean>): Promise<void>;
  pause(ms: number): Promise<void>;
}

export interface BuyOptions {
  /** What is told instead of what happened. */
  readonly change?: ((event: EmitInput) => EmitInput | null) | undefined;
  /** The request's id, where it is used again. */
  readonly requestId?: string | undefined;
  /** Where the session comes from; default the agent's keeper. */
  readonly sessions?: Sessions | undefined;
}

export interface Spoken extends Bought {
  /** Ids of the payments that the agent spoke of. */
  readonly payments: readonly string[];
  readonly events: readonly EmitInput[];
}

const LOOK_MS = 100;

export function openYard(parts: YardParts): Yard {
  const { devnet, account, payTo, payers, keeper, emitter, signal } = parts;
  const pause = async (ms: number) => {
    await sleep(ms, undefined, { signal, ref: false });
  };
  return {
    ...parts,
    async buy(agent, url, { change, requestId, sessions = keeper(agent) } = {}) {
      const said = overhear(emitter({ agent }), change);
      const told = requestId === undefined ? {} : { requestId: () => requestId };
      const bought = await createSessionBuyer(payers[agent], sessions, said.emitter, told)(url, signal);
      return { ...bought, payments: said.payments(), events: said.events() };
    },
    async buyWithKey(signer, source, url, told) {
      const said = overhear(emitter(source));
      const bought = await createKeyBuyer(signer, said.emitter, told)(url, signal);
      return { ...bought, payments: said.payments(), events: said.events() };
    },
    buySilently: (agent, url) => createSilentBuyer(account(agent))(url, signal),
    counter: (options) =>
      openCounter({ ...options, devnet, payTo: payTo("reports"), emitter: emitter({ api: "reports" }) }),
    async until(what, seconds, condition) {
      const end = Date.now() + seconds * 1000;
      while (!(await condition())) {
        if (Date.now() > end) throw new Error(`${what} did not come within ${seconds} s`);
        await pause(LOOK_MS);
      }
    },
    pause,
  };
}
