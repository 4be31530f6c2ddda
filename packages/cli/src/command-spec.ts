/** What is known of a command before it is loaded: help, parsing and dispatch go by it. */
import type { Input, Options } from "./args.ts";
import type { Io } from "./io.ts";

export interface CommandSpec {
  /** One word, or two where it is a part of another: "budgets", "budgets set". */
  readonly name: string;
  /** One line in the list of commands. */
  readonly summary: string;
  readonly usage: string;
  readonly examples: readonly (readonly [line: string, does: string])[];
  /** What a newcomer should know, in paragraphs. */
  readonly about: readonly string[];
  readonly options: Options;
  readonly positionalsMax: number;
  readonly load: () => Promise<{ run(input: Input, io: Io): Promise<number> }>;
}

export const CONFIG = {
  config: { type: "string", value: "FILE", help: "the config", default: "bursar.config.ts, .mjs or .json here" },
} as const;

/** Of commands that ask a machine that runs. */
export const READING = {
  url: { type: "string", value: "URL", help: "the running machine", default: "http://127.0.0.1:4402" },
  port: { type: "string", value: "N", help: "the running machine's port on 127.0.0.1", default: "4402" },
  token: { type: "string", value: "TOKEN", help: "where the machine wants one", default: "$BURSAR_TOKEN" },
} as const;

/** Of commands that read the data directory where no machine runs. */
export const OFFLINE = {
  ...READING,
  data: { type: "string", value: "DIR", help: "read from here when no machine runs", default: ".bursar" },
  ...CONFIG,
} as const;

/** Of commands that a terminal asks about before they do something. */
export const CONFIRMED = {
  yes: { type: "boolean", help: "do it without asking; needed where no terminal is there to ask" },
} as const;

export const REASON = {
  reason: { type: "string", value: "TEXT", help: "why; it stands in the record for whoever reads it later" },
} as const;
