/** Command lines as somebody types them: what came out, and how it ended. */
import type { Io } from "../src/io.ts";
import { runBursar } from "../src/main.ts";
import { screenOf } from "../src/terminal/screen.ts";

export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export interface Typist {
  readonly cwd: string;
  readonly env?: Io["env"];
  readonly now?: () => Date;
  /** What a person at a terminal answers when asked; without it there is no terminal. */
  readonly answer?: string;
}

export async function typed(argv: readonly string[], { cwd, env = {}, now, answer }: Typist): Promise<Ran> {
  let [out, err] = ["", ""];
  const stream = (add: (text: string) => void) => ({
    write(text: string) {
      add(text);
      return true;
    },
    once: () => undefined,
  });
  const io: Io = {
    in: {
      isTTY: answer !== undefined,
      async *[Symbol.asyncIterator]() {
        if (answer !== undefined) yield answer;
      },
    },
    out: stream((text) => {
      out += text;
    }),
    err: stream((text) => {
      err += text;
    }),
    env,
    cwd,
    now: now ?? (() => new Date()),
    screen: () => screenOf({}, env),
    errScreen: () => screenOf({ isTTY: answer !== undefined }, { ...env, NO_COLOR: "1" }),
  };
  return { code: await runBursar(argv, io), out, err };
}
