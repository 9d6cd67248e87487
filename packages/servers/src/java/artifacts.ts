import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const execute = promisify(execFile);
const folder = fileURLToPath(new URL("../../java/", import.meta.url));
/** What is resolved together: all that the full profile runs, or the Connect worker that managed Connect offers. */
export type JavaSet = "current" | "connect-3.7";

/** A folder with a pom and the sums of what it resolves to. */
const sets: Readonly<Record<JavaSet, string>> = {
  current: folder,
  "connect-3.7": join(folder, "connect-3.7"),
};
export const logConfigFile: string = join(folder, "log4j2.xml");

const repositoryVariable = "CHIRRUP_MAVEN_REPOSITORY";
const parallelDownloads = 8;

/** The Java parts on disk. */
export interface JavaParts {
  /** Classpath of Kafka's broker, tools and Connect worker. */
  readonly classPath: string;
  /** What Connect's `plugin.path` is set to: a folder with a folder for each plugin. */
  readonly pluginDir: string;
}

interface Artifact {
  /** Path in a Maven repository: `org/apache/kafka/kafka_2.13/4.3.1/kafka_2.13-4.3.1.jar`. */
  readonly path: string;
  readonly sha256: string;
}

/** The lines of `sha256sum`. */
export function parseSums(text: string): readonly Artifact[] {
  return text.split("\n").flatMap((line) => {
    const [, sha256, path] = /^([0-9a-f]{64}) [ *](\S+)$/.exec(line) ?? [];
    return sha256 === undefined || path === undefined ? [] : [{ path, sha256 }];
  });
}

/** Throws when the bytes are not the artifact that the repository's list names. */
export function checkSum({ path, sha256 }: Artifact, bytes: Uint8Array): void {
  const found = createHash("sha256").update(bytes).digest("hex");
  if (found !== sha256) throw new Error(`${path} has the SHA-256 ${found}, not ${sha256}`);
}

async function hasMaven(): Promise<boolean> {
  try {
    await execute("mvn", ["--version"]);
    return true;
  } catch {
    return false;
  }
}

/** By Maven, which knows its user's mirrors, proxies and credentials. */
async function fetchByMaven(pom: string, target: string): Promise<void> {
  const goal = ["dependency:copy-dependencies", "-DincludeScope=runtime", "-Dmdep.useRepositoryLayout=true"];
  const args = ["--batch-mode", "--quiet", "--file", pom, ...goal, `-DoutputDirectory=${target}`];
  try {
    await execute("mvn", args, { maxBuffer: 64 * 1024 * 1024 });
  } catch (error) {
    const { stdout = "", stderr = "" } = error as { stdout?: string; stderr?: string };
    const lines = `${stdout}\n${stderr}`.split("\n").filter((line) => line.includes("ERROR"));
    throw new Error(`Maven could not fetch the Java parts:\n${lines.slice(0, 3).join("\n")}`, {
      cause: error,
    });
  }
}

async function fetchFrom(repository: string, target: string, artifacts: readonly Artifact[]): Promise<void> {
  const base = repository.endsWith("/") ? repository : `${repository}/`;
  const left = [...artifacts];
  async function worker(): Promise<void> {
    for (let next; (next = left.pop()) !== undefined;) {
      const response = await fetch(new URL(next.path, base), { signal: AbortSignal.timeout(120_000) });
      if (!response.ok) throw new Error(`${repositoryVariable}: ${next.path} answered ${response.status}`);
      const file = join(target, next.path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, new Uint8Array(await response.arrayBuffer()));
    }
  }
  await Promise.all(Array.from({ length: parallelDownloads }, worker));
}

async function fetchAll(pom: string, target: string, artifacts: readonly Artifact[]): Promise<void> {
  const repository = process.env[repositoryVariable];
  if (repository !== undefined && repository !== "") return fetchFrom(repository, target, artifacts);
  if (await hasMaven()) return fetchByMaven(pom, target);
  throw new Error(
    `Kafka and Debezium come from a Maven repository. Install Maven (apt-get install maven, brew install maven), or set ${repositoryVariable} to the URL of Maven Central or of a mirror, and try again.`,
  );
}

async function lay(source: string, target: string, artifacts: readonly Artifact[]): Promise<void> {
  const [libraries, plugins] = [join(target, "libs"), join(target, "plugins")];
  for (const dir of [libraries, plugins]) mkdirSync(dir, { recursive: true });
  for (const artifact of artifacts) {
    const file = join(source, artifact.path);
    if (!existsSync(file)) throw new Error(`Maven did not bring ${artifact.path}`);
    checkSum(artifact, readFileSync(file));
    if (file.endsWith(".tar.gz")) await execute("tar", ["-xzf", file, "-C", plugins]);
    else copyFileSync(file, join(libraries, basename(file)));
  }
}

/**
 * Kafka, Connect and Debezium's connector, fetched at the first call and kept in `cacheDir`: by the repository
 * that CHIRRUP_MAVEN_REPOSITORY names, or else by Maven and its settings. Every file must have the sum that
 * artifacts.sha256 gives. Several processes may call it at once.
 *
 * @param set "connect-3.7" is the Connect worker that managed Connect offers, without broker and connector.
 * @param fetching Called when something has to be fetched, which may take a minute.
 */
export async function resolveJavaParts(
  cacheDir: string,
  fetching: () => void,
  set: JavaSet = "current",
): Promise<JavaParts> {
  const sums = readFileSync(join(sets[set], "artifacts.sha256"), "utf8");
  const name = createHash("sha256").update(sums).digest("hex").slice(0, 16);
  const target = join(cacheDir, name);
  if (!existsSync(target)) {
    fetching();
    const work = join(cacheDir, `${name}.${process.pid}`);
    const [fetched, laid] = [join(work, "fetched"), join(work, "laid")];
    mkdirSync(fetched, { recursive: true });
    try {
      const artifacts = parseSums(sums);
      await fetchAll(join(sets[set], "pom.xml"), fetched, artifacts);
      await lay(fetched, laid, artifacts);
      try {
        renameSync(laid, target);
      } catch (error) {
        // Another process was quicker.
        if (!existsSync(target)) throw error;
      }
    } finally {
      rmSync(work, { recursive: true, force: true });
    }
  }
  return { classPath: join(target, "libs", "*"), pluginDir: join(target, "plugins") };
}
