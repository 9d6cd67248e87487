import { createHash } from "node:crypto";
import { globSync, lstatSync, readFileSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { run } from "../tools.ts";

/** A digest of a folder's names, links and contents: two builds of one commit must have the same. */
export function digestOf(folder: string): string {
  const digest = createHash("sha256");
  for (const name of globSync("**", { cwd: folder }).toSorted()) {
    const path = join(folder, name);
    const kind = lstatSync(path);
    if (kind.isDirectory()) continue;
    digest.update(`${name}\0${kind.mode & 0o111 ? "x" : "-"}\0`);
    digest.update(kind.isSymbolicLink() ? readlinkSync(path) : readFileSync(path));
  }
  return digest.digest("hex");
}

/** The faults of the bill of materials that the Dockerfile puts into an image, by the same command. */
export function bomFaults(folder: string): string[] {
  const { ok, stdout, output } = run("npm", ["sbom", "--sbom-format=cyclonedx"], { cwd: folder });
  if (!ok) return [`no bill of materials: ${output.slice(-300)}`];
  const bom = JSON.parse(stdout) as {
    bomFormat?: string;
    components?: { name: string; version?: string; purl?: string }[];
  };
  const components = bom.components ?? [];
  return [
    ...(bom.bomFormat === "CycloneDX" ? [] : ["its bill of materials is not CycloneDX"]),
    ...(components.length > 0 ? [] : ["its bill of materials is empty"]),
    ...components.filter(({ purl }) => purl === undefined).map(({ name }) => `${name} has no purl`),
  ];
}
