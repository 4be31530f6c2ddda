/** What `--help` says: examples first, because that is what people read. */
import { COMMON } from "./args.ts";
import type { CommandSpec } from "./command-spec.ts";
import { COMMANDS } from "./commands.ts";
import type { Screen } from "./terminal/screen.ts";
import { type Paint, painter } from "./terminal/style.ts";
import { padEnd, wrap } from "./terminal/text.ts";
import { VERSION } from "./version.ts";

/** The whole of Bursar on one screen. */
export function helpPage(screen: Screen): string[] {
  const paint = painter(screen);
  const width = Math.min(screen.columns, 100);
  return [
    `${paint("bold", `Bursar ${VERSION}`)}: what your AI agents spend, seen from three sides and kept within budget.`,
    "",
    paint("bold", "Try"),
    ...pairs(
      [
        ["bursar start --demo", "a whole market on this machine: agents pay, Bursar watches"],
        ["bursar payments", "what was paid, and whether agent, API and chain agree"],
        ["bursar payment 0x3619", "one payment, three stories side by side"],
        ["bursar freeze AGENT --reason TEXT", "the brake: its sessions are revoked, and every one it opens"],
        ["bursar replay events.ndjson", "what Bursar would have said about recorded events"],
        ["bursar doctor", "is everything in place?"],
      ],
      paint,
      width,
    ),
    "",
    paint("bold", "Commands"),
    ...pairs(
      COMMANDS.map(({ name, summary }) => [name, summary] as const),
      paint,
      width,
    ),
    "",
    paint("bold", "Everywhere"),
    ...pairs(
      [
        ["--json", "JSON for programs"],
        ["--help", "of one command: bursar payments --help"],
        ["--version", "which Bursar this is"],
      ],
      paint,
      width,
    ),
    "",
    "Exit codes: 0 done, 1 failed, 2 wrong use. NO_COLOR and FORCE_COLOR are heard.",
  ];
}

/** One command: examples, what it is about, its options. */
export function commandHelp(command: CommandSpec, screen: Screen): string[] {
  const paint = painter(screen);
  const width = Math.min(screen.columns, 100);
  const options = Object.entries({ ...command.options, ...COMMON }).map(([name, spec]) => {
    const left = spec.type === "string" ? `--${name} ${spec.value ?? "VALUE"}` : `--${name}`;
    const notes = [
      ...(spec.repeats === true ? ["may be given several times"] : []),
      ...(spec.default === undefined ? [] : [`default: ${spec.default}`]),
    ];
    return [left, notes.length === 0 ? spec.help : `${spec.help} (${notes.join("; ")})`] as const;
  });
  return [
    `${paint("bold", `bursar ${command.name}`)}: ${command.summary}`,
    "",
    paint("bold", "Examples"),
    ...pairs(command.examples, paint, width),
    "",
    paint("bold", "Usage"),
    `  ${command.usage}`,
    "",
    ...command.about.flatMap((paragraph) => [...wrap(paragraph, width), ""]),
    ...partsOf(command, paint, width),
    paint("bold", "Options"),
    ...pairs(options, paint, width),
  ];
}

/** Commands whose names begin with this one's. */
function partsOf({ name }: CommandSpec, paint: Paint, width: number): string[] {
  const parts = COMMANDS.filter((one) => one.name.startsWith(`${name} `)).map(
    (one) => [`bursar ${one.name}`, one.summary] as const,
  );
  return parts.length === 0 ? [] : [paint("bold", "More"), ...pairs(parts, paint, width), ""];
}

/** Two columns; a left side that is too long gets a line of its own. */
function pairs(rows: readonly (readonly [string, string])[], paint: Paint, width: number): string[] {
  const left = Math.min(46, Math.max(...rows.map(([name]) => name.length)));
  return rows.flatMap(([name, text]) => {
    const lines = wrap(text, width - left - 4);
    const first = name.length > left ? [`  ${paint("cyan", name)}`] : [];
    return [
      ...first,
      ...lines.map((line, i) => {
        const head = i === 0 && first.length === 0 ? name : "";
        return `  ${paint("cyan", head)}${padEnd("", left - head.length)}  ${line}`;
      }),
    ];
  });
}
