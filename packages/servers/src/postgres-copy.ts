import { constants, promises as fs } from "node:fs";
import { join } from "node:path";

/** What the manual says a base backup leaves empty: it is made anew at each start, or belongs to one server. */
const emptyFolders = new Set([
  "pg_wal",
  "pg_replslot",
  "pg_dynshmem",
  "pg_notify",
  "pg_serial",
  "pg_snapshots",
  "pg_stat_tmp",
  "pg_subtrans",
]);
const ownFile = /^(postmaster\.(pid|opts)|pg_internal\.init.*|backup_label.*|postgresql\.auto\.conf.*)$/;
const temporary = /^pgsql_tmp/;
/** Copied last: what it says must not be older than any other file. */
const controlFile = "pg_control";

const isGone = (error: unknown): boolean => (error as NodeJS.ErrnoException).code === "ENOENT";

async function copyFile(from: string, to: string): Promise<void> {
  try {
    await fs.copyFile(from, to, constants.COPYFILE_FICLONE);
  } catch (error) {
    // Files come and go under a running server; WAL replay makes up for both.
    if (!isGone(error)) throw error;
  }
}

async function copyFolder(from: string, to: string, top: boolean): Promise<void> {
  await fs.mkdir(to, { recursive: true, mode: 0o700 });
  let entries;
  try {
    entries = await fs.readdir(from, { withFileTypes: true });
  } catch (error) {
    if (isGone(error)) return;
    throw error;
  }
  for (const entry of entries) {
    const { name } = entry;
    if (ownFile.test(name) || temporary.test(name) || name === controlFile) continue;
    const [source, target] = [join(from, name), join(to, name)];
    if (!entry.isDirectory()) await copyFile(source, target);
    else if (top && emptyFolders.has(name)) await fs.mkdir(target, { mode: 0o700 });
    else await copyFolder(source, target, false);
  }
}

/**
 * Copies the data directory of a running server between pg_backup_start and pg_backup_stop, without its WAL.
 * No tablespaces.
 */
export async function copyDataDir(from: string, to: string): Promise<void> {
  await copyFolder(from, to, true);
  await copyFile(join(from, "global", controlFile), join(to, "global", controlFile));
}
