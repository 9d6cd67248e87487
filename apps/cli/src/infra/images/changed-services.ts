import { join } from "node:path";
import { repositoryRoot } from "../../launcher/paths.ts";
import { productionWorkspaces } from "../production-workspaces.ts";
import { run } from "../tools.ts";

/** The services that have an image. */
export const services = ["user", "follow", "post", "feed", "gateway"] as const;

/** What goes into every image, beside the workspaces that it is made of. */
const shared = [
  "package.json",
  "package-lock.json",
  "tsconfig.base.json",
  "infra/docker/",
  "apps/cli/src/infra/production-workspaces.ts",
];

/** The services whose images these files are part of; a test's file and a README are part of none. */
export function servicesOf(files: readonly string[]): string[] {
  const parts = files.filter((file) => !/(?:^|\/)tests\/|\.test\.ts$|\.md$/.test(file));
  if (
    parts.some((file) =>
      shared.some((path) => file === path || (path.endsWith("/") && file.startsWith(path))),
    )
  )
    return [...services];
  return services.filter((service) =>
    productionWorkspaces(repositoryRoot, join("services", service)).some((workspace) =>
      parts.some((file) => file.startsWith(`${workspace}/`)),
    ),
  );
}

/** Prints, as JSON, the services whose images a build of this commit makes anew since another. */
export function changedImages(since: string): void {
  const { ok, stdout, output } = run("git", ["diff", "--name-only", since, "HEAD"], { cwd: repositoryRoot });
  if (!ok) throw new Error(output);
  process.stdout.write(`${JSON.stringify(servicesOf(stdout.trim().split("\n")))}\n`);
}
