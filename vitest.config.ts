import { defineConfig } from "vitest/config";

// Vite's own condition for source files, so that tests never run what an older build left in dist/.
const resolve = { conditions: ["source", "node", "development|production"] };
const source = { resolve, environments: { ssr: { resolve }, __vitest__: { resolve } } };

export default defineConfig({
  test: {
    projects: [
      {
        ...source,
        test: {
          name: "parts",
          include: [
            "{packages,services,apps}/*/src/**/*.test.ts",
            "{packages,services,apps}/*/tests/**/*.test.ts",
            "tests/consistency/*.test.ts",
            "tests/database/*.test.ts",
          ],
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          // Far above what a test takes: a busy machine is no failure.
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        ...source,
        test: {
          name: "platform",
          include: ["tests/e2e/*.test.ts"],
          globalSetup: ["tests/e2e/global-setup.ts"],
          testTimeout: 120_000,
          hookTimeout: 120_000,
          // One platform serves all; faults must not befall a neighbour's test.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        ...source,
        test: {
          name: "full",
          include: ["tests/e2e-full/*.test.ts"],
          testTimeout: 30_000,
          // Two dozen servers: nothing else may run beside them.
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: { name: "repository", include: ["tests/repository/*.test.ts"], testTimeout: 60_000 },
      },
    ],
    maxWorkers: 2,
  },
});
