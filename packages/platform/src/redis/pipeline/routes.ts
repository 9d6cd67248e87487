import type { Connection } from "./connection.ts";
import type { NodeAddress } from "./redis-url.ts";

/** Which connection serves a hash slot. */
export interface Routes {
  /** True when there is one server: slots do not matter. */
  readonly single: boolean;
  /** Undefined while nobody is known to serve the slot. */
  connectionOf(slot: number): Connection | undefined;
  /** The connection to a node, made if there is none. */
  connectionTo(address: NodeAddress): Connection;
  /** A node said that another serves the slot. */
  moved(slot: number, address: NodeAddress): void;
  /** Something showed that the map may be old. */
  refresh(): void;
  close(): void;
}

/** Everything goes to one server. */
export function createSingleRoute(connection: Connection): Routes {
  return {
    single: true,
    connectionOf: () => connection,
    connectionTo: () => connection,
    moved: () => undefined,
    refresh: () => undefined,
    close: () => connection.close(),
  };
}
