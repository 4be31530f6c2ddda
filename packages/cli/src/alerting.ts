/**
 * The alerts' own time in this process: what time ends is ended, what was written as due is delivered, and the machine's
 * own troubles become alerts when they last.
 */
import { raiseAlerts, resolveAlert } from "@bursar/core/alert-book";
import { deliverAlerts } from "@bursar/core/alert-delivery";
import { sweepAlerts } from "@bursar/core/alert-judge";
import { ruleOf } from "@bursar/core/alert-rules";
import type { Publisher, Store } from "@bursar/core/ports";
import type { Alert } from "@bursar/events/shapes";
import { pause } from "./pause.ts";

/** What can be wrong with Bursar itself, by the rule of its alert. */
export type TroubleRule = "chain_lag" | "rpc_down" | "queue_stuck";

/** In words what is wrong now, by rule. */
export type Troubles = ReadonlyMap<TroubleRule, string>;

export interface AlertingParts {
  readonly store: Store;
  readonly publisher: Publisher;
  readonly now: () => string;
  readonly troubles: () => Troubles;
  /** What each rule is about on this machine. */
  readonly subjects: { readonly [Rule in TroubleRule]: string };
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly onFault: (part: "alerts" | "delivery", message: string | null) => void;
  /** How long a trouble lasts before it is an alert. Default 60,000. */
  readonly lastingMs?: number | undefined;
}

export interface Alerting {
  /** An alert has changed: what is due is delivered now. */
  wake(): void;
  /** Ends when what is under way is done. */
  stop(): Promise<void>;
}

const TICK_MS = 1_000;
const LASTING_MS = 60_000;

export function startAlerting(parts: AlertingParts): Alerting {
  const { store, publisher, now, troubles, subjects, onAlerts, onFault, lastingMs = LASTING_MS } = parts;
  const stopping = new AbortController();
  /** Since when each trouble lasts, and whether this process has told; in this process's own time. */
  const since = new Map<TroubleRule, number>();
  const told = new Map<TroubleRule, boolean>();
  let wake: () => void = () => {};
  let woken = false;

  /** After a start nobody knows what stands from before: what is well is resolved once. */
  async function tellTroubles(): Promise<void> {
    const current = troubles();
    for (const rule of Object.keys(subjects) as TroubleRule[]) {
      const trouble = current.get(rule);
      if (trouble === undefined) {
        since.delete(rule);
        if (told.get(rule) === false) continue;
        const over = await resolveAlert(store, `${rule}/${subjects[rule]}/-`, OVER[rule], now());
        told.set(rule, false);
        if (over !== null) onAlerts([over]);
        continue;
      }
      const start = since.get(rule) ?? performance.now();
      since.set(rule, start);
      if (told.get(rule) === true || performance.now() - start < lastingMs) continue;
      const { severity } = ruleOf(rule);
      const cause = { rule, subject: subjects[rule], severity, sample: trouble, period: "-" };
      onAlerts(await raiseAlerts(store, [cause], now()));
      told.set(rule, true);
    }
  }

  async function loop(): Promise<void> {
    while (!stopping.signal.aborted) {
      woken = false;
      try {
        await tellTroubles();
        onAlerts((await sweepAlerts(store, now())).map(({ alert }) => alert));
        const { fault } = await deliverAlerts(store, publisher, now);
        onFault("delivery", fault === null ? null : `alerts cannot be delivered: ${fault}`);
        onFault("alerts", null);
      } catch (error) {
        if (!stopping.signal.aborted) onFault("alerts", `alerts cannot be judged: ${(error as Error).message}`);
      }
      if (woken) continue;
      const called = new Promise<void>((resolve) => {
        wake = resolve;
      });
      await Promise.race([pause(TICK_MS, stopping.signal), called]);
    }
  }

  const running = loop();
  return {
    wake() {
      woken = true;
      wake();
    },
    async stop() {
      stopping.abort();
      await running;
    },
  };
}

const OVER: { readonly [Rule in TroubleRule]: string } = {
  chain_lag: "the chain is read to its newest block again",
  rpc_down: "the chain can be read again",
  queue_stuck: "events are taken in again",
};
