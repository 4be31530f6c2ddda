/** Reads a request's body, up to a bound. */
import type { IncomingMessage } from "node:http";

/** Milliseconds that a caller whose body is too large is still listened to, so that it can read the refusal. */
const PATIENCE_MS = 5_000;

/** The body; null when it is larger than `bytesMax`: what comes behind that is read and forgotten, for a while. */
export function readBody(request: IncomingMessage, bytesMax: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const giveUp = () => {
      request.off("data", take);
      request.resume();
      // A caller that never ends is cut off; one that does has read the answer by then.
      const timer = setTimeout(() => request.destroy(), PATIENCE_MS);
      timer.unref();
      request.once("close", () => clearTimeout(timer));
      resolve(null);
    };
    const take = (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > bytesMax) giveUp();
      else chunks.push(chunk);
    };
    if (Number(request.headers["content-length"]) > bytesMax) {
      request.on("error", () => {});
      giveUp();
      return;
    }
    request.on("data", take);
    request.once("end", () => resolve(chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks)));
    request.on("error", reject);
  });
}
