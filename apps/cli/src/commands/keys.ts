import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { openHome, repositoryRoot } from "../launcher/paths.ts";
import { openSecrets } from "../launcher/secrets.ts";
import { runningState } from "../launcher/status.ts";

const program = join(repositoryRoot, "services", "user", "src", "rotate-keys.ts");

/**
 * `chirrup keys rotate`: adds a signing key to the running platform, by the user service's own program. Tokens that the
 * keys before it signed stay good until they expire.
 */
export function rotateKeys(flags: { readonly json?: boolean }): void {
  const home = openHome();
  const state = runningState(home);
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--conditions=source", program], {
    env: {
      DATABASE_URL: state.access.databases.user,
      SIGNING_KEY_SECRET: openSecrets(home).signingKey,
      LOG_LEVEL: "silent",
    },
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`the key was not made:\n${stderr.trim()}`);
  const kid = stdout.trim();
  process.stdout.write(
    flags.json === true
      ? `${JSON.stringify({ kid })}\n`
      : `The key ${kid} is published now and signs within about a minute. Tokens of the keys before it stay good.\n`,
  );
}
