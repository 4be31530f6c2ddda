/** Colours and signs. A colour never says anything alone: the words beside it say it too. */
import type { Screen } from "./screen.ts";

export type Color = "bold" | "dim" | "red" | "green" | "yellow" | "cyan" | "magenta";
export type Paint = (color: Color | null, text: string) => string;

const CODES: { readonly [color in Color]: readonly [number, number] } = {
  bold: [1, 22],
  dim: [2, 22],
  red: [31, 39],
  green: [32, 39],
  yellow: [33, 39],
  cyan: [36, 39],
  magenta: [35, 39],
};

export function painter({ color }: Pick<Screen, "color">): Paint {
  return (name, text) => {
    if (!color || name === null || text === "") return text;
    const [on, off] = CODES[name];
    return `\u001b[${on}m${text}\u001b[${off}m`;
  };
}

export interface Signs {
  readonly yes: string;
  readonly no: string;
  readonly silent: string;
  readonly dot: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly rule: string;
  readonly spent: string;
  readonly held: string;
  readonly free: string;
}

const UNICODE: Signs = {
  yes: "✓",
  no: "✗",
  silent: "–",
  dot: "·",
  arrow: "→",
  ellipsis: "…",
  rule: "─",
  spent: "█",
  held: "▒",
  free: "░",
};
const ASCII: Signs = {
  yes: "y",
  no: "x",
  silent: "-",
  dot: "|",
  arrow: "->",
  ellipsis: "..",
  rule: "-",
  spent: "#",
  held: "=",
  free: ".",
};

export function signsOf({ unicode }: Pick<Screen, "unicode">): Signs {
  return unicode ? UNICODE : ASCII;
}
