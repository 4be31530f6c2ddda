/** What is wrong with the machine now, by part; told once when it begins and once when it is over. */
export interface Faults {
  /** `message` while the fault lasts, null when it is over. */
  set(part: string, message: string | null): void;
  none(): boolean;
  /** What is wrong now, in words. */
  list(): readonly string[];
}

export function createFaults(tell: (message: string) => void): Faults {
  const current = new Map<string, string>();
  return {
    set(part, message) {
      const before = current.get(part);
      if (message === before || (message === null && before === undefined)) return;
      if (message === null) {
        current.delete(part);
        tell(`over: ${before}`);
      } else {
        current.set(part, message);
        if (before === undefined) tell(message);
      }
    },
    none: () => current.size === 0,
    list: () => [...current.values()],
  };
}
