/** The operations by their paths: each a function of what the call says, answered with AWS's shape and status. */
import { notFound } from "./errors.ts";
import { clientToken, type Input, managerArn } from "./input.ts";
import { type Instruments, instrumentSummary, shownInstrument } from "./instruments.ts";
import { createOnce } from "./once.ts";
import type { Sessions } from "./sessions.ts";
import { shownSession, summaryOf } from "./sessions.ts";
import { processPayment } from "./signing.ts";

export type Operation =
  | "CreatePaymentSession"
  | "GetPaymentSession"
  | "ListPaymentSessions"
  | "DeletePaymentSession"
  | "CreatePaymentInstrument"
  | "GetPaymentInstrument"
  | "ListPaymentInstruments"
  | "DeletePaymentInstrument"
  | "ProcessPayment";

/** Every operation is a POST; creations answer 201. */
export const STATUS: Readonly<Record<Operation, 200 | 201>> = {
  CreatePaymentSession: 201,
  GetPaymentSession: 200,
  ListPaymentSessions: 200,
  DeletePaymentSession: 200,
  CreatePaymentInstrument: 201,
  GetPaymentInstrument: 200,
  ListPaymentInstruments: 200,
  DeletePaymentInstrument: 200,
  ProcessPayment: 200,
};

/** `/payments/createPaymentSession` and so on; null for a path that is none. */
export function operationAt(path: string): Operation | null {
  const [, first, rest] = /^\/payments\/([a-z])([A-Za-z]+)\/?$/.exec(path) ?? [];
  const name = `${first?.toUpperCase()}${rest}`;
  return Object.hasOwn(STATUS, name) ? (name as Operation) : null;
}

export type Operations = (operation: Operation, input: Input) => Promise<object>;

/** @throws {Refusal} what AWS would refuse */
export function createOperations(
  sessions: Sessions,
  instruments: Instruments,
  managerArns: readonly string[],
  now: () => number,
): Operations {
  const once = createOnce();

  const operations: Readonly<Record<Operation, (input: Input) => object | Promise<object>>> = {
    CreatePaymentSession: (input) => ({ paymentSession: shownSession(sessions.create(input)) }),
    GetPaymentSession: (input) => ({ paymentSession: shownSession(sessions.get(input)) }),
    ListPaymentSessions(input) {
      const { page, ...more } = sessions.list(input);
      return { paymentSessions: page.map(summaryOf), ...more };
    },
    DeletePaymentSession(input) {
      sessions.delete(input);
      return { status: "DELETED" };
    },
    CreatePaymentInstrument: (input) => ({ paymentInstrument: shownInstrument(instruments.create(input)) }),
    GetPaymentInstrument: (input) => ({ paymentInstrument: shownInstrument(instruments.get(input)) }),
    ListPaymentInstruments(input) {
      const { page, ...more } = instruments.list(input);
      return { paymentInstruments: page.map(instrumentSummary), ...more };
    },
    DeletePaymentInstrument(input) {
      instruments.delete(input);
      return { status: "DELETED" };
    },
    ProcessPayment: (input) => processPayment(input, sessions, instruments, now),
  };

  return async (operation, input) => {
    const manager = managerArn(input.body);
    if (!managerArns.includes(manager)) throw notFound("Payment manager", manager);
    const { clientToken: token, ...body } = input.body;
    return once(`${operation} ${manager} ${input.userId}`, clientToken(input.body), body, async () =>
      operations[operation]({ userId: input.userId, body }),
    );
  };
}
