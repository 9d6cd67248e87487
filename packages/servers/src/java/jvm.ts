import type { ProcessOptions } from "../process.ts";
import { type JavaParts, logConfigFile } from "./artifacts.ts";

export interface JvmOptions {
  /** The program `java`. */
  readonly java: string;
  readonly parts: JavaParts;
  /** Bound of the heap. What the JVM takes beside it is bounded too, by about 250 MiB. */
  readonly heapMb: number;
}

/**
 * How to run a class with bounded memory. The serial collector and the first compiler alone take the least
 * memory and start fastest; a laptop's load needs no more.
 */
export function jvmCommand(
  { java, parts, heapMb }: JvmOptions,
  mainClass: string,
  args: readonly string[],
): Pick<ProcessOptions, "command" | "args" | "env"> {
  return {
    command: java,
    args: [
      "-Xms32m",
      `-Xmx${heapMb}m`,
      "-XX:+UseSerialGC",
      "-XX:TieredStopAtLevel=1",
      "-XX:MaxMetaspaceSize=128m",
      "-XX:ReservedCodeCacheSize=48m",
      "-XX:MaxDirectMemorySize=64m",
      "-Xss512k",
      "-Xshare:auto",
      "-XX:+ExitOnOutOfMemoryError",
      "-Djava.awt.headless=true",
      `-Dlog4j2.configurationFile=${logConfigFile}`,
      "-cp",
      parts.classPath,
      mainClass,
      ...args,
    ],
    env: {
      ...process.env,
      // glibc gives each thread an arena of its own otherwise, and the JVM has many.
      MALLOC_ARENA_MAX: "2",
    },
  };
}

/** The text of a Java properties file. Values are Latin text without line breaks. */
export function properties(values: Readonly<Record<string, string | number>>): string {
  return Object.entries(values)
    .map(([name, value]) => `${name}=${String(value).replaceAll("\\", "\\\\")}\n`)
    .join("");
}
