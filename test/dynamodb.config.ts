/** How `npm run test:dynamodb` runs: the contracts that need a DynamoDB engine, which dynamodb.mjs has started. */
import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["packages/*/test/**/*.dynamodb.test.ts"],
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: "forks",
    passWithNoTests: false,
  },
});
