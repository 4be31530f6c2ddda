/** What a call says, checked once at the edge by the constraints that AWS's API reference gives. */
import { invalidField } from "./errors.ts";

/** A call's body, with its user from the header. */
export interface Input {
  /** "" where the call named none. */
  readonly userId: string;
  readonly body: Fields;
}

export type Fields = Readonly<Record<string, unknown>>;

/**
 * As AWS's, but for the last ten letters of an id, which AWS makes and we need not:
 * `payment-manager/[a-z0-9]([a-z0-9-]{0,47}[a-z0-9])?-[a-z0-9]{10}`.
 */
const MANAGER_ARN =
  /^arn:(aws|aws-[a-z0-9-]+):bedrock-agentcore:[a-z0-9-]+:[0-9]{12}:payment-manager\/[a-z0-9][a-z0-9-]{0,58}$/;
const SESSION_ID = /^payment-session-[0-9a-zA-Z-]{15}$/;
const INSTRUMENT_ID = /^payment-instrument-[0-9a-zA-Z-]{15}$/;
const CONNECTOR_ID = /^[0-9a-z][0-9a-z-]{0,210}$/;
const TOKEN = /^[a-zA-Z0-9](-*[a-zA-Z0-9]){0,256}$/;
const NEXT_TOKEN = /^\S{1,2048}$/;

export const managerArn = (fields: Fields) => matching(fields, "paymentManagerArn", MANAGER_ARN);
export const sessionId = (fields: Fields) => matching(fields, "paymentSessionId", SESSION_ID);
export const instrumentId = (fields: Fields) => matching(fields, "paymentInstrumentId", INSTRUMENT_ID);
export const connectorId = (fields: Fields) => matching(fields, "paymentConnectorId", CONNECTOR_ID);
export const nextToken = (fields: Fields) => optional(fields, "nextToken", NEXT_TOKEN);

/** Null where none was given: then a repeated call is a second one. */
export function clientToken(fields: Fields): string | null {
  const token = optional(fields, "clientToken", TOKEN);
  if (token !== null && (token.length < 33 || token.length > 256))
    throw invalidField("clientToken", token, "Member must have length between 33 and 256");
  return token;
}

export function fieldsOf(value: unknown, name: string): Fields {
  if (value === undefined || value === null) throw invalidField(name, undefined, "Member must not be null");
  if (typeof value !== "object" || Array.isArray(value)) throw invalidField(name, value, "Member must be a structure");
  return value as Fields;
}

export function textOf(fields: Fields, name: string): string {
  const value = fields[name];
  if (value === undefined || value === null) throw invalidField(name, undefined, "Member must not be null");
  if (typeof value !== "string") throw invalidField(name, value, "Member must be a string");
  return value;
}

export function oneOf<T extends string>(fields: Fields, name: string, values: readonly T[]): T {
  const value = textOf(fields, name) as T;
  if (!values.includes(value))
    throw invalidField(name, value, `Member must satisfy enum value set: [${values.join(", ")}]`);
  return value;
}

export function integerOf(fields: Fields, name: string, least: number, most: number): number {
  const value = fields[name];
  if (value === undefined || value === null) throw invalidField(name, undefined, "Member must not be null");
  if (typeof value !== "number" || !Number.isInteger(value) || value < least || value > most)
    throw invalidField(name, value, `Member must be an integer between ${least} and ${most}`);
  return value;
}

function matching(fields: Fields, name: string, pattern: RegExp): string {
  const value = textOf(fields, name);
  if (!pattern.test(value))
    throw invalidField(name, value, `Member must satisfy regular expression pattern: ${pattern.source}`);
  return value;
}

function optional(fields: Fields, name: string, pattern: RegExp): string | null {
  return fields[name] === undefined || fields[name] === null ? null : matching(fields, name, pattern);
}
