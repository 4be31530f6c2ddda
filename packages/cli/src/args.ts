/** What was typed, taken apart by a command's table of options: a wrong word is refused with the one probably meant. */
import { parseArgs } from "node:util";
import { clean } from "@bursar/events/text";
import { UsageError } from "./errors.ts";
import { nearest } from "./nearest.ts";

export interface OptionSpec {
  readonly type: "string" | "boolean";
  /** What its value is called in help: "FILE". */
  readonly value?: string;
  readonly help: string;
  /** May be given several times; the others once. */
  readonly repeats?: true;
  /** Shown in help; the command itself applies it. */
  readonly default?: string;
}

export type Options = { readonly [name: string]: OptionSpec };

export interface Input {
  readonly positionals: readonly string[];
  /** The text given with an option, null where it was not given. */
  text(name: string): string | null;
  /** The texts given with an option that repeats, in their order; empty where it was not given. */
  texts(name: string): readonly string[];
  flag(name: string): boolean;
  /** @throws {UsageError} for what is no whole number from `min` to `max` */
  integer(name: string, min: number, max: number): number | null;
  /** @throws {UsageError} for another word than `words` */
  choice<Word extends string>(name: string, words: readonly Word[]): Word | null;
}

/** Options that every command has. */
export const COMMON: Options = {
  json: { type: "boolean", help: "print JSON for programs instead of text for people" },
  help: { type: "boolean", help: "show this" },
};

const SHORT: { readonly [letter: string]: string } = { h: "help" };

/** @throws {UsageError} that names the word and, where one is near, the word probably meant */
export function parseInput(command: string, argv: readonly string[], specs: Options, positionalsMax: number): Input {
  const { tokens } = parseArgs({
    args: [...argv],
    strict: false,
    tokens: true,
    allowPositionals: true,
    options: Object.fromEntries(Object.entries(specs).map(([name, { type }]) => [name, { type }])),
  });
  const values = new Map<string, readonly string[] | true>();
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const name = token.rawName.startsWith("--") ? token.name : (SHORT[token.name] ?? token.name);
    const spec = specs[name];
    if (spec === undefined) throw unknownOption(command, token.rawName, name, Object.keys(specs));
    if (spec.type === "boolean") {
      if (token.value !== undefined) throw new UsageError(`--${name} takes no value, and got "${token.value}".`);
      values.set(name, true);
      continue;
    }
    const isNext = token.value === undefined || (!token.inlineValue && /^-./.test(token.value));
    if (isNext || token.value === "") {
      throw new UsageError(`--${name} needs a value: --${name} ${spec.value ?? "VALUE"}.`);
    }
    const before = values.get(name);
    if (before !== undefined && spec.repeats !== true) throw new UsageError(`--${name} is given twice: give it once.`);
    values.set(name, [...(Array.isArray(before) ? before : []), token.value as string]);
  }
  if (!values.has("help") && positionals.length > positionalsMax) {
    const extra = positionals[positionalsMax] as string;
    throw new UsageError(`bursar ${command} does not know what to do with "${extra}". See: bursar ${command} --help`);
  }
  return inputOf(values, positionals);
}

function inputOf(values: ReadonlyMap<string, readonly string[] | true>, positionals: readonly string[]): Input {
  const texts = (name: string): readonly string[] => {
    const value = values.get(name) ?? [];
    return value === true ? [] : value;
  };
  const text = (name: string): string | null => texts(name)[0] ?? null;
  return {
    positionals,
    text,
    texts,
    flag: (name) => values.get(name) === true,
    integer(name, min, max) {
      const value = text(name);
      if (value === null) return null;
      const number = /^\d{1,15}$/.test(value) ? Number(value) : -1;
      if (number < min || number > max) {
        throw new UsageError(`--${name} is "${clean(value, 80)}": give a whole number from ${min} to ${max}.`);
      }
      return number;
    },
    choice(name, words) {
      const value = text(name);
      if (value === null) return null;
      const word = words.find((one) => one === value);
      if (word !== undefined) return word;
      const meant = nearest(value, words);
      throw new UsageError(
        `--${name} is "${clean(value, 80)}": ${meant === null ? `give one of ${words.join(", ")}` : `did you mean "${meant}"? (${words.join(", ")})`}.`,
      );
    },
  };
}

function unknownOption(command: string, raw: string, name: string, known: readonly string[]): UsageError {
  const meant = nearest(name, known);
  const hint = meant === null ? "" : ` Did you mean --${meant}?`;
  return new UsageError(`bursar ${command} has no option ${raw}.${hint} See: bursar ${command} --help`);
}
