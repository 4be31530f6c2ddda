/** What is to be done when the process ends: one listener for all emitters, however many there are. */

const acts = new Set<() => void>();

process.on("exit", () => {
  for (const act of acts) act();
});

/** Does `act`, which may not wait, when the process ends. Returns what takes that back. */
export function onExit(act: () => void): () => void {
  acts.add(act);
  return () => void acts.delete(act);
}
