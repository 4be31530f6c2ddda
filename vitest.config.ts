/** How `npm test` runs: every package's tests and those that span packages, without network and without a JVM. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.test.ts", "test/**/*.test.ts"],
    // Benchmarks measure and DynamoDB's contract needs Java: each has its own script.
    exclude: ["**/node_modules/**", "**/bench/**", "**/*.dynamodb.test.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    teardownTimeout: 10_000,
    // Processes, not threads: lmdb and spawned chains want a process of their own, and a crash is one file's.
    pool: "forks",
    // Two files at once: some start an anvil beside themselves, and a third would make all of them wait.
    maxWorkers: 2,
    allowOnly: false,
    passWithNoTests: false,
  },
});
