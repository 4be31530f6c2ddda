/** What people type with an order: why, of what scope, until when, and that they mean it. */
import { parseUsd } from "@bursar/events/money";
import { canonicalTime } from "@bursar/events/scalars";
import { clean } from "@bursar/events/text";
import type { Input } from "./args.ts";
import { UsageError } from "./errors.ts";
import { ask, canAsk, type Io } from "./io.ts";
import { nearest } from "./nearest.ts";

/** A scope as the config writes it, one member. */
export interface ScopeWords {
  readonly kind: string;
  readonly id: string;
}

/** Of a budget; sessions are revoked by all but the last. */
export const SCOPE_KINDS = ["org", "agent", "label", "api", "wallet", "payee", "session"] as const;

/** `agent=research`, `label=team=growth`, `org=*`; the colon of ids is taken too. @throws {UsageError} for what is none */
export function scopeOf(input: Input, kinds: readonly string[]): ScopeWords | null {
  const text = input.text("scope");
  if (text === null) return null;
  const [, kind = "", id = ""] = /^([^=:]*)[=:](.*)$/s.exec(text) ?? [];
  if (kinds.includes(kind) && id !== "") return { kind, id };
  const meant = nearest(kind || text, kinds);
  const like =
    meant === null ? "agent=research, label=team=growth or org=*" : `${meant}=${id || (meant === "org" ? "*" : "ID")}`;
  throw new UsageError(`--scope is "${clean(text, 80)}": write it as KIND=ID, like ${like}.`);
}

/** @throws {UsageError} where nothing is said: whoever reads the record later should not have to guess */
export function reasonOf(input: Input): string {
  const reason = input.text("reason")?.trim() ?? "";
  if (reason === "") throw new UsageError('Say why, for whoever reads the record later: --reason "TEXT".');
  return reason;
}

/** The one name that a command is about. @throws {UsageError} where it is not given */
export function nameOf(input: Input, what: string, example: string): string {
  const [name = ""] = input.positionals;
  if (name === "") throw new UsageError(`Name the ${what}: ${example}`);
  return name;
}

/** Dollars as they were typed. @throws {UsageError} for what is none */
export function usdOf(input: Input, name: string): string | null {
  const text = input.text(name);
  if (text === null) return null;
  try {
    parseUsd(text);
  } catch (error) {
    throw new UsageError(`--${name} is ${clean((error as Error).message, 200)}.`);
  }
  return text;
}

const SECONDS: { readonly [unit: string]: number } = { s: 1, m: 60, min: 60, h: 3600, d: 86_400 };

/** `+2h`, `+1h30m`, `+1d`, or a time with an offset, as ISO-8601. @throws {UsageError} for what is neither */
export function untilOf(input: Input, now: Date): string | null {
  const text = input.text("until");
  if (text === null) return null;
  if (/^\+(\d{1,6}(s|min|m|h|d))+$/.test(text)) {
    const parts = [...text.matchAll(/(\d+)(s|min|m|h|d)/g)];
    const seconds = parts.reduce((sum, [, count, unit = "s"]) => sum + Number(count) * (SECONDS[unit] ?? 0), 0);
    return new Date(now.getTime() + seconds * 1000).toISOString();
  }
  const time = canonicalTime(text);
  if (time !== null) return time;
  throw new UsageError(
    `--until is "${clean(text, 80)}": write how long from now, like +2h, or a time with its offset, like 2026-11-20T18:00:00Z.`,
  );
}

/** Refused before anything is looked up where nobody could be asked. @throws {UsageError} without `--yes` */
export function needYes(input: Input, io: Io, does: string): void {
  if (input.flag("yes") || (canAsk(io) && !input.flag("json"))) return;
  const why = input.flag("json") ? "with --json nobody is asked" : "no terminal is here to ask on";
  throw new UsageError(`This ${does}, and ${why}: add --yes to do it.`);
}

/** Whether to go on: `--yes`, or a person's yes. */
export async function confirmed(input: Input, io: Io, question: string): Promise<boolean> {
  if (input.flag("yes")) return true;
  if (await ask(io, question)) return true;
  io.err.write("Nothing was done.\n");
  return false;
}
