import { loadFiles, type FilePaths } from "../config.ts";
import { indexRules, type RuleIndex } from "../limits/rules.ts";
import { checkAccessLog } from "../http/access-log.ts";
import { createClientAddress } from "../identity/client-address.ts";
import { buildRouteTable, type Route } from "../routing/route-table.ts";

/**
 * Reads and checks the files as the gateway does, and prints its routes. Gives the exit code: 1 with the reason on
 * standard error when they cannot be served.
 */
export async function check(paths: FilePaths): Promise<number> {
  try {
    const { version, gateway, rules, descriptors } = await loadFiles(paths);
    const { routes } = buildRouteTable(descriptors, {
      defaultDeadlineMs: 5_000,
      cookieNames: new Set(gateway.cookies.keys()),
    });
    checkAccessLog(
      gateway.accessLog,
      routes.map(({ name }) => name),
    );
    createClientAddress(gateway.trustedProxies);
    const missing = routes.find(({ rpc }) => !gateway.upstreams.has(rpc.parent.typeName));
    if (missing !== undefined) throw new Error(`${missing.rpc.parent.typeName} has routes, but no upstream`);
    process.stdout.write(
      `${routeTable(routes, indexRules(rules, routes))}\n${routes.length} routes, version ${version}\n`,
    );
    return 0;
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    return 1;
  }
}

/** Routes in columns: route, rpc, who may call, cost, deadline, rate rules. */
export function routeTable(routes: readonly Route[], rules: RuleIndex): string {
  const rows = routes
    .toSorted((a, b) => (a.template.source < b.template.source ? -1 : 1))
    .map((route) => [
      route.httpMethod,
      route.template.source,
      route.rpcPath.slice(1),
      route.needs.isPublic ? "public" : "signed in",
      String(route.needs.cost),
      route.needs.deadlineMs === undefined ? "-" : `${route.needs.deadlineMs} ms`,
      rules
        .of(route)
        .all.map(({ name }) => name)
        .join(", "),
    ]);
  const all = [["method", "path", "rpc", "for", "cost", "deadline", "rules"], ...rows];
  const widths = (all[0] ?? []).map((_, i) => Math.max(...all.map((row) => (row[i] ?? "").length)));
  return all
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join("  ")
        .trimEnd(),
    )
    .join("\n");
}
