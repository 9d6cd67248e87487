import type { Logger } from "@chirrup/platform";
import type { DatabaseUrls } from "../databases.ts";
import type { UpOptions } from "../options.ts";
import type { Part, PartSpec } from "../part.ts";
import type { Home } from "../paths.ts";
import type { Secrets } from "../secrets.ts";
import type { ServiceName } from "../services.ts";

/** When a part stops: the waves go one after the other, so that nobody is left that needs what has gone. */
export const stopWaves = ["gateway", "services", "carrier", "stores", "primaries"] as const;
export type StopWave = (typeof stopWaves)[number];

/** What a profile gets to start its servers with. */
export interface Site {
  readonly home: Home;
  readonly options: UpOptions;
  readonly secrets: Secrets;
  readonly log: Logger;
  /** Aborted when the platform stops, also before it is up. */
  readonly signal: AbortSignal;
  /** Tells the person who waits of something that is no part. */
  step(text: string): void;
  /** Tells of something that went wrong and is being mended. */
  warn(part: string, text: string): void;
  /** Takes a part into the platform; does not start it. */
  add(spec: PartSpec, wave: StopWave): Part;
  /** The path of a part's log; an overlong old one is put aside. */
  logFile(part: string): string;
}

/** What the services of a profile stand on. */
export interface Ground {
  readonly databases: DatabaseUrls;
  readonly cacheUrl: string;
  readonly eventLogUrl: string;
  /** Of Kafka Connect's REST API, where Connect reads the outboxes. */
  readonly connectUrl?: string;
  /** The Node processes of the profile. */
  readonly services: readonly ServiceName[];
}
