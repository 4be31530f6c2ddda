/** The IAM policy that makes a freeze hard: AgentCore lets a new session be opened at once, IAM does not let it pay. */
import { SessionsError } from "@bursar/core/sessions-error";
import { clean } from "@bursar/events/text";
import { MANAGER_ARN_SHAPE, regionOf } from "./manager-arn.ts";

/** A policy document, ready for JSON. */
export interface IamPolicy {
  readonly Version: "2012-10-17";
  readonly Statement: readonly {
    readonly Sid: string;
    readonly Effect: "Deny";
    readonly Action: "bedrock-agentcore:ProcessPayment";
    readonly Resource: readonly string[];
    readonly Condition?: { readonly ArnEquals: { readonly "aws:PrincipalArn": string } };
  }[];
}

/** Longest managed policy, white space not counted: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html */
export const POLICY_LENGTH_MAX = 6144;

/** A role or user as `aws:PrincipalArn` names it: a session of a role goes by the role's own ARN. */
const PRINCIPAL = /^arn:aws(?:-[a-z0-9-]{1,30})?:iam::\d{12}:(?:role|user)\/[\w+=,.@/-]{1,512}$/;

/**
 * Denies `ProcessPayment` on those payment managers and whatever lies under them, for whoever the policy is attached
 * to. With `agentPrincipal` (the ARN of an IAM role or user) it holds for that one only: attach it where others would
 * be hit too. A Deny beats every Allow; it does not recall what is signed already. ARNs are sorted, each once.
 * @throws {SessionsError} `invalid`: no manager, an ARN that is none, or more managers than one policy holds. A policy
 * with a wrong name in it would deny nothing.
 */
export function iamDeny(managerArns: readonly string[], agentPrincipal?: string): IamPolicy {
  const managers = [...new Set(managerArns)].sort();
  if (managers.length === 0) throw new SessionsError("invalid", "no payment manager to deny: name at least one ARN");
  for (const arn of managers) {
    if (regionOf(arn) !== null) continue;
    const text = `"${clean(arn, 160)}" is no ARN of a payment manager: write ${MANAGER_ARN_SHAPE}`;
    throw new SessionsError("invalid", text);
  }
  if (agentPrincipal !== undefined && !PRINCIPAL.test(agentPrincipal)) {
    const text = `"${clean(agentPrincipal, 160)}" is no IAM role or user: write arn:aws:iam::ACCOUNT:role/NAME`;
    throw new SessionsError("invalid", text);
  }
  const condition =
    agentPrincipal === undefined ? {} : { Condition: { ArnEquals: { "aws:PrincipalArn": agentPrincipal } } };
  const policy: IamPolicy = {
    Version: "2012-10-17",
    Statement: [
      {
        Sid: "BursarFreeze",
        Effect: "Deny",
        Action: "bedrock-agentcore:ProcessPayment",
        // AWS's own tools grant payments on both: a Deny that missed one would leave a door.
        Resource: managers.flatMap((arn) => [arn, `${arn}/*`]),
        ...condition,
      },
    ],
  };
  const length = JSON.stringify(policy).length;
  if (length > POLICY_LENGTH_MAX) {
    const text = `a policy for ${managers.length} payment managers has ${length} characters, IAM takes ${POLICY_LENGTH_MAX}: name fewer at once`;
    throw new SessionsError("invalid", text);
  }
  return policy;
}
