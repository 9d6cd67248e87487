import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const repository = fileURLToPath(new URL("../../..", import.meta.url));

/** Compiles protos of a folder, beside the platform's, to a descriptor set. */
export function buildDescriptors(folder: string = fileURLToPath(new URL("protos", import.meta.url))): {
  path: string;
  remove(): void;
} {
  const out = mkdtempSync(join(tmpdir(), "gateway-descriptors-"));
  const path = join(out, "set.binpb");
  // Copied together, since buf takes no module from outside of its folder.
  cpSync(folder, join(out, "own"), { recursive: true });
  cpSync(join(repository, "proto/chirrup"), join(out, "platform/chirrup"), { recursive: true });
  cpSync(join(repository, "proto/third_party"), join(out, "third_party"), { recursive: true });
  const modules = ["own", "platform", "third_party"].map((module) => ({ path: module }));
  execFileSync(
    join(repository, "node_modules/.bin/buf"),
    ["build", ".", "--config", JSON.stringify({ version: "v2", modules }), "-o", path],
    { cwd: out },
  );
  return { path, remove: () => rmSync(out, { recursive: true, force: true }) };
}

/** The descriptor set of the platform. */
export const platformDescriptors = join(repository, "proto/gen/chirrup.binpb");
