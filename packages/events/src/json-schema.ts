/** The contract as JSON Schema (draft 2020-12), for producers in other languages. `npm run schema` writes it down. */
import * as z from "zod";
import {
  agentEvents,
  apiEvents,
  chainEvents,
  DETAIL_TYPE,
  detail,
  event,
  governEvents,
  MAY_NAME_NONE,
  offer,
  payment,
  resource,
  session,
} from "./contract.ts";
import { LABELS_MAX } from "./limits.ts";
import { address, hash, identifier, integer, text, time, uint256, url } from "./scalars.ts";

const DESCRIPTION = `\`Detail\` of one EventBridge entry with detail type "${DETAIL_TYPE}", as producers write it.
Generated from Bursar's own checks by \`npm run schema\`. It says all they say but for this: a decimal string must be
below 2^256; a time must exist (no 30 February); the detail is at most 60 KB; \`agent.*\` is taken from sources
bursar.agent.<agentId> only and \`api.*\` from bursar.api.<apiId>; \`chain.*\` and \`session.*\` are Bursar's own words and
never taken from the bus. Receivers are kinder: unknown fields and types are ignored, up to 1,000 events an entry are
taken, letter case, offsets, long texts and queries of URLs are normalised.`;

/** Named parts become `$defs`, so that generated types have names too. */
const names: readonly (readonly [z.ZodType, string, string])[] = [
  [address, "Address", "0x and 40 hex digits; Bursar keeps lower case."],
  [hash, "Hash", "0x and 64 hex digits; Bursar keeps lower case."],
  [uint256, "Uint256", "A decimal string below 2^256, without sign, point, exponent or leading zero."],
  [integer, "Integer", "A JSON integer, not negative."],
  [identifier, "Identifier", "1 to 256 characters without control characters."],
  [text, "Text", "Free text; Bursar keeps 256 characters of it, without control characters."],
  [url, "Url", "Origin and path; Bursar drops query, fragment and user name, they carry secrets."],
  [time, "Time", "ISO-8601 with an offset; Bursar keeps UTC with milliseconds."],
  [payment, "Payment", "The key of a payment."],
  [offer, "Offer", "One entry of a 402's `accepts`; on an eip155 network asset and payTo are addresses."],
  [resource, "Resource", "What is bought."],
  [session, "Session", "An AgentCore payment session and the user it was opened for."],
  [event, "Event", "One event. Agent and API events name a payment, a hash or a request."],
  ...[...agentEvents, ...apiEvents, ...chainEvents, ...governEvents].map(
    (schema) => [schema, schema.shape.type.value, ""] as const,
  ),
];

const TIME = "^\\d{4}-\\d{2}-\\d{2}T([01]\\d|2[0-3]):[0-5]\\d:[0-5]\\d(\\.\\d{1,9})?(Z|[+-]([01]\\d|2[0-3]):[0-5]\\d)$";
const CONTROL = "\\u0000-\\u001f\\u007f-\\u009f\\u061c\\u200e\\u200f\\u2028-\\u202e\\u2066-\\u2069";
const NAMES = ["payment", "txHash", "requestId"];

/** The schema as plain data, the same on every call. */
export function jsonSchema(): Record<string, unknown> {
  const metadata = z.registry<{ id: string; description?: string }>();
  for (const [schema, id, description] of names)
    metadata.add(schema, description === "" ? { id } : { id, description });
  const written = z.toJSONSchema(detail, {
    io: "input",
    target: "draft-2020-12",
    metadata,
    override: ({ zodSchema, jsonSchema }) => {
      const type = (jsonSchema.properties?.type as { const?: unknown } | undefined)?.const;
      if ((zodSchema as unknown) === time) jsonSchema.pattern = TIME;
      if ((zodSchema as unknown) === identifier) jsonSchema.pattern = `^[^${CONTROL}]*$`;
      if (jsonSchema.propertyNames !== undefined) jsonSchema.maxProperties = LABELS_MAX;
      if (typeof type === "string" && mustName(type, jsonSchema.required ?? [])) {
        jsonSchema.anyOf = NAMES.map((name) => ({ required: [name] }));
      }
      if (isOffer(jsonSchema)) {
        // biome-ignore lint/suspicious/noThenProperty: JSON Schema's own word
        Object.assign(jsonSchema, { if: ON_EVM, then: HAS_ADDRESSES });
      }
    },
  });
  const { $schema, ...rest } = written;
  return { $schema, title: DETAIL_TYPE, description: DESCRIPTION.replaceAll("\n", " "), ...rest };
}

const ON_EVM = { properties: { network: { type: "string", pattern: "^eip155:" } } };
const HAS_ADDRESSES = { properties: { asset: { $ref: "#/$defs/Address" }, payTo: { $ref: "#/$defs/Address" } } };

function isOffer(schema: { properties?: Record<string, unknown> }): boolean {
  return schema.properties?.network !== undefined && schema.properties.maxTimeoutSeconds !== undefined;
}

function mustName(type: string, required: readonly string[]): boolean {
  const produced = type.startsWith("agent.") || type.startsWith("api.");
  return produced && !MAY_NAME_NONE.includes(type) && !NAMES.some((name) => required.includes(name));
}
