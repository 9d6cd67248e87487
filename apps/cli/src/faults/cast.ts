import { createApiClient } from "../api/client.ts";
import { openAccount, type SeedAccount } from "../seed/accounts.ts";
import { pick, type Random } from "../seed/random.ts";
import { type Ledger, tieKey } from "./ledger.ts";

const eachFollows = 4;
const mostConnections = 96;

/** The users of one run, made for it. */
export interface Cast {
  readonly writers: readonly SeedAccount[];
  /** Follows every writer. */
  readonly reader: SeedAccount;
  /** Writes after each kill. */
  readonly prober: SeedAccount;
  /** Follows the prober and nobody else. */
  readonly follower: SeedAccount;
  close(): void;
}

/** Registers the users and lets each writer follow some others, which the ledger is told. */
export async function openCast(options: {
  readonly gatewayUrl: string;
  readonly mark: string;
  readonly writers: number;
  readonly random: Random;
  readonly ledger: Ledger;
}): Promise<Cast> {
  const { mark, random, ledger } = options;
  const api = createApiClient(options.gatewayUrl, mostConnections);
  const writers: SeedAccount[] = [];
  for (let number = 1; number <= options.writers; number += 1)
    writers.push(await openAccount(api, `${mark}_${number}`));
  const reader = await openAccount(api, `${mark}_reader`);
  const prober = await openAccount(api, `${mark}_prober`);
  const follower = await openAccount(api, `${mark}_follower`);

  const follow = (from: SeedAccount, to: string): Promise<unknown> =>
    from.call({ method: "PUT", path: `/api/v1/users/${to}/follow` });
  for (const { id } of writers) await follow(reader, id);
  await follow(follower, prober.id);
  for (const from of writers) {
    for (let number = 0; number < eachFollows; number += 1) {
      const { id: to } = pick(random, writers);
      if (to === from.id) continue;
      await follow(from, to);
      const key = tieKey("follow", from.id, to);
      ledger.ties.set(key, { kind: "follow", from: from.id, to, there: true, closed: false, either: false });
    }
  }
  // The feeds of those who look are kept in Redis, and it is those that a fault could harm.
  for (const account of [...writers, reader, follower])
    await account.call({ method: "GET", path: "/api/v1/feed" });
  return { writers, reader, prober, follower, close: () => api.close() };
}
