import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pythonTool, run, type Ran } from "../infra/tools.ts";

const version = "4.32.5";

/**
 * What the description has no words for: services check more than a schema says (a code that was never sent, a password that
 * is too common), and null stands for an absent field of any type.
 */
const unchecked = "positive_data_acceptance,negative_data_rejection";

export interface Drive {
  readonly gatewayUrl: string;
  readonly token: string;
  /** Routes whose path matches. */
  readonly include?: string;
  readonly exclude?: string;
  /** Values for path parameters by name, in place of made ones. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Cases of each route, besides those of its schema's edges. */
  readonly examples: number;
  readonly seed: number;
}

/**
 * Sends requests that schemathesis makes from /openapi.json, right ones and wrong ones, and judges the answers: no 5xx, and
 * nothing that the description does not say. Installs the tool at first. `ok` is false when an answer is at fault.
 */
export function drive({ gatewayUrl, token, include, exclude, parameters = {}, examples, seed }: Drive): Ran {
  const tool = pythonTool("schemathesis", "schemathesis", version);
  const folder = mkdtempSync(join(tmpdir(), "chirrup-api-check-"));
  try {
    const config = join(folder, "schemathesis.toml");
    const values = Object.entries(parameters).map(
      ([name, value]) => `"path.${name}" = ${JSON.stringify(value)}\n`,
    );
    writeFileSync(config, `[parameters]\n${values.join("")}`);
    const filters = [
      ...(include === undefined ? [] : [`--include-path-regex=${include}`]),
      ...(exclude === undefined ? [] : [`--exclude-path-regex=${exclude}`]),
    ];
    const options = [
      `--header=Authorization: Bearer ${token}`,
      `--exclude-checks=${unchecked}`,
      "--phases=examples,coverage,fuzzing",
      `--max-examples=${examples}`,
      `--seed=${seed}`,
      "--generation-database=none",
      "--continue-on-failure",
      "--no-color",
      "--warnings=off",
    ];
    const args = [`--config-file=${config}`, "run", `${gatewayUrl}/openapi.json`, ...filters, ...options];
    // The platform is to have the machine, and not its guest.
    return run("nice", ["-n", "10", tool, ...args], { cwd: folder });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
