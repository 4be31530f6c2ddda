/** The table of commands: what each is for, what it takes, and where it lives. Help, parsing and dispatch read it. */
import { CONFIG, type CommandSpec, OFFLINE, READING, REASON } from "./command-spec.ts";
import { GOVERNING } from "./commands-govern.ts";

export const COMMANDS: readonly CommandSpec[] = [
  {
    name: "start",
    summary: "run Bursar on this machine, with --demo a whole market with it",
    usage: "bursar start [--demo] [options]",
    examples: [
      ["bursar start --demo", "a local Arbitrum, a paid API and agents that really pay"],
      ["bursar start", "govern your own agents, by bursar.config.ts"],
      ["bursar start --json | tee events.log", "one JSON object a line"],
    ],
    about: [
      "Agents and APIs report to POST /aws/events, which speaks EventBridge's own protocol: point an unmodified EventBridgeClient, or @bursar/sdk, at it. Bursar joins what they say with what the chain says and shows each payment as it moves.",
      "Everything it knows is in the data directory and survives a restart. Ctrl-C stops it within two seconds; a second Ctrl-C stops it at once.",
    ],
    options: {
      demo: { type: "boolean", help: "add a local chain, a facilitator, a paid API and a small fleet of agents" },
      port: { type: "string", value: "N", help: "listen on this port of 127.0.0.1", default: "4402" },
      data: { type: "string", value: "DIR", help: "keep everything here", default: ".bursar" },
      ...CONFIG,
    },
    positionalsMax: 0,
    load: () => import("./commands/start.ts"),
  },
  {
    name: "payments",
    summary: "the payments, newest first, with what each story says",
    usage: "bursar payments [filters]",
    examples: [
      ["bursar payments", "the latest twenty"],
      ["bursar payments --verdict break", "where the stories do not agree"],
      ["bursar payments --agent research --state signed", "what research has signed and not settled"],
      ["bursar payments --tx 0xa198", "what a transaction paid for (any beginning of its hash)"],
      ["bursar payments --json", "all of them, for a program"],
    ],
    about: [
      "The state says how far the money is: offered, signed, submitted, settled, safe, final; or declined, expired, cancelled. The verdict says whether agent, API and chain tell the same story: matched, pending, or break.",
    ],
    options: {
      tx: { type: "string", value: "HASH", help: "of this transaction; a beginning will do" },
      agent: { type: "string", value: "ID", help: "charged to this agent" },
      state: { type: "string", value: "STATE", help: "in this state" },
      verdict: { type: "string", value: "WORD", help: "matched, pending or break" },
      limit: { type: "string", value: "N", help: "at most so many", default: "20, with --json all" },
      ...OFFLINE,
    },
    positionalsMax: 0,
    load: () => import("./commands/payments.ts"),
  },
  {
    name: "payment",
    summary: "one payment: three stories side by side, and the verdict in words",
    usage: "bursar payment ID",
    examples: [
      ["bursar payment 0x3619", "by the beginning of its nonce, hash or id"],
      ["bursar payment 0x3619…28ce", "as the feed and the tables write it"],
      ["bursar payment research/req-17", "a request that has signed nothing yet"],
    ],
    about: ["Where a beginning fits several payments they are listed and the exit code is 1."],
    options: OFFLINE,
    positionalsMax: 1,
    load: () => import("./commands/payment.ts"),
  },
  {
    name: "status",
    summary: "how the machine is, and what it has seen",
    usage: "bursar status",
    examples: [["bursar status", "health, chain, totals"]],
    about: ["Exit code 1 when the machine says that it is degraded, so that a monitor can ask it."],
    options: OFFLINE,
    positionalsMax: 0,
    load: () => import("./commands/status.ts"),
  },
  {
    name: "alerts",
    summary: "what somebody should look at",
    usage: "bursar alerts [--status WORD]",
    examples: [
      ["bursar alerts", "open ones, the gravest first, and what somebody has seen"],
      ["bursar alerts --status resolved", "what is over"],
      ["bursar alerts show not_on_chain/agent:research", "one, with samples"],
    ],
    about: [
      "An alert is told when it opens, at 10, 100, 1,000 ... occurrences, when it is acknowledged, when it is over and when it opens again. The config's alerts.rules changes how grave a rule is, or that nobody is told.",
    ],
    options: {
      status: { type: "string", value: "WORD", help: "open, acknowledged or resolved", default: "what is not over" },
      ...READING,
    },
    positionalsMax: 0,
    load: () => import("./commands/alerts.ts"),
  },
  {
    name: "alerts show",
    summary: "one alert: how often, since when, its samples",
    usage: "bursar alerts show ID [--as FORM]",
    examples: [
      ["bursar alerts show not_on_chain/agent:research", "by its id, or the beginning of it"],
      ["bursar alerts show wallet_low --as email", "as its message will read"],
    ],
    about: ["Where a beginning fits several alerts they are listed and the exit code is 1."],
    options: {
      as: { type: "string", value: "FORM", help: "as a message: email, slack or json" },
      ...READING,
    },
    positionalsMax: 1,
    load: () => import("./commands/alerts-show.ts"),
  },
  {
    name: "ack",
    summary: "say that somebody has seen an alert",
    usage: "bursar ack ID [--note TEXT]",
    examples: [
      ["bursar ack not_on_chain/agent:research", "by its id, or the beginning of it"],
      ['bursar ack wallet_low --note "refill is on its way"', "with a word for the others"],
    ],
    about: [
      "It stands apart then and is not told of, until it changes: ten times as many, or opened again after it was over.",
    ],
    options: {
      note: { type: "string", value: "TEXT", help: "a word for whoever reads it later" },
      ...READING,
    },
    positionalsMax: 1,
    load: () => import("./commands/ack.ts"),
  },
  {
    name: "quiet",
    summary: "tell nobody of a rule or a subject until a time",
    usage: "bursar quiet (RULE | SUBJECT) (--until TIME --reason TEXT | --end)",
    examples: [
      ['bursar quiet unreported_by_api --until +2h --reason "their logs are down"', "a rule, whoever it is about"],
      ['bursar quiet agent:intern --until 2026-11-20T18:00:00Z --reason "training"', "whatever is about an agent"],
      ["bursar quiet agent:intern --end", "tell of it again"],
    ],
    about: [
      "What comes about meanwhile is kept and listed; what of it still stands at the end is told then. Budgets go on to stop agents.",
    ],
    options: {
      until: { type: "string", value: "TIME", help: "+30m, +2h, +1d, or a time with an offset" },
      ...REASON,
      end: { type: "boolean", help: "tell of it again, now" },
      ...READING,
    },
    positionalsMax: 1,
    load: () => import("./commands/quiet.ts"),
  },
  {
    name: "wallets",
    summary: "the governed wallets: balances, what is low, how long they last",
    usage: "bursar wallets",
    examples: [
      ["bursar wallets", "balances, and how long they last at the burn of the last hour"],
      ["bursar wallets --json | jq '.wallets[] | select(.status == \"low\")'", "what to refill"],
    ],
    about: [
      "Balances are read from the chain every few seconds; in between, what the chain showed to leave is taken off. A wallet is low below wallets.lowUsd until it holds 1.2 times that, and empty below wallets.emptyUsd until it holds twice that. Where no machine runs, the balances are those that it read last.",
    ],
    options: OFFLINE,
    positionalsMax: 0,
    load: () => import("./commands/wallets.ts"),
  },
  ...GOVERNING,
  {
    name: "watch",
    summary: "one round of the chain's watcher, now",
    usage: "bursar watch --once",
    examples: [
      ["bursar watch --once", "have the running machine read the chain now, and say how far it is"],
      ["bursar watch --once --data old/.bursar", "of a machine that is not running: one round over its table"],
    ],
    about: [
      "A machine that runs watches by itself, every two seconds. This asks for a round at once, or does one where no machine runs, such as from a timer. Exit code 1 where the nodes lag, or cut the round short.",
    ],
    options: {
      once: { type: "boolean", help: "one round" },
      ...OFFLINE,
    },
    positionalsMax: 0,
    load: () => import("./commands/watch.ts"),
  },
  {
    name: "backfill",
    summary: "have a past of the chain read, or read once more",
    usage: "bursar backfill --from BLOCK",
    examples: [
      ["bursar backfill --from 290000000", "every governed wallet, from this block on"],
      ["bursar backfill --from 2026-11-20T00:00:00Z --wallet 0x52ab...", "one wallet, from a time on"],
      ["bursar backfill --from 290000000 --wait", "and stay until it is read"],
    ],
    about: [
      "A wallet that comes into the config is watched from then on; what it paid before is read with this. The machine reads the past beside the present, in ranges that the provider allows; what it knows already changes nothing.",
    ],
    options: {
      from: { type: "string", value: "BLOCK", help: "a block's number, or a time with its offset" },
      wallet: {
        type: "string",
        value: "ADDRESS",
        help: "this wallet alone",
        repeats: true,
        default: "all",
      },
      wait: { type: "boolean", help: "until it is read" },
      ...READING,
    },
    positionalsMax: 0,
    load: () => import("./commands/backfill.ts"),
  },
  {
    name: "replay",
    summary: "run a file of events through the same steps, offline",
    usage: "bursar replay FILE.ndjson [options]",
    examples: [
      ["bursar replay events.ndjson", "what would Bursar have said?"],
      ["bursar replay events.ndjson --config new.config.ts", "and under other budgets?"],
      ["bursar replay events.ndjson --json | jq .payments", "for a program"],
      ["zcat archive.gz | bursar replay -", "from a pipe"],
    ],
    about: [
      'A line is an EventBridge event: { "id", "source", "detail-type", "time", "detail" }. The sources bursar.chain and bursar.govern are taken here too. Lines that cannot be read are listed as quarantined, each with its reason, and the rest goes on.',
      "Nothing is kept and nothing is revoked: it works on a throw-away copy of the table. Payments and budgets come out the same for every order of the lines.",
    ],
    options: {
      ...CONFIG,
      now: { type: "string", value: "TIME", help: "judge at this time", default: "the latest event's" },
    },
    positionalsMax: 1,
    load: () => import("./commands/replay.ts"),
  },
  {
    name: "doctor",
    summary: "check this machine, the config and the chain, with remedies",
    usage: "bursar doctor [options]",
    examples: [
      ["bursar doctor", "is everything in place to start?"],
      ["bursar doctor --config staging.config.ts", "is this config right, and does its chain answer?"],
    ],
    about: ["Each line is ok, warn or fail, with what to do. Exit code 1 when something fails."],
    options: {
      port: { type: "string", value: "N", help: "the port that start would take", default: "4402" },
      data: { type: "string", value: "DIR", help: "the data directory", default: ".bursar" },
      ...CONFIG,
    },
    positionalsMax: 0,
    load: () => import("./commands/doctor.ts"),
  },
];

/** Commands of the design that this version does not have, and what brings them. */
export const LATER: { readonly [name: string]: string } = {
  resolve: "the closing of holds by hand",
  "alerts test": "the delivery of alerts",
  redrive: "the AWS edition",
  reingest: "the AWS edition",
  policy: "the AWS edition",
  export: "exports",
};
