import { defineConfig } from "vitest/config";

export default defineConfig({
  resolve: { conditions: ["source"] },
  ssr: { resolve: { conditions: ["source", "module", "node"], externalConditions: ["source", "node"] } },
  test: {
    include: ["{packages,services,apps}/*/src/**/*.test.ts", "{packages,services,apps}/*/tests/**/*.test.ts", "tests/**/*.test.ts"],
    globalSetup: ["packages/testkit/src/global-setup.ts"],
    testTimeout: 30_000,
    hookTimeout: 60_000,
    maxWorkers: 2,
  },
});
