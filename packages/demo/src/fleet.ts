/** The traffic: purchases by plan at a natural pace, many under way at once, each told as its buyer saw it. */
import { setTimeout as sleep } from "node:timers/promises";
import type { Buy } from "./buyer.ts";
import { type AgentId, type ApiId, type Purchase, purchaseAt, type Troubles } from "./plan.ts";
import { type Traffic, trafficOf } from "./traffic.ts";

export interface TrafficOptions {
  /** Purchases a second on the average, default 1. */
  readonly pace?: number | undefined;
  /** Default: every 15th. */
  readonly troubles?: Troubles | undefined;
  /** Ends after so many purchases. Default: goes on until it is stopped. */
  readonly count?: number | undefined;
  /** Told of each purchase when its buyer has an answer, or none. */
  readonly onOutcome?: ((outcome: Outcome) => void) | undefined;
}

/** A purchase as its buyer saw it. */
export interface Outcome extends Purchase {
  readonly url: string;
  /** The buyer's wallet, lower case. */
  readonly payer: string;
  /** Null where no answer came. */
  readonly status: number | null;
  readonly txHash: string | null;
  /** Why no answer came. */
  readonly error: string | null;
  readonly startedAt: string;
  readonly durationMs: number;
}

/** A worker pays with the agent's wallet: one through AgentCore, reporting; the other was started without either. */
export interface Workers {
  readonly payer: string;
  readonly reporting: Buy;
  readonly silent: Buy;
}

/** A replica sells under the API's payTo: one reports, the other was deployed without the SDK. */
export interface Replicas {
  readonly reportingUrl: string;
  /** Null where the API has only one. */
  readonly silentUrl: string | null;
}

/** Purchases under way at once. More wait: a slow chain must not pile them up. */
const UNDER_WAY_MAX = 16;
const TROUBLES: Troubles = { every: 15 };

export function startTraffic(
  agents: Readonly<Record<AgentId, Workers>>,
  apis: Readonly<Record<ApiId, Replicas>>,
  { pace = 1, troubles = TROUBLES, count = Number.POSITIVE_INFINITY, onOutcome }: TrafficOptions = {},
): Traffic {
  const ending = new AbortController();
  const cutting = new AbortController();
  const underWay = new Set<Promise<void>>();

  async function buy(purchase: Purchase): Promise<void> {
    const { payer, reporting, silent } = agents[purchase.agent];
    const { reportingUrl, silentUrl } = apis[purchase.api];
    const pay = purchase.trouble === "silent_agent" ? silent : reporting;
    const url = `${(purchase.trouble === "silent_api" ? silentUrl : null) ?? reportingUrl}${purchase.path}`;
    const startedAt = new Date();
    const outcome = await pay(url, cutting.signal).then(
      (bought) => ({ ...bought, error: null }),
      (error: unknown) => ({
        status: null,
        txHash: null,
        error: error instanceof Error ? error.message : String(error),
      }),
    );
    const durationMs = Date.now() - startedAt.getTime();
    onOutcome?.({ ...purchase, ...outcome, url, payer, startedAt: startedAt.toISOString(), durationMs });
  }

  async function run(): Promise<void> {
    for (let n = 0; n < count && !ending.signal.aborted; n++) {
      while (underWay.size >= UNDER_WAY_MAX) await Promise.race(underWay);
      const one = buy(purchaseAt(n, troubles)).finally(() => underWay.delete(one));
      underWay.add(one);
      // Between a third of the mean pause and five thirds of it: people see a rhythm where there is none.
      const pauseMs = (1000 / pace) * (1 / 3 + (Math.random() * 4) / 3);
      await sleep(pauseMs, undefined, { signal: ending.signal, ref: false }).catch(() => {});
    }
    await Promise.all(underWay);
  }

  return trafficOf(run(), ending, cutting);
}
