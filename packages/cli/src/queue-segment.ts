/**
 * One segment of the queue: a file of frames that only grows. A frame is its payload's length and CRC-32, then the
 * payload, so that a tail which a crash has torn off is told from what was written whole.
 */
import { copyFileSync, readFileSync, truncateSync } from "node:fs";
import { crc32 } from "node:zlib";

const HEADER_BYTES = 8;
/** No frame is larger: an entry is at most 256 KB. A longer length is damage. */
const FRAME_BYTES_MAX = 4 * 1024 * 1024;

/** The frame of a payload, as it is appended. */
export function frameOf(payload: string): Buffer {
  const length = Buffer.byteLength(payload);
  const frame = Buffer.allocUnsafe(HEADER_BYTES + length);
  frame.write(payload, HEADER_BYTES);
  frame.writeUInt32LE(length, 0);
  frame.writeUInt32LE(crc32(frame.subarray(HEADER_BYTES)), 4);
  return frame;
}

export interface ReadSegment {
  readonly payloads: readonly string[];
  /** Where the last whole frame ends. */
  readonly bytes: number;
  /** Bytes behind it that are no frame: torn by a crash, never acknowledged, unless the disk has done it. */
  readonly torn: number;
  /** Bytes before it that are no frame: a disk's damage, and how many entries it took nobody can tell. */
  readonly damaged: number;
}

/** The payloads of whole frames. Damage takes what it hit, not what stands behind it. */
export function readSegment(file: string): ReadSegment {
  const content = readFileSync(file);
  const payloads: string[] = [];
  let bytes = 0;
  let damaged = 0;
  for (let at = 0; at + HEADER_BYTES <= content.length; ) {
    const end = frameEnd(content, at);
    if (end === null) {
      at += 1; // the next frame is where a length and its checksum fit
      continue;
    }
    payloads.push(content.toString("utf8", at + HEADER_BYTES, end));
    damaged += at - bytes;
    bytes = end;
    at = end;
  }
  return { payloads, bytes, torn: content.length - bytes, damaged };
}

/** The end of the frame that begins at `at`, null where none does. */
function frameEnd(content: Buffer, at: number): number | null {
  const length = content.readUInt32LE(at);
  const end = at + HEADER_BYTES + length;
  if (length === 0 || length > FRAME_BYTES_MAX || end > content.length) return null;
  return crc32(content.subarray(at + HEADER_BYTES, end)) === content.readUInt32LE(at + 4) ? end : null;
}

/** Cuts what is torn off a segment. A copy of the whole file stays beside it: nobody can tell torn from damaged. */
export function cutTorn(file: string, bytes: number): string {
  const copy = keepCopy(file, "torn");
  truncateSync(file, bytes);
  return copy;
}

/** Keeps a segment as it was found, for a person to look at. */
export function keepCopy(file: string, why: "torn" | "damaged"): string {
  const copy = `${file}.${why}`;
  copyFileSync(file, copy);
  return copy;
}
