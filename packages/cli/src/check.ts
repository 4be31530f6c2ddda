/** One thing that doctor looked at: how it is, in words, and what to do about it. */
import type { Env } from "./terminal/screen.ts";

export interface Check {
  readonly name: string;
  readonly outcome: "ok" | "warn" | "fail";
  readonly said: string;
  readonly remedy: string | null;
}

export interface CheckOptions {
  readonly port: number;
  readonly data: string;
  readonly config: string | null;
  readonly cwd: string;
  readonly env: Env;
}

export const ok = (name: string, said: string): Check => ({ name, outcome: "ok", said, remedy: null });
export const warn = (name: string, said: string, remedy: string): Check => ({ name, outcome: "warn", said, remedy });
export const fail = (name: string, said: string, remedy: string): Check => ({ name, outcome: "fail", said, remedy });
