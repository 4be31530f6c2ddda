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
  /** Bytes of whole frames. */
  readonly bytes: number;
  /** Bytes behind them that are no frame: torn by a crash, never acknowledged, unless the disk has done it. */
  readonly torn: number;
}

/** The payloads of whole frames from the start. */
export function readSegment(file: string): ReadSegment {
  const content = readFileSync(file);
  const payloads: string[] = [];
  let at = 0;
  while (at + HEADER_BYTES <= content.length) {
    const length = content.readUInt32LE(at);
    const end = at + HEADER_BYTES + length;
    if (length === 0 || length > FRAME_BYTES_MAX || end > content.length) break;
    const payload = content.subarray(at + HEADER_BYTES, end);
    if (crc32(payload) !== content.readUInt32LE(at + 4)) break;
    payloads.push(payload.toString("utf8"));
    at = end;
  }
  return { payloads, bytes: at, torn: content.length - at };
}

/** Cuts what is torn off a segment. A copy of the whole file stays beside it: nobody can tell torn from damaged. */
export function cutTorn(file: string, bytes: number): string {
  const copy = `${file}.torn`;
  copyFileSync(file, copy);
  truncateSync(file, bytes);
  return copy;
}
