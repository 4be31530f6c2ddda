/**
 * A file's bytes as lines, in batches: whole blocks are checked and decoded at once, which is what makes replay fast.
 * What is no text (broken UTF-8) or longer than any entry may be comes out as a refusal; memory stays bounded whatever
 * the file holds.
 */
import { isUtf8 } from "node:buffer";
import { createHash, type Hash } from "node:crypto";
import type { Line } from "@bursar/core/replay";
import type { Quarantined } from "@bursar/events/envelope";
import { ENTRY_BYTES_MAX, QUARANTINE_HEAD_BYTES } from "@bursar/events/limits";

const NEWLINE = 0x0a;
const BOM = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Lines of `chunks` without their line feeds; the last one need not end with one. A byte order mark at the start is no
 * part of the first line. `onBytes` hears how many bytes have gone by.
 */
export async function* linesOf(
  chunks: AsyncIterable<Uint8Array>,
  onBytes: (bytes: number) => void = () => {},
): AsyncGenerator<readonly Line[]> {
  let rest: Buffer = Buffer.alloc(0);
  let long: LongLine | null = null;
  let first = true;
  let bytes = 0;
  for await (const raw of chunks) {
    let chunk = Buffer.from(raw.buffer, raw.byteOffset, raw.byteLength);
    bytes += chunk.length;
    onBytes(bytes);
    if (first && rest.length + chunk.length < BOM.length) {
      rest = Buffer.concat([rest, chunk]);
      continue;
    }
    const batch: Line[] = [];
    if (long !== null) {
      const end = chunk.indexOf(NEWLINE);
      if (end === -1) {
        long.add(chunk);
        continue;
      }
      batch.push(long.add(chunk.subarray(0, end)).refusal());
      long = null;
      chunk = chunk.subarray(end + 1);
    }
    let block = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    if (first && block.subarray(0, BOM.length).equals(BOM)) block = block.subarray(BOM.length);
    first = false;
    const end = block.lastIndexOf(NEWLINE);
    rest = end === -1 ? block : block.subarray(end + 1);
    if (end !== -1) pushLines(batch, block.subarray(0, end));
    if (rest.length > ENTRY_BYTES_MAX) {
      long = longLine().add(rest);
      rest = Buffer.alloc(0);
    }
    if (batch.length > 0) yield batch;
  }
  if (long !== null) yield [long.refusal()];
  else if (rest.length > 0) {
    // Less than a byte order mark may have come in all, its line feeds with it.
    const block = first && rest.equals(BOM) ? Buffer.alloc(0) : rest;
    const batch: Line[] = [];
    pushLines(batch, block[block.length - 1] === NEWLINE ? block.subarray(0, -1) : block);
    yield batch;
  }
}

/** The lines of a block that has no line feed at its end. */
function pushLines(batch: Line[], block: Buffer): void {
  if (isUtf8(block)) {
    for (const line of block.toString("utf8").split("\n")) batch.push(line);
    return;
  }
  for (let start = 0; start <= block.length; ) {
    const found = block.indexOf(NEWLINE, start);
    const end = found === -1 ? block.length : found;
    const line = block.subarray(start, end);
    batch.push(isUtf8(line) ? line.toString("utf8") : notUtf8(line));
    start = end + 1;
  }
}

function notUtf8(line: Buffer): Quarantined {
  return refused(`line is no UTF-8: ${brokenAt(line)}`, longLine().add(line));
}

/** Where the text breaks off, found by halving. */
function brokenAt(line: Buffer): string {
  let good = 0;
  let bad = line.length;
  while (bad - good > 1) {
    const middle = (good + bad) >> 1;
    // A cut inside of a character is broken by the cut; up to three bytes more settle it.
    const isGood = [0, 1, 2, 3].some((more) => isUtf8(line.subarray(0, middle + more)) && middle + more <= line.length);
    if (isGood) good = middle;
    else bad = middle;
  }
  return `byte ${good + 1} of ${line.length} does not belong to a character`;
}

interface LongLine {
  add(part: Buffer): LongLine;
  refusal(): Quarantined;
  kept(): { head: string; bytes: number; sha256: string };
}

/** A line of which only the head, the length and the hash are kept. */
function longLine(): LongLine {
  const hash: Hash = createHash("sha256");
  let head: Buffer = Buffer.alloc(0);
  let bytes = 0;
  const line: LongLine = {
    add(part) {
      hash.update(part);
      bytes += part.length;
      const room = QUARANTINE_HEAD_BYTES - head.length;
      if (room > 0) head = Buffer.concat([head, part.subarray(0, room)]);
      return line;
    },
    refusal: () => refused(`entry is ${bytes} bytes: at most ${ENTRY_BYTES_MAX} are taken`, line),
    kept: () => ({ head: head.toString("utf8"), bytes, sha256: hash.digest("hex") }),
  };
  return line;
}

function refused(reason: string, line: LongLine): Quarantined {
  return { source: null, eventId: null, reason, event: line.kept() };
}
