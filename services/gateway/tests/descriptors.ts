import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** Compiles protos of a folder of this repository, beside the platform's, to a descriptor set. */
export function buildDescriptors(folder = "services/gateway/tests/protos"): { path: string; remove(): void } {
  const out = mkdtempSync(join(tmpdir(), "gateway-descriptors-"));
  const path = join(out, "set.binpb");
  const config = {
    version: "v2",
    modules: [
      { path: folder },
      { path: "proto", excludes: ["proto/third_party", "proto/node_modules"] },
      { path: "proto/third_party" },
    ],
  };
  execFileSync("node_modules/.bin/buf", ["build", ".", "--config", JSON.stringify(config), "-o", path], {
    cwd: repository,
  });
  return { path, remove: () => rmSync(out, { recursive: true, force: true }) };
}

/** The descriptor set of the platform. */
export const platformDescriptors = join(repository, "proto/gen/chirrup.binpb");
