/** AgentCore's words for a session that is gone, told apart from its words for other things that are. */
import { ValidationException } from "@aws-sdk/client-bedrock-agentcore";
import { expect, test } from "vitest";
import { failureOf } from "../src/failure.ts";

function kindOf(message: string): string {
  return failureOf(new ValidationException({ message, reason: undefined, $metadata: { httpStatusCode: 400 } })).kind;
}

test.each([
  "session not found",
  "Session not found: payment-session-AbCdEfGhIjKlMnO",
  "Payment session payment-session-AbCdEfGhIjKlMnO not found",
  "Payment session with ID 'payment-session-AbCdEfGhIjKlMnO' was not found",
  "The session could not be found",
  "Session id payment-session-AbCdEfGhIjKlMnO does not exist",
  "No such payment session",
  "No session found",
])("gone: %s", (message) => {
  expect(kindOf(message)).toBe("not_found");
});

test.each([
  "Payment manager not found",
  "Payment manager not found for session payment-session-AbCdEfGhIjKlMnO",
  "User not found in session payment-session-AbCdEfGhIjKlMnO",
  "paymentSessionId: member must satisfy regular expression pattern",
  "Session expired",
  "Insufficient budget in session",
  "No session may be deleted while a payment is in progress",
])("refused: %s", (message) => {
  expect(kindOf(message)).toBe("invalid");
});

test.each([[null], [undefined], ["text"], [new Error("x")], [{}]])("anything thrown is a failure: %j", (error) => {
  expect(failureOf(error).kind).toBe("again");
});
