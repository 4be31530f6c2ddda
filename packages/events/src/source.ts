/** Who speaks: EventBridge's `source` names the producer, and what it may assert follows from it alone. */

/** A producer, from `bursar.agent.<id>`, `bursar.api.<id>`, or one of Bursar's own steps. */
export type Source =
  | { readonly kind: "agent"; readonly id: string }
  | { readonly kind: "api"; readonly id: string }
  | { readonly kind: "chain" }
  | { readonly kind: "govern" };

const PRODUCER = /^bursar\.(agent|api)\.([A-Za-z0-9._-]{1,128})$/;

/** The ids that agents and APIs may have: EventBridge allows no other characters in a source. */
export const PRODUCER_ID = /^[A-Za-z0-9._-]{1,128}$/;

/** The speaker behind `source`, or null where Bursar knows none such. */
export function parseSource(source: string): Source | null {
  if (source === "bursar.chain") return { kind: "chain" };
  if (source === "bursar.govern") return { kind: "govern" };
  const match = PRODUCER.exec(source);
  if (match === null) return null;
  return { kind: match[1] as "agent" | "api", id: match[2] as string };
}

/** EventBridge's `source` of an agent or an API. */
export function producerSource(kind: "agent" | "api", id: string): string {
  return `bursar.${kind}.${id}`;
}

/** The event types a source may assert start with this. */
export function ownPrefix(source: Source): string {
  return source.kind === "govern" ? "session." : `${source.kind}.`;
}
