import type { Channel } from "@chirrup/grpc";
import type { Logger } from "@chirrup/platform";
import type { Telemetry } from "./telemetry.ts";
import type { ClientAddress } from "./identity/client-address.ts";
import type { ConsistencySettings } from "./identity/consistency.ts";
import type { CookieSettings } from "./identity/cookies.ts";
import type { Identities } from "./identity/identify.ts";
import type { OriginSettings } from "./identity/origin.ts";
import type { MetadataLists } from "./gateway-file.ts";
import type { AccessLogRule } from "./http/access-log.ts";
import type { RetryBudget } from "./http/retry-budget.ts";
import type { CorsSettings } from "./http/cors.ts";
import type { Limiter } from "./limits/limiter.ts";
import type { RuleIndex } from "./limits/rules.ts";
import type { Pages } from "./openapi/pages.ts";
import type { RouteTable } from "./routing/route-table.ts";

/** All that answering a request takes. */
export interface Context {
  /** Of the files that it was made from. */
  readonly version: string;
  readonly routes: RouteTable;
  readonly rules: RuleIndex;
  readonly limiter: Limiter;
  readonly identities: Identities;
  /** By the service's full name; one for every service that has a route. */
  readonly upstreams: ReadonlyMap<string, Channel>;
  readonly cookies: ReadonlyMap<string, CookieSettings>;
  /** Undefined: consistency tokens end here, both ways. */
  readonly consistency: ConsistencySettings | undefined;
  readonly origins: OriginSettings;
  readonly clientAddress: ClientAddress;
  readonly strictTransportSecurity: string | undefined;
  readonly cors: CorsSettings | undefined;
  readonly metadata: MetadataLists;
  readonly pages: Pages;
  readonly compressFromBytes: number | undefined;
  readonly maxBodyBytes: number;
  /** Requests at once, streams left aside; more are answered with 503. */
  readonly maxInFlight: number;
  readonly retries: RetryBudget;
  /** Which answers get a line in the log, by the first rule that fits; all without one. */
  readonly accessLog: readonly AccessLogRule[];
  readonly log: Logger;
  readonly telemetry: Telemetry;
}
