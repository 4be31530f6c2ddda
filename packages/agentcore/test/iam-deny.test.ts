/** The policy that makes a freeze hard. */
import { SessionsError } from "@bursar/core/sessions-error";
import { describe, expect, test } from "vitest";
import { iamDeny, POLICY_LENGTH_MAX } from "../src/iam-deny.ts";
import { MANAGER } from "./fixtures.ts";

const ROLE = "arn:aws:iam::123456789012:role/agents/ProcessPaymentRole";
const manager = (i: number) => MANAGER.replace(/[^/]+$/, `manager-${i}`);

describe("iamDeny", () => {
  test("one manager", () => {
    expect(iamDeny([MANAGER])).toMatchInlineSnapshot(`
      {
        "Statement": [
          {
            "Action": "bedrock-agentcore:ProcessPayment",
            "Effect": "Deny",
            "Resource": [
              "arn:aws:bedrock-agentcore:us-west-2:123456789012:payment-manager/manager-ab12cd34ef",
              "arn:aws:bedrock-agentcore:us-west-2:123456789012:payment-manager/manager-ab12cd34ef/*",
            ],
            "Sid": "BursarFreeze",
          },
        ],
        "Version": "2012-10-17",
      }
    `);
  });

  test("for one principal", () => {
    expect(iamDeny([MANAGER], ROLE).Statement[0]?.Condition).toEqual({ ArnEquals: { "aws:PrincipalArn": ROLE } });
  });

  test("each manager once, whatever the order", () => {
    const policy = iamDeny([manager(2), manager(1), manager(2)]);
    expect(policy).toEqual(iamDeny([manager(1), manager(2)]));
    expect(policy.Statement[0]?.Resource).toEqual([manager(1), `${manager(1)}/*`, manager(2), `${manager(2)}/*`]);
  });

  test.each<[string, string[], string | undefined, string]>([
    ["no manager", [], undefined, "no payment manager"],
    ["a wildcard", [MANAGER.replace(/[^/]+$/, "*")], undefined, "is no ARN of a payment manager"],
    ["another resource", ["arn:aws:s3:::bucket"], undefined, '"arn:aws:s3:::bucket" is no ARN'],
    ["a session of a role", [MANAGER], "arn:aws:sts::123456789012:assumed-role/R/s", "is no IAM role or user"],
    ["a principal with a wildcard", [MANAGER], "arn:aws:iam::123456789012:role/*", "is no IAM role or user"],
    ["a name", [MANAGER], "ProcessPaymentRole", "is no IAM role or user"],
    ["more than a policy holds", Array.from({ length: 60 }, (_, i) => manager(i)), undefined, "name fewer at once"],
  ])("refuses %s", (_, arns, principal, words) => {
    const deny = () => iamDeny(arns, principal);
    expect(deny).toThrow(SessionsError);
    expect(deny).toThrow(words);
  });

  test("as many managers as fit, fit", () => {
    const policy = iamDeny(Array.from({ length: 30 }, (_, i) => manager(i)));
    expect(JSON.stringify(policy).length).toBeLessThanOrEqual(POLICY_LENGTH_MAX);
  });
});
