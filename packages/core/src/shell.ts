/** Commands as people copy them into a shell: every argument is quoted so that the shell changes nothing in it. */

/** Words that no POSIX shell reads as anything else, whatever stands around them. */
const PLAIN = /^[A-Za-z0-9_+=:,./%-]+$/;

/** One argument, quoted where it must be. */
export function shellWord(word: string): string {
  return PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`;
}

export interface Command {
  /** Such as "payments" or "budgets raise". */
  readonly name: string;
  /** What it is about. */
  readonly about?: string | undefined;
  /** By name; null for one without a value. */
  readonly options?: { readonly [name: string]: string | null };
}

/** The line: `bursar unfreeze gambler --reason 'fixed'`. A name that starts with a dash stays a name. */
export function commandLine({ name, about, options = {} }: Command): string {
  const given = Object.entries(options).map(([option, value]) => {
    if (value === null) return `--${option}`;
    return value.startsWith("-") ? `--${option}=${shellWord(value)}` : `--${option} ${shellWord(value)}`;
  });
  const isDashed = about?.startsWith("-") === true;
  const words = about === undefined ? [] : [shellWord(about)];
  return ["bursar", name, ...(isDashed ? [] : words), ...given, ...(isDashed ? ["--", ...words] : [])].join(" ");
}
