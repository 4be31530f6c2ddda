/** The name of a payment manager, which says where it lives. */

/** AWS's own pattern, but for the manager's id, whose length and suffix are AgentCore's business. A region holds no dot: it becomes a host name. */
const MANAGER_ARN =
  /^arn:aws(?:-[a-z0-9-]{1,30})?:bedrock-agentcore:([a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?):\d{12}:payment-manager\/[A-Za-z0-9][A-Za-z0-9_-]{0,127}$/;

/** How such an ARN is written, for messages. */
export const MANAGER_ARN_SHAPE = "arn:aws:bedrock-agentcore:REGION:ACCOUNT:payment-manager/ID";

/**
 * The region of a payment manager, in any partition (aws, aws-cn, aws-us-gov, ...); null for what is no such ARN.
 * https://docs.aws.amazon.com/bedrock-agentcore/latest/APIReference/API_GetPaymentSession.html
 */
export function regionOf(managerArn: string): string | null {
  return MANAGER_ARN.exec(managerArn)?.[1] ?? null;
}
