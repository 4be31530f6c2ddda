/** One HTTP request as it is written, headers and all: fetch would correct what these tests get wrong on purpose. */
import { type IncomingHttpHeaders, request } from "node:http";

export interface RawAnswer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: { readonly error: { code: string; message: string; candidates?: string[] } } & Record<string, unknown>;
}

export interface RawRequest {
  readonly path: string;
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
}

export function raw(port: number, { path, method = "GET", headers = {}, body }: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const setHost = !Object.keys(headers).some((name) => name.toLowerCase() === "host");
    const call = request({ host: "127.0.0.1", port, path, method, headers, setHost, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        const json = text.startsWith("{") ? JSON.parse(text) : {};
        resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json });
      });
    });
    call.on("error", reject);
    call.end(body);
  });
}

/** A POST to PutEvents with this body. */
export function rawPut(
  port: number,
  body: string | Buffer,
  headers: Readonly<Record<string, string>> = {},
): Promise<RawAnswer> {
  const aws = { "content-type": "application/x-amz-json-1.1", "x-amz-target": "AWSEvents.PutEvents" };
  return raw(port, { path: "/aws/events/", method: "POST", headers: { ...aws, ...headers }, body });
}
