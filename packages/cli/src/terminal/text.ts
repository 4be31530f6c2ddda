/** Text as a terminal shows it: strangers' control characters are gone, widths are counted in columns, long ones cut. */
import { clean } from "@bursar/events/text";

/** Longest text of a stranger that is shown in one place. */
const SHOWN_MAX = 1024;

/** Anything as text that moves no cursor, rings no bell and stays on its line. */
export function safe(text: string): string {
  return clean(text, SHOWN_MAX);
}

/** Columns that a text takes on a terminal. Combining marks take none, East Asian and emoji ones take two. */
export function widthOf(text: string): number {
  let width = 0;
  for (const character of text) {
    const code = character.codePointAt(0) as number;
    if (code < 0x300) width += 1;
    else if (!ZERO.test(character)) width += isWide(code) ? 2 : 1;
  }
  return width;
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: our own colours and links, which take no columns
const PAINT = /(\u001b\[\d+m|\u001b\]8;;[^\u001b]*\u001b\\)/;
const PAINTS = new RegExp(PAINT, "g");

/** A line of ours without its colours and links. */
export function unpainted(line: string): string {
  return line.replace(PAINTS, "");
}

/** A painted line in at most `columns` columns: one that wraps would break the lines that stay below it. */
export function fitLine(line: string, columns: number, ellipsis: string): string {
  let left = columns;
  return line
    .split(PAINT)
    .map((part, i) => {
      if (i % 2 === 1) return part;
      const shown = cut(part, left, left > 0 ? ellipsis : "");
      left -= widthOf(shown);
      return shown;
    })
    .join("");
}

/** The text in at most `columns` columns, with `ellipsis` where it was cut. */
export function cut(text: string, columns: number, ellipsis: string): string {
  if (widthOf(text) <= columns) return text;
  let kept = "";
  let width = widthOf(ellipsis);
  if (width > columns) return "";
  for (const character of text) {
    width += widthOf(character);
    if (width > columns) break;
    kept += character;
  }
  return kept.trimEnd() + ellipsis;
}

export function padEnd(text: string, columns: number): string {
  return text + " ".repeat(Math.max(0, columns - widthOf(text)));
}

export function padStart(text: string, columns: number): string {
  return " ".repeat(Math.max(0, columns - widthOf(text))) + text;
}

/** The text in lines of at most `columns`, broken at spaces; a word that is longer is cut hard. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(" ")) {
    let rest = word;
    const joined = line === "" ? rest : `${line} ${rest}`;
    if (widthOf(joined) <= columns) {
      line = joined;
      continue;
    }
    if (line !== "") lines.push(line);
    while (widthOf(rest) > columns) {
      const head = cut(rest, columns, "");
      if (head === "") break;
      lines.push(head);
      rest = rest.slice(head.length);
    }
    line = rest;
  }
  lines.push(line);
  return lines;
}

const ZERO = /\p{Mark}|\p{Cf}/u;

function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0xffe0 && code <= 0xffe6) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  );
}
