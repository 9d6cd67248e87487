import type { z } from "zod";

import { databaseOptions, type DatabaseSettings } from "../config/index.ts";
import { maintainOutbox, watchOutboxSlot } from "../events/index.ts";
import { maintainIdempotencyKeys } from "../idempotency/index.ts";
import { type Ids, leaseIds } from "../ids/index.ts";
import { type Database, openDatabase } from "../postgres/index.ts";
import type { Lifecycle } from "./run-service.ts";

/** A service's own database, with the source of its rows' ids. */
export interface ServiceDatabase extends Pick<Database, "primary" | "reads" | "tokens"> {
  readonly ids: Ids;
}

/**
 * Opens the database that a service owns until the service stops, and keeps in order what the platform has there: the
 * partitions of the outbox, the slot it is read by, and the keys of idempotent calls. Throws UNAVAILABLE while the primary is away.
 *
 * @param service - Its name in consistency tokens and to Postgres: "post".
 */
export async function openServiceDatabase(
  service: string,
  life: Lifecycle<z.output<z.ZodObject<DatabaseSettings>>>,
): Promise<ServiceDatabase> {
  const { config, log, metrics, readiness, signal, onStop } = life;
  const database = openDatabase({ service, ...databaseOptions(config), log, metrics });
  const { primary: postgres, reads, tokens } = database;
  onStop("postgres", () => database.close());
  const ids = await leaseIds({ postgres, log, readiness, signal });
  onStop("id lease", () => ids.close());
  await maintainOutbox({ postgres, log, signal });
  watchOutboxSlot({ postgres, metrics });
  await maintainIdempotencyKeys({ postgres, log, signal });
  return { primary: postgres, reads, tokens, ids };
}
