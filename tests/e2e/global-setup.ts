import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { chirrup, statusOf } from "./support/chirrup.ts";
import { findSecrets, forgetSecrets, readEverything, recordedSecrets } from "./support/secret-scan.ts";

declare module "vitest" {
  interface ProvidedContext {
    gatewayUrl: string;
    platformHome: string;
  }
}

/** One whole platform for the end-to-end tests, started by the command that a newcomer types. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const home = mkdtempSync(join(tmpdir(), "chirrup-e2e-"));
  // So low that ordinary histories cross it.
  const started = await chirrup(home, "up", "--detach", "--port", "0", "--celebrity-threshold", "12");
  if (started.code !== 0) throw new Error(`chirrup up failed:\n${started.stdout}\n${started.stderr}`);
  const { gatewayUrl } = await statusOf(home);
  if (gatewayUrl === undefined) throw new Error("the platform has no URL");
  project.provide("gatewayUrl", gatewayUrl);
  project.provide("platformHome", home);
  return async () => {
    try {
      const found = findSecrets(await readEverything(home), recordedSecrets(home));
      if (found.length > 0) throw new Error(`after all tests:\n${found.join("\n")}`);
    } finally {
      await chirrup(home, "down");
      rmSync(home, { recursive: true, force: true });
      forgetSecrets(home);
    }
  };
}
