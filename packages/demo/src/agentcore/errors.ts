/** AWS's refusals: a type that the client turns into a class, a status, and a message that tells refusals of one type apart. */

/** The statuses that the SDK's schemas give; the last two are the protocol's own and no part of the model. */
const STATUS = {
  AccessDeniedException: 403,
  InternalServerException: 500,
  ResourceNotFoundException: 404,
  ServiceQuotaExceededException: 402,
  ThrottlingException: 429,
  ValidationException: 400,
  SerializationException: 400,
  UnknownOperationException: 404,
} as const;

export type RefusalType = keyof typeof STATUS;

/** The request as a whole cannot be done, though each field is well formed. */
export function invalid(message: string, reason = "FieldValidationFailed"): Refusal {
  return new Refusal("ValidationException", message, { reason });
}

/** One field is missing or malformed; `said` is what AWS calls its constraint. */
export function invalidField(name: string, value: unknown, said: string): Refusal {
  const shown = value === undefined ? "null" : JSON.stringify(value).slice(0, 120);
  const message = `Value ${shown} at '${name}' failed to satisfy constraint: ${said}`;
  const fieldList = [{ name, message }];
  return new Refusal("ValidationException", `1 validation error detected: ${message}`, {
    reason: "FieldValidationFailed",
    fieldList,
  });
}

export function notFound(what: string, id: string): Refusal {
  return new Refusal("ResourceNotFoundException", `${what} not found: ${id}`);
}

/** Thrown by operations, answered as restJson1 wants it: `x-amzn-errortype` and `{ message, ...details }`. */
export class Refusal extends Error {
  override readonly name = "Refusal";
  readonly type: RefusalType;
  readonly details: object;

  constructor(type: RefusalType, message: string, details: object = {}) {
    super(message);
    this.type = type;
    this.details = details;
  }

  get status(): number {
    return STATUS[this.type];
  }
}
