import { rmSync } from "node:fs";
import { join } from "node:path";
import { openHome } from "../launcher/paths.ts";
import { down } from "./down.ts";

/** `chirrup reset --yes`: stops the platform and deletes its data, secrets and logs. */
export async function reset(flags: { readonly yes?: boolean }): Promise<void> {
  const home = openHome();
  if (flags.yes !== true) {
    process.stdout.write(
      `This deletes all accounts, posts and follows in ${home.dir}. Type: npx chirrup reset --yes\n`,
    );
    process.exitCode = 2;
    return;
  }
  await down();
  for (const name of ["data", "logs", "secrets.json", "seeds"]) {
    rmSync(join(home.dir, name), { recursive: true, force: true });
  }
  process.stdout.write("The data is deleted.\n");
}
