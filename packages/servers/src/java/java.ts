import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";

const execute = promisify(execFile);
/** What Kafka's broker and Debezium 3 ask for. */
const leastVersion = 17;

/** The major version in the output of `java -version`: 17 of `"17.0.15"`, 8 of `"1.8.0_402"`. */
export function majorVersion(output: string): number | undefined {
  const [, first, second] = /version "(\d+)(?:\.(\d+))?/.exec(output) ?? [];
  if (first === undefined) return undefined;
  return first === "1" && second !== undefined ? Number(second) : Number(first);
}

const advice = `The full profile runs Kafka, which needs Java ${leastVersion} or later. Install it and try again:

    Debian, Ubuntu   sudo apt-get install openjdk-17-jre-headless
    Fedora           sudo dnf install java-21-openjdk-headless
    macOS            brew install openjdk@21   (and set JAVA_HOME as brew says)

JAVA_HOME, when it is set, is used before the PATH. The embedded profile needs no Java.`;

/** The program `java` of JAVA_HOME or else of the PATH. Rejects, with the way to get one, when it is too old. */
export async function findJava(env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const home = env["JAVA_HOME"];
  const ofHome = home === undefined ? undefined : join(home, "bin", "java");
  const program = ofHome !== undefined && existsSync(ofHome) ? ofHome : "java";
  let output: string;
  try {
    const { stdout, stderr } = await execute(program, ["-version"], { env });
    output = stdout + stderr;
  } catch (cause) {
    throw new Error(`Java is missing. ${advice}`, { cause });
  }
  const version = majorVersion(output);
  if (version === undefined || version < leastVersion) {
    throw new Error(`${program} is Java ${version ?? "of an unknown version"}. ${advice}`);
  }
  return program;
}
