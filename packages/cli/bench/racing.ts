/**
 * Agents that pay as fast as AgentCore signs, against a budget that stops them: real sessions and signatures at a local
 * data plane, every payment reported by its agent and its API a few milliseconds after it was signed. For the race test,
 * and for the figures of how far a budget is overshot.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { EventBridgeClient, PutEventsCommand } from "@aws-sdk/client-eventbridge";
import { createDataPlane } from "@bursar/demo/agentcore/data-plane";
import { createPayer, localPaymentsClient, type Payer } from "@bursar/demo/agentcore/payer";
import { openSite } from "@bursar/demo/site";
import type { SessionRef } from "@bursar/sdk";
import { type HDAccount, mnemonicToAccount } from "viem/accounts";

export const MANAGER = "arn:aws:bedrock-agentcore:us-east-1:111122223333:payment-manager/race-0000000000";
export const PAY_TO = "0x2222222222222222222222222222222222222222";
export const USDC = "0xaf88d065e77c8cc2239327c5edb3a432268e5831";
const MNEMONIC = "test test test test test test test test test test test junk";
/** A producer sends what it has said so often, as the SDK does. */
const REPORT_MS = 5;
const EVENTS_PER_ENTRY = 50;

export const accounts = (count: number): HDAccount[] =>
  Array.from({ length: count }, (_, addressIndex) => mnemonicToAccount(MNEMONIC, { addressIndex }));

/** One thing that was signed. Times are performance.now(). */
export interface Signed {
  readonly agentId: string;
  readonly sessionId: string;
  readonly amount: bigint;
  readonly askedAt: number;
  readonly signedAt: number;
  /** When PutEvents had taken what the agent, and what the API, said of it. */
  reportedAt: number;
}

export interface RacePlane {
  readonly url: string;
  /** By session: when each call of DeletePaymentSession for it was answered. */
  readonly deletions: ReadonlyMap<string, readonly number[]>;
  open(): readonly string[];
  close(): Promise<void>;
}

/** A data plane that notes when deletions are answered. */
export async function openRacePlane(wallets: readonly HDAccount[]): Promise<RacePlane> {
  const asked: string[] = [];
  const deletions = new Map<string, number[]>();
  const plane = createDataPlane({
    accounts: wallets,
    managerArns: [MANAGER],
    fault(operation, { paymentSessionId }) {
      if (operation === "DeletePaymentSession") asked.push(String(paymentSessionId));
      return undefined;
    },
  });
  const site = await openSite();
  site.serve((request, response) => {
    response.once("finish", () => {
      const open = new Set(plane.sessions().map(({ sessionId }) => sessionId));
      for (const sessionId of asked.splice(0)) {
        if (open.has(sessionId)) asked.push(sessionId);
        else deletions.set(sessionId, [...(deletions.get(sessionId) ?? []), performance.now()]);
      }
    });
    plane.listener(request, response);
  });
  return {
    url: site.url,
    deletions,
    open: () => plane.sessions().map(({ sessionId }) => sessionId),
    close: () => site.close(),
  };
}

export interface Racer {
  readonly agentId: string;
  readonly payer: Payer;
  readonly sessions: readonly SessionRef[];
}

export interface RaceOptions {
  /** Of the machine, without a path. */
  readonly url: string;
  readonly racers: readonly Racer[];
  /** Of every payment, atomic units. */
  readonly amount: bigint;
  /** Payments of one session that are in flight at once. */
  readonly inFlight: number;
  /** Payments of one session at most, for a race that nobody stops. */
  readonly paymentsMax: number;
  /** What an agent takes between a payment and the next one in the same lane. */
  readonly pauseMs: number;
}

/** Opens an agent's sessions with its own client. */
export async function racerOf(plane: RacePlane, agentId: string, account: HDAccount, sessions: number) {
  const client = localPaymentsClient(plane.url);
  const call = { client, managerArn: MANAGER, userId: agentId, walletAddress: account.address };
  const payer = await createPayer(call);
  const opened: SessionRef[] = [];
  while (opened.length < sessions) opened.push(await payer.openSession());
  return { agentId, payer, sessions: opened, close: () => client.destroy() };
}

/** Pays until every session is refused or has paid `paymentsMax`; answers when everything is reported. */
export async function race({ url, racers, amount, inFlight, paymentsMax, pauseMs }: RaceOptions): Promise<Signed[]> {
  const signed: Signed[] = [];
  const events = new EventBridgeClient({
    endpoint: `${url}/aws/events`,
    region: "us-east-1",
    credentials: { accessKeyId: "local", secretAccessKey: "local" },
  });
  const api = createReporter(events, "bursar.api.reports");
  const offer = offerOf(amount);

  async function run({ agentId, payer, sessions }: Racer): Promise<void> {
    const agent = createReporter(events, `bursar.agent.${agentId}`);
    const lanes = sessions.map((session) => {
      let left = paymentsMax;
      return async () => {
        while (left > 0) {
          left -= 1;
          const askedAt = performance.now();
          const proof = await payer.pay(session, offer).catch(refusedOnly);
          if (proof === null) return;
          const one = { agentId, sessionId: session.sessionId, amount, askedAt, signedAt: performance.now() };
          const kept: Signed = { ...one, reportedAt: Number.NaN };
          signed.push(kept);
          const { from, nonce, validBefore } = proof.authorization;
          const said = {
            at: new Date().toISOString(),
            payment: { method: "eip3009", chainId: 42161, asset: USDC, payer: from, nonce },
            amount: String(amount),
            payTo: PAY_TO,
            validBefore,
          };
          void Promise.all([
            agent.say({ type: "agent.authorization_signed", id: `${nonce}-1`, ...said, session }),
            api.say({ type: "api.verification_started", id: `${nonce}-2`, ...said }),
          ]).then(() => {
            kept.reportedAt = performance.now();
          });
          if (pauseMs > 0) await sleep(pauseMs * (0.5 + Math.random()));
        }
      };
    });
    await Promise.all(lanes.flatMap((lane) => Array.from({ length: inFlight }, lane)));
    await agent.close();
  }

  await Promise.all(racers.map(run));
  await api.close();
  events.destroy();
  return signed;
}

/** What a race came to. Times are milliseconds, amounts atomic units. */
export interface RaceFigures {
  readonly signed: bigint;
  readonly overshoot: bigint;
  /** Signed a second, from the start until the limit was reached. */
  readonly perSecond: number;
  /** From the signature that reached the limit until both had reported it. */
  readonly reportMs: number;
  /** From then until the last deletion's answer. */
  readonly stopMs: number;
  /** Rate up to the breach times (report and stop), and everything in flight: no bound for who then signs faster. */
  readonly estimate: bigint;
}

export function figuresOf(signed: readonly Signed[], limit: bigint, plane: RacePlane, inFlight: number): RaceFigures {
  const order = [...signed].sort((a, b) => a.signedAt - b.signedAt);
  const [first] = order;
  if (first === undefined) throw new Error("nothing was signed");
  let total = 0n;
  let breach: Signed | null = null;
  let before = 0;
  for (const one of order) {
    total += one.amount;
    if (total < limit || breach !== null) continue;
    breach = one;
    before = order.indexOf(one) + 1;
  }
  if (breach === null) throw new Error(`the limit was not reached: ${total} of ${limit}`);
  const stopped = Math.max(...[...plane.deletions.values()].flat());
  const seconds = Math.max(1, breach.signedAt - Math.min(...order.map(({ askedAt }) => askedAt))) / 1000;
  const perSecond = before / seconds;
  const reportMs = breach.reportedAt - breach.signedAt;
  const stopMs = stopped - breach.reportedAt;
  const late = Math.ceil((perSecond * (reportMs + stopMs)) / 1000) + inFlight;
  return {
    signed: total,
    overshoot: total - limit,
    perSecond,
    reportMs,
    stopMs,
    estimate: BigInt(late) * first.amount,
  };
}

interface Reporter {
  /** Resolves when PutEvents has taken it. */
  say(event: object): Promise<void>;
  close(): Promise<void>;
}

/** One producer: what it says within a few milliseconds goes in one entry. */
function createReporter(events: EventBridgeClient, source: string): Reporter {
  let waiting: { event: object; taken: () => void }[] = [];
  let flushing: Promise<void> | null = null;

  async function flush(): Promise<void> {
    await sleep(REPORT_MS);
    while (waiting.length > 0) {
      const some = waiting.splice(0, EVENTS_PER_ENTRY);
      const Detail = JSON.stringify({ version: 1, events: some.map(({ event }) => event) });
      const Entries = [{ Source: source, DetailType: "payment.events.v1", Detail }];
      const { FailedEntryCount } = await events.send(new PutEventsCommand({ Entries }));
      if (FailedEntryCount !== 0) throw new Error(`${source} was refused`);
      for (const { taken } of some) taken();
    }
    flushing = null;
  }

  return {
    say(event) {
      return new Promise((taken) => {
        waiting.push({ event, taken });
        flushing ??= flush();
      });
    },
    async close() {
      await flushing;
      waiting = [];
    },
  };
}

function offerOf(amount: bigint) {
  return {
    scheme: "exact",
    network: "eip155:42161",
    asset: USDC,
    amount: String(amount),
    payTo: PAY_TO,
    maxTimeoutSeconds: 60,
  };
}

/** A deleted session is what ends a race; anything else is a fault. */
function refusedOnly(error: Error): null {
  if (error.name === "ValidationException" && error.message.includes("Payment session not found")) return null;
  throw error;
}
