/** A raw HTTP server in AgentCore's place: it records what the real client sends and answers what the test says. */
import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** How to answer: with a status and a body, never (`hang`), with half a body (`stall`), or by hanging up (`drop`). */
export type Answer =
  | { readonly status: number; readonly body: unknown; readonly headers?: Readonly<Record<string, string>> }
  | "hang"
  | "stall"
  | "drop";

export interface DataPlane {
  readonly endpoint: string;
  readonly requests: readonly Recorded[];
  /** Answers the requests in turn; the last answer stands for all that follow. */
  answer(...answers: readonly Answer[]): void;
  /** Answers by request. */
  answerBy(answer: (request: Recorded) => Answer | Promise<Answer>): void;
  close(): Promise<void>;
}

export async function startDataPlane(): Promise<DataPlane> {
  let answerBy: (request: Recorded) => Answer | Promise<Answer> = () => "drop";
  const requests: Recorded[] = [];
  const server = createServer((incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on("data", (chunk: Buffer) => chunks.push(chunk));
    incoming.on("end", async () => {
      const { method = "", url = "", headers } = incoming;
      const request = { method, path: url, headers, body: Buffer.concat(chunks).toString("utf8") };
      requests.push(request);
      give(response, await answerBy(request));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    answer(...answers) {
      requests.length = 0;
      answerBy = () => answers[Math.min(requests.length, answers.length) - 1] as Answer;
    },
    answerBy(answer) {
      requests.length = 0;
      answerBy = answer;
    },
    async close() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** An AWS error in restJson1's shape. */
export function fault(
  status: number,
  type: string,
  message: string,
  headers: Readonly<Record<string, string>> = {},
): Answer {
  return { status, headers: { "x-amzn-errortype": type, ...headers }, body: { message } };
}

function give(response: ServerResponse, answer: Answer): void {
  if (answer === "hang") return;
  if (answer === "drop") {
    response.destroy();
    return;
  }
  if (answer === "stall") {
    response.writeHead(200, { "content-type": "application/json", "content-length": "100" });
    response.write('{"status":');
    return;
  }
  const body = typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body);
  response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
  response.end(body);
}
