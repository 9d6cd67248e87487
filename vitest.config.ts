import { defineConfig } from "vitest/config";

const source = {
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source", "module", "node"], externalConditions: ["source", "node"] } },
};

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
          ],
          globalSetup: ["packages/testkit/src/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        ...source,
        test: {
          name: "platform",
          include: ["tests/e2e/*.test.ts"],
          globalSetup: ["tests/e2e/global-setup.ts"],
          testTimeout: 30_000,
          hookTimeout: 120_000,
          // One platform serves all; faults must not befall a neighbour's test.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: { name: "repository", include: ["tests/repository/*.test.ts"], testTimeout: 60_000 },
      },
    ],
    maxWorkers: 2,
  },
});
