/**
 * Governance in this process: what batches resolved on is enforced at once, what was left over is swept up, the change
 * feed is judged a second time, windows turn, and AgentCore is asked what it knows.
 */
import { type Enforced, enforce } from "@bursar/core/enforce";
import { type Governed, govern, governAll } from "@bursar/core/govern";
import { type GovernBase, worldAt } from "@bursar/core/govern-world";
import { type Ingested, movedBy, staleIn } from "@bursar/core/ingest";
import { dueActions, type KeptAction } from "@bursar/core/outbox";
import { inForce, type Policies, readPolicies } from "@bursar/core/policies";
import { emptyPolls, hurry, poll } from "@bursar/core/poll";
import type { Sessions, Store } from "@bursar/core/ports";
import { foldAgain } from "@bursar/core/refold";
import { windowOf } from "@bursar/core/windows";
import type { Changed } from "@bursar/core/write";
import type { Told } from "@bursar/events/envelope";
import type { Alert } from "@bursar/events/shapes";
import { pause } from "./pause.ts";

export interface GovernanceParts {
  readonly store: Store;
  readonly base: GovernBase;
  /** Null where no agent has a payment manager. */
  readonly sessions: Sessions | null;
  readonly now: () => string;
  readonly tell: (told: readonly Told[]) => Promise<void>;
  readonly onAlerts: (alerts: readonly Alert[]) => void;
  readonly onAction: (action: KeptAction) => void;
  /** Payments that were booked under budgets of before were folded again. */
  readonly onFolded: (changed: readonly Changed[]) => void;
  /** AgentCore names other wallets than before. */
  readonly onWallets: () => void;
  readonly onFault: (part: "govern" | "agentcore", message: string | null) => void;
}

export interface Governance {
  /** Takes what a batch has resolved on: it is done at once, beside the next batch. */
  take(outcome: Governed & Partial<Pick<Ingested, "sessions">>): void;
  /** Judges everything in force again: a limit was changed, payments were counted anew. */
  judgeAll(): Promise<void>;
  /** Asks AgentCore for these agents' sessions soon. */
  hurry(agentIds: readonly string[]): void;
  /** Ends when what is under way is done. */
  stop(): Promise<void>;
}

/** How late a window's turn and what a crash left over may be noticed. */
const TICK_MS = 1_000;
/** How long the feed may wait for its second judgement. */
const FEED_MS = 500;
/** Left-over actions that are taken up at one tick. */
const DUE_MAX = 64;
const FEED_CHANGES_MAX = 1_000;
const FEED_KEY = { pk: "CUR#govern", sk: "." } as const;

/** How far the feed was heard, and the version under which that is kept. */
interface Place {
  readonly version: number | null;
  readonly after: string | null;
}

export function startGovernance(parts: GovernanceParts): Governance {
  const { store, base, sessions, now, tell, onAlerts, onAction, onFolded, onWallets, onFault } = parts;
  const stopping = new AbortController();
  const underWay = new Set<Promise<void>>();
  const polls = emptyPolls();
  const enforcing = { store, sessions, agents: base.agents, now, tell };
  /** Keys that are being done now: the sweep must not do them a second time beside. */
  const busy = new Set<string>();
  /** Deletions that found no session: each may be a stop that reached nobody. */
  let misses = 0;

  function take(outcome: Governed & Partial<Pick<Ingested, "sessions">>): void {
    onAlerts(outcome.alerts);
    for (const action of [...outcome.frozen, ...outcome.heldBack]) onAction(action);
    if (outcome.frozen.length > 0)
      hurry(
        polls,
        base.agents,
        outcome.frozen.map(({ target }) => target),
      );
    if (outcome.sessions !== undefined && outcome.sessions.length > 0)
      hurry(
        polls,
        base.agents,
        outcome.sessions.map(({ agentId }) => agentId),
      );
    run(outcome.due);
  }

  /** Does actions beside everything else. */
  function run(actions: readonly KeptAction[]): void {
    const free = actions.filter(({ key }) => !busy.has(key));
    if (free.length === 0 || stopping.signal.aborted) return;
    for (const action of free) {
      busy.add(action.key);
      if (action.outcome === "due") onAction(action); // what failed before was told
    }
    const doing = enforce(enforcing, free)
      .then(shown)
      .then(
        () => onFault("govern", null),
        (error: Error) => onFault("govern", `actions cannot be done: ${error.message}`), // due still: the sweep has them
      )
      .finally(() => {
        for (const { key } of free) busy.delete(key);
        underWay.delete(doing);
      });
    underWay.add(doing);
  }

  function shown(done: readonly Enforced[]): void {
    for (const { action, alerts, missed } of done) {
      onAction(action);
      onAlerts(alerts);
      if (missed) misses += 1;
    }
  }

  /** What a crash left over, and what failed and waits. */
  async function sweeping(): Promise<void> {
    await every(TICK_MS, async () => {
      run(await dueActions(store, now(), DUE_MAX));
    });
  }

  /** The second judgement: of every payment that was written, from the feed. */
  async function hearing(): Promise<void> {
    let place: Place | null = null;
    await every(FEED_MS, async () => {
      if (place === null) {
        const [stored] = await store.get([FEED_KEY]);
        place = { version: stored?.version ?? null, after: (stored?.data as string | undefined) ?? null };
      }
      for (;;) {
        const { changes, next }: Awaited<ReturnType<Store["changes"]>> = await store.changes(
          place.after,
          FEED_CHANGES_MAX,
        );
        if (changes.length === 0) return;
        const at = now();
        const world = await worldAt(store, base, at);
        const stale = staleIn(changes, world.force.edition);
        if (stale.length > 0) onFolded(await foldAgain(store, world, stale, at));
        take(await govern(store, world, movedBy(changes, world), at));
        if ((await store.commit([{ ...FEED_KEY, data: next, expected: place.version }], [])) === "conflict")
          throw new Error("another process reads the change feed of this table");
        place = { version: (place.version ?? 0) + 1, after: next };
        if (changes.length < FEED_CHANGES_MAX || stopping.signal.aborted) return;
      }
    });
  }

  /** A hold crosses at midnight without a write; a raise ends; a limit is lowered; a stop has reached nobody. */
  async function ticking(): Promise<void> {
    let last: { at: string; policies: Policies; misses: number } | null = null;
    await every(TICK_MS, async () => {
      const at = now();
      const missed = misses;
      const policies = await readPolicies(store);
      const before = last;
      if (before === null || before.misses !== missed) await judge(at, () => true);
      else if (before.policies.edition !== policies.edition || before.policies.booked !== policies.booked)
        await judge(at, () => true);
      else if (inForce(before.policies, before.at) !== inForce(policies, at)) await judge(at, () => true);
      else {
        const turned = (window: Parameters<typeof windowOf>[0]): boolean =>
          windowOf(window, before.at).start !== windowOf(window, at).start;
        if (turned("hour")) await judge(at, ({ window }) => turned(window)); // every window turns on an hour
      }
      last = { at, policies, misses: missed };
    });
  }

  async function judge(at: string, which: Parameters<typeof governAll>[3]): Promise<void> {
    take(await governAll(store, await worldAt(store, base, at), at, which));
  }

  async function polling(agentCore: Sessions): Promise<void> {
    await every(TICK_MS, async () => {
      const polled = await poll({ store, sessions: agentCore, base, now }, polls);
      onFault("agentcore", polled.fault);
      onAlerts(polled.alerts);
      run(polled.again);
      if (polled.walletsChanged) onWallets();
      if (polled.sessions.length === 0) return;
      const at = now();
      const moved = { counters: [], sessions: polled.sessions, findings: [] };
      take(await govern(store, await worldAt(store, base, at), moved, at));
    });
  }

  async function every(ms: number, work: () => Promise<void>): Promise<void> {
    while (!stopping.signal.aborted) {
      try {
        await work();
      } catch (error) {
        if (!stopping.signal.aborted) onFault("govern", `budgets cannot be judged: ${(error as Error).message}`);
      }
      await pause(ms, stopping.signal);
    }
  }

  const loops = [sweeping(), hearing(), ticking(), ...(sessions === null ? [] : [polling(sessions)])];
  return {
    take,
    judgeAll: () => judge(now(), () => true),
    hurry: (agentIds) => hurry(polls, base.agents, agentIds),
    async stop() {
      stopping.abort();
      await Promise.all([...loops, ...underWay]);
    },
  };
}
