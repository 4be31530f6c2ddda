/** A timer that rings once at the earliest time asked for, by the monotonic clock, and holds no process up. */

export interface Alarm {
  /** Rings in `delayMs`, unless it rings sooner already. */
  set(delayMs: number): void;
  clear(): void;
}

export function makeAlarm(ring: () => void): Alarm {
  let timer: NodeJS.Timeout | null = null;
  let due = Number.POSITIVE_INFINITY;

  function clear(): void {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    due = Number.POSITIVE_INFINITY;
  }

  return {
    set(delayMs) {
      const at = performance.now() + delayMs;
      if (at >= due) return;
      clear();
      due = at;
      timer = setTimeout(() => {
        clear();
        ring();
      }, delayMs);
      timer.unref();
    },
    clear,
  };
}
