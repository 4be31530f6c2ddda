/** The commands of governance: what budgets, sessions and actions there are, and what a human orders beside them. */
import { CONFIRMED, type CommandSpec, OFFLINE, READING, REASON } from "./command-spec.ts";

const LIMIT = {
  limit: { type: "string", value: "N", help: "at most so many", default: "20, with --json all" },
} as const;

export const GOVERNING: readonly CommandSpec[] = [
  {
    name: "budgets",
    summary: "each budget as a bar: spent, held, left",
    usage: "bursar budgets [--all]",
    examples: [
      ["bursar budgets", "what is spent and held of every limit, in the windows that are now"],
      ["bursar budgets --all", "and in the windows that are over"],
      ["bursar budgets --json | jq '.budgets[] | select(.mode == \"enforce\")'", "for a program"],
    ],
    about: [
      "Held is what agents have signed and the chain has not settled: it can still be spent, so it counts. A budget under which nothing is spent or held makes no line.",
      "Budgets stand in the config, or are set by command while the machine runs.",
    ],
    options: {
      all: { type: "boolean", help: "windows that are over too" },
      ...READING,
    },
    positionalsMax: 0,
    load: () => import("./commands/budgets.ts"),
  },
  {
    name: "budgets set",
    summary: "put a budget in force, change one, or take one away",
    usage: "bursar budgets set ID [options]",
    examples: [
      ["bursar budgets set research-day --limit 8.00", "another limit; all else stays as it is"],
      [
        "bursar budgets set writer-day --scope agent=writer --window day --limit 2.00 --threshold 1=revoke",
        "a new one, given whole",
      ],
      ["bursar budgets set writer-day --mode observe", "tell what it would do, and do nothing"],
      ["bursar budgets set writer-day --remove", "take it out of force"],
    ],
    about: [
      "A scope is org=*, agent=ID, label=NAME=VALUE, api=ID, wallet=0x..., payee=0x... or session=ID; agent=* is a budget for each agent. At a threshold Bursar tells (alert), deletes the scope's sessions while the figure stands (revoke), or stops its agents until a human lets them go (freeze).",
      "It holds at once: what is over a new limit is judged and revoked now. It stands until bursar.config.ts says something new of this budget.",
    ],
    options: {
      scope: { type: "string", value: "KIND=ID", help: "what it is about: agent=research, label=team=growth, org=*" },
      window: { type: "string", value: "WORD", help: "hour, day, week, month or total (UTC)" },
      limit: { type: "string", value: "USD", help: "dollars, like 5.00" },
      mode: { type: "string", value: "WORD", help: "enforce, or observe: tell and do nothing" },
      threshold: {
        type: "string",
        value: "SHARE=DO",
        help: "0.5=alert, 1=revoke or 1=freeze; in place of those it has, none for none",
        repeats: true,
      },
      remove: { type: "boolean", help: "take it out of force" },
      ...READING,
    },
    positionalsMax: 1,
    load: () => import("./commands/budgets-set.ts"),
  },
  {
    name: "budgets raise",
    summary: "lift a budget's limit until a time, then it is as before",
    usage: "bursar budgets raise ID (--to USD --until TIME --reason TEXT | --end)",
    examples: [
      ['bursar budgets raise research-day --to 20.00 --until +2h --reason "quarter end"', "for two hours"],
      [
        'bursar budgets raise research-day --to 20.00 --until 2026-11-20T18:00:00Z --reason "quarter end"',
        "until a time",
      ],
      ["bursar budgets raise research-day --end", "take the raise back"],
    ],
    about: [
      "Sessions that were revoked stay revoked: the agent opens a new one, and that lives while the figure is below the raised limit. A frozen agent stays frozen: bursar unfreeze.",
    ],
    options: {
      to: { type: "string", value: "USD", help: "the limit until then, above its own" },
      until: { type: "string", value: "TIME", help: "+30m, +2h, +1d, or a time with an offset" },
      ...REASON,
      end: { type: "boolean", help: "take the raise back now" },
      ...READING,
    },
    positionalsMax: 1,
    load: () => import("./commands/budgets-raise.ts"),
  },
  {
    name: "revoke",
    summary: "delete payment sessions in AgentCore, now",
    usage: "bursar revoke (SESSION | --scope KIND=ID) --reason TEXT [options]",
    examples: [
      ['bursar revoke payment-session-ooht5 --reason "buys the same report again and again"', "one session"],
      ['bursar revoke --scope agent=research --reason "key leaked"', "all that research has open"],
      ["bursar revoke --scope label=team=growth --dry-run", "what would be deleted?"],
      ['bursar revoke --scope org=* --reason "incident 12" --yes', "everything, from a script"],
    ],
    about: [
      "SESSION is an id or the beginning of one. A revoked session signs nothing more; what it signed before can still settle until it expires, and bursar sessions counts that down. An agent may open a new session at once: bursar freeze stops that.",
      "It waits until AgentCore has answered, ten seconds at most. Exit code 1 when a session could not be deleted, or nobody knows yet.",
    ],
    options: {
      scope: {
        type: "string",
        value: "KIND=ID",
        help: "every open session of agent=research, label=team=growth, org=*",
      },
      manager: { type: "string", value: "ARN", help: "the payment manager, where two have a session of that id" },
      ...REASON,
      "dry-run": { type: "boolean", help: "show what would be deleted, and delete nothing" },
      ...CONFIRMED,
      ...READING,
    },
    positionalsMax: 1,
    load: () => import("./commands/revoke.ts"),
  },
  {
    name: "freeze",
    summary: "stop an agent: its sessions are revoked, and every one it opens",
    usage: "bursar freeze AGENT --reason TEXT [--yes]",
    examples: [
      ['bursar freeze gambler --reason "runs wild"', "stop it, whatever its budgets say"],
      ['bursar freeze gambler --reason "runs wild" --yes --json | jq .iamPolicy', "and the policy, for a program"],
    ],
    about: [
      "A freeze stands until bursar unfreeze. AgentCore lets the agent open sessions all the same, and one may sign before Bursar has seen and deleted it: the IAM policy that is printed closes that door.",
    ],
    options: { ...REASON, ...CONFIRMED, ...READING },
    positionalsMax: 1,
    load: () => import("./commands/freeze.ts"),
  },
  {
    name: "unfreeze",
    summary: "let a frozen agent go, and say what still stands against it",
    usage: "bursar unfreeze AGENT --reason TEXT [--yes]",
    examples: [['bursar unfreeze gambler --reason "fixed in 1.4.2"', "it may pay again, in a new session"]],
    about: [
      "What froze it does so no more in its window. Budgets that revoke are not lifted by this: they are named, with the command that raises them.",
    ],
    options: { ...REASON, ...CONFIRMED, ...READING },
    positionalsMax: 1,
    load: () => import("./commands/unfreeze.ts"),
  },
  {
    name: "sessions",
    summary: "the payment sessions, and what they may still spend",
    usage: "bursar sessions [filters]",
    examples: [
      ["bursar sessions --status open", "who may pay now, and how much"],
      ["bursar sessions --agent gambler", "of one agent"],
      ["bursar sessions --status revoked", "and what was signed in them and may still settle"],
    ],
    about: [
      "Left is what AgentCore says the session may still sign. Unsettled is what was signed in it and can still settle: of a revoked session, until when at the latest. A drift, where AgentCore has counted something else than Bursar's books, stands below with its likely cause.",
    ],
    options: {
      agent: { type: "string", value: "ID", help: "of this agent" },
      status: { type: "string", value: "WORD", help: "open, revoked, expired or unknown" },
      ...LIMIT,
      ...READING,
    },
    positionalsMax: 0,
    load: () => import("./commands/sessions.ts"),
  },
  {
    name: "actions",
    summary: "what Bursar did, and why",
    usage: "bursar actions [filters]",
    examples: [
      ["bursar actions", "the latest twenty"],
      ["bursar actions --outcome failed", "what could not be done, and what AgentCore said"],
      ["bursar actions --agent gambler", "what was done to one agent"],
    ],
    about: [
      "Due is under way, done has its latency beside it, failed is tried again, skipped was held back because a minute saw more revocations than limits.revocationsPerMinute allows: bursar revoke does those.",
    ],
    options: {
      agent: { type: "string", value: "ID", help: "done to this agent" },
      outcome: { type: "string", value: "WORD", help: "due, done, failed or skipped" },
      ...LIMIT,
      ...READING,
    },
    positionalsMax: 0,
    load: () => import("./commands/actions.ts"),
  },
  {
    name: "recount",
    summary: "prove the books: every counter is the sum of its payments",
    usage: "bursar recount",
    examples: [
      ["bursar recount", "add everything up again, and compare"],
      ["bursar recount --data old/.bursar", "of a machine that is not running"],
    ],
    about: ["It changes nothing. Exit code 1 when a counter differs; then the differences are listed."],
    options: OFFLINE,
    positionalsMax: 0,
    load: () => import("./commands/recount.ts"),
  },
  {
    name: "reconcile",
    summary: "one day's balance: agents, APIs, chain and books, equal to the unit or not",
    usage: "bursar reconcile [--day DAY]",
    examples: [
      ["bursar reconcile", "today so far"],
      ["bursar reconcile --day yesterday", "what a nightly job asks; exit code 1 where it does not add up"],
      ["bursar reconcile --day 2026-11-20", "a day of one's choice, in UTC"],
      ["bursar reconcile --data old/.bursar", "of a machine that is not running"],
    ],
    about: [
      "Four figures for each wallet. AGENT SAYS is what its agent told of, API SAYS what your APIs told of, CHAIN what left the wallet, read anew from the chain, and BOOKS what Bursar has counted. Chain and books must be equal to the unit; where they are not, each payment that makes the difference is named. Agents and APIs may have told less: who was silent stands below, and is a matter of its own.",
      "A payment belongs to the day of its block, whatever anybody's clock says. Where the node keeps old state, USDC's own balances prove the chain's figure: opening + in - out = closing.",
      "It changes nothing. Exit code 1 where chain and books differ, where the day is not read to its end, or where the chain is configured and does not answer. Without an RPC URL it shows books and stories alone.",
    ],
    options: {
      day: { type: "string", value: "DAY", help: "a date like 2026-11-20, or yesterday; UTC", default: "today" },
      ...OFFLINE,
    },
    positionalsMax: 0,
    load: () => import("./commands/reconcile.ts"),
  },
];
