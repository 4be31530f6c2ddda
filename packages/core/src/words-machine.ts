/** Words for Bursar's own trouble: what it waits for, cannot see, or cannot prove. */
import { amountText, type Facts } from "./alert-facts.ts";
import { doThis } from "./alert-todos.ts";
import type { RuleWords } from "./alert-words.ts";
import type { OwnRule } from "./rule-names.ts";

type MachineRule = Extract<OwnRule, "queue_stuck" | "chain_lag" | "rpc_down" | "books_differ" | "test">;

export const MACHINE_WORDS: { readonly [Rule in MachineRule]: RuleWords } = {
  queue_stuck: {
    title: (f) => `${f.org}: events wait and are not read`,
    what: () =>
      "Events wait in the queue and none is read: budgets are judged on old figures, so an agent that overspends is stopped late or not at all.",
    did: () => ["Keeps the events and tries again: none is lost."],
    todo: (f) => [
      doThis("See how many wait, and what is wrong.", f.run("status")),
      doThis("See what Bursar lacks.", f.run("doctor")),
    ],
  },
  chain_lag: {
    title: (f) => `${f.org}: Bursar is behind the chain`,
    what: () =>
      "Bursar has not read the latest blocks of the chain: payments that settled are not booked yet, and spending that nobody reports stays unseen.",
    did: () => ["Goes on reading from where it stopped: no block is skipped."],
    todo: (f) => [
      doThis("See how far behind it is.", f.run("status")),
      doThis("Have it read the chain now, and see what slows it down.", f.run("watch", null, { once: null })),
      doThis("If the node is slow, add another to chains[0].rpcUrls in the config."),
    ],
  },
  rpc_down: {
    title: (f) => `${f.org}: no chain node answers`,
    what: () =>
      "None of the configured chain nodes (RPC URLs) answers: Bursar sees no settlement and no balance until one does. Budgets go on by what agents and APIs report.",
    did: () => ["Asks again, and reads every block that it missed once a node answers."],
    todo: (f) => [
      doThis("See which node says what.", f.run("doctor")),
      doThis("If the provider is down, add another to chains[0].rpcUrls in the config."),
    ],
  },
  books_differ: {
    title: (f) => `${f.org}: books and chain differ${amountText(f) === null ? "" : ` by ${amountText(f)}`}`,
    what: (f) =>
      `What Bursar has booked and what the chain says left the wallets is not the same for ${dayOf(f) ?? "a day"}: budgets may have been judged on wrong figures.`,
    todo: (f) => [
      doThis("See which payments make the difference.", f.run("reconcile", null, daysOption(f))),
      doThis("Prove that Bursar's own sums are right.", f.run("recount")),
    ],
  },
  test: {
    title: (f) => `${f.org}: test message`,
    what: () =>
      "Somebody sent a test through every channel with bursar alerts test. If you read this, your channel works.",
    todo: () => [doThis("Nothing: this is a test.")],
  },
};

/** The day that the alert is of, from its subject or its period. */
const dayOf = ({ alert }: Facts): string | null => /[:/](\d{4}-\d{2}-\d{2})(?:$|\/)/.exec(alert.id)?.[1] ?? null;

function daysOption(f: Facts): { readonly day?: string } {
  const day = dayOf(f);
  return day === null ? {} : { day };
}
