/** Latencies as rows of a table: what a call takes in the middle, seldom, and at worst. */
import { closeSync, fdatasyncSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";

const WIDTH = 46;

/** The least latency that a share `p` of them do not pass. */
export function percentile(latenciesMs: readonly number[], p: number): number {
  const sorted = [...latenciesMs].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(sorted.length * p) - 1)] ?? Number.NaN;
}

export function printHead(): void {
  console.log(`  ${"ms".padEnd(WIDTH)} ${["p50", "p90", "p99", "max"].map((name) => name.padStart(8)).join("")}`);
}

export function printRow(name: string, latenciesMs: readonly number[]): void {
  const cells = [0.5, 0.9, 0.99, 1].map((p) => percentile(latenciesMs, p).toFixed(1).padStart(8));
  console.log(`  ${name.padEnd(WIDTH)} ${cells.join("")}`);
}

/** What one write and its fdatasync cost here: nothing durable is faster. */
export function diskLatencies(directory: string, count = 200): number[] {
  const file = openSync(join(directory, "disk"), "w");
  const block = Buffer.alloc(4096);
  const latencies = Array.from({ length: count }, (_, i) => {
    const begin = performance.now();
    writeSync(file, block, 0, block.length, i * block.length);
    fdatasyncSync(file);
    return performance.now() - begin;
  });
  closeSync(file);
  return latencies;
}
