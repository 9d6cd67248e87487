import type { KubeObject } from "../kubernetes/objects.ts";
import type { ApiServer } from "./api-server.ts";

/** What the API server says against any of the objects, a line each. */
export function apply(server: ApiServer, objects: readonly KubeObject[], ...flags: string[]): string[] {
  if (objects.length === 0) return [];
  const { ok, output } = server.kubectl(
    ["apply", "--server-side", "--force-conflicts", "--validate=strict", ...flags, "--filename=-"],
    // JSON: what YAML 1.2 leaves without quotes, the server's YAML 1.1 may take for a boolean.
    objects.map((object) => JSON.stringify(object)).join("\n---\n"),
  );
  return ok
    ? []
    : output
        .split("\n")
        .filter((line) => line !== "" && !/serverside-applied( \(server dry run\))?$/.test(line));
}
