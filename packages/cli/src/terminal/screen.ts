/** What a stream can show: how wide and high it is, whether it has colours, and whether it knows more than ASCII. */

export interface Screen {
  readonly columns: number;
  readonly rows: number;
  readonly color: boolean;
  readonly unicode: boolean;
  /** A terminal that a person looks at: lines on it can be redrawn. */
  readonly live: boolean;
}

/** Widths that tables are made for where nobody says how wide it is. */
export const COLUMNS_DEFAULT = 100;
const ROWS_DEFAULT = 24;

export interface Viewed {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  readonly rows?: number | undefined;
}

export type Env = { readonly [name: string]: string | undefined };

/** NO_COLOR (no-color.org) and FORCE_COLOR are heard; a locale that is not UTF-8 gets ASCII. */
export function screenOf(stream: Viewed, env: Env): Screen {
  const terminal = stream.isTTY === true;
  const dumb = env.TERM === "dumb";
  return {
    columns: terminal && stream.columns ? Math.max(stream.columns, 40) : COLUMNS_DEFAULT,
    rows: terminal && stream.rows ? stream.rows : ROWS_DEFAULT,
    color: hasColor(terminal && !dumb, env),
    unicode: hasUnicode(env),
    live: terminal && !dumb,
  };
}

function hasColor(terminal: boolean, env: Env): boolean {
  if (env.NO_COLOR !== undefined && env.NO_COLOR !== "") return false;
  if (env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== "")
    return env.FORCE_COLOR !== "0" && env.FORCE_COLOR !== "false";
  return terminal;
}

function hasUnicode(env: Env): boolean {
  const locale = env.LC_ALL || env.LC_CTYPE || env.LANG;
  // Without a locale (containers, Windows) what reads us today reads UTF-8.
  return locale === undefined || locale === "" || /utf-?8/i.test(locale);
}
