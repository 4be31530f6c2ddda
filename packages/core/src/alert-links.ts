/** Links of alerts: built from checked hex digits and a checked region, and from nothing else. */
import type { AlertLink } from "@bursar/events/alert-notice";
import { chainById } from "@bursar/events/chains";
import type { Facts } from "./alert-facts.ts";
import { addressOf, type PaymentName } from "./alert-subject.ts";

const explorer = (chainId: number | null): string => (chainId === 421614 ? "Arbiscan (Sepolia)" : "Arbiscan");

/** The page of a payment's transaction, where its id names one on a chain that is known. */
export function transactionUrl({ chainId, txHash }: PaymentName): string | null {
  const chain = chainById(chainId ?? 0);
  return chain === undefined || txHash === null ? null : `${chain.explorerTx}${txHash}`;
}

export function addressUrl(chainId: number | null, text: string): string | null {
  const [chain, address] = [chainById(chainId ?? 0), addressOf(text)];
  return chain === undefined || address === null ? null : `${chain.explorerAddress}${address}`;
}

export function linksOf({ wallet, payment, subject }: Facts, chainId: number): AlertLink[] {
  const links: AlertLink[] = [];
  const add = (label: string, url: string | null): void => {
    if (url !== null && !links.some((link) => link.url === url)) links.push({ label, url });
  };
  if (wallet !== null) add(`The wallet on ${explorer(chainId)}`, addressUrl(chainId, wallet));
  if (subject.kind === "token") add(`The token on ${explorer(chainId)}`, addressUrl(chainId, subject.id));
  if (payment !== null) {
    add(`The transaction on ${explorer(payment.chainId)}`, transactionUrl(payment));
    if (payment.payer !== null)
      add(`The paying wallet on ${explorer(payment.chainId)}`, addressUrl(payment.chainId, payment.payer));
  }
  const region = regionOf(subject.id);
  if (region !== null) add(`AgentCore in the AWS console (${region.name})`, region.url);
  return links;
}

/** The ARN of a payment manager in front, as in a session's scope. */
const MANAGER =
  /^arn:(aws|aws-cn|aws-us-gov):bedrock-agentcore:([a-z]{2}(?:-[a-z]{2,9}){1,2}-\d):\d{12}:payment-manager\/[A-Za-z0-9][A-Za-z0-9_-]{0,127}(?:\/|$)/;

const CONSOLES: { readonly [partition: string]: string } = {
  aws: "console.aws.amazon.com",
  "aws-cn": "console.amazonaws.cn",
  "aws-us-gov": "console.amazonaws-us-gov.com",
};

function regionOf(subjectId: string): { name: string; url: string } | null {
  const [, partition = "", name = ""] = MANAGER.exec(subjectId) ?? [];
  const host = CONSOLES[partition];
  return host === undefined ? null : { name, url: `https://${name}.${host}/bedrock-agentcore/home?region=${name}` };
}
