/** Tables that fit: wide columns give way to narrow screens, and no cell can break a line or move the cursor. */
import type { Screen } from "./screen.ts";
import { type Color, painter, signsOf } from "./style.ts";
import { cut, padEnd, padStart, safe, widthOf } from "./text.ts";

export interface Column {
  readonly title: string;
  readonly align?: "left" | "right";
  /** May be cut down to this many columns; without it the column keeps its width. */
  readonly min?: number;
}

export type Cell = string | { readonly text: string; readonly color: Color | null };

const GAP = "  ";

/** Lines without line feeds, the titles first. */
export function table(columns: readonly Column[], rows: readonly (readonly Cell[])[], screen: Screen): string[] {
  const paint = painter(screen);
  const { ellipsis } = signsOf(screen);
  const texts = rows.map((row) => row.map((cell) => safe(typeof cell === "string" ? cell : cell.text)));
  const natural = columns.map(({ title }, i) =>
    texts.reduce((most, row) => Math.max(most, widthOf(row[i] ?? "")), widthOf(title)),
  );
  const widths = fit(columns, natural, screen.columns);
  const line = (cells: readonly string[], colors: readonly (Color | null)[]): string =>
    cells
      .map((text, i) => {
        const width = widths[i] ?? 0;
        const short = cut(text, width, ellipsis);
        const isLast = i === cells.length - 1;
        const padded = columns[i]?.align === "right" ? padStart(short, width) : isLast ? short : padEnd(short, width);
        return paint(colors[i] ?? null, padded);
      })
      .join(GAP)
      .trimEnd();
  const titles = line(
    columns.map(({ title }) => title),
    columns.map(() => "dim"),
  );
  return [titles, ...texts.map((row, r) => line(row, (rows[r] ?? []).map(colorOf)))];
}

const colorOf = (cell: Cell): Color | null => (typeof cell === "string" ? null : cell.color);

/** Takes what is too much from the widest column that may give, again and again. */
function fit(columns: readonly Column[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let over = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
  while (over > 0) {
    let widest = -1;
    for (const [i, { min }] of columns.entries()) {
      if (min === undefined || (widths[i] ?? 0) <= min) continue;
      if (widest === -1 || (widths[i] ?? 0) > (widths[widest] ?? 0)) widest = i;
    }
    if (widest === -1) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
    over--;
  }
  return widths;
}
