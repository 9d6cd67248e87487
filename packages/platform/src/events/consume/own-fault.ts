import { GrpcError, Status } from "@chirrup/grpc";
import pg from "pg";
import { DomainError } from "../../errors/index.ts";

const refusals: ReadonlySet<Status> = new Set<Status>([
  Status.INVALID_ARGUMENT,
  Status.OUT_OF_RANGE,
  Status.FAILED_PRECONDITION,
  Status.NOT_FOUND,
  Status.ALREADY_EXISTS,
]);

const bugs = [TypeError, RangeError, ReferenceError, SyntaxError];

/**
 * Whether a handler failed by what lies in the event or in its own code, so that a repetition hardly helps: a bug, a row
 * that the database refuses, a peer's refusal. What may be an outage is none, nor what befalls every event alike (a wrong
 * secret, a peer that fails inside): then the log is the right place for events to wait in.
 */
export function isOwnFault(error: unknown): boolean {
  if (error instanceof GrpcError || error instanceof DomainError) return refusals.has(error.code);
  // Outages and conflicts of Postgres come as UNAVAILABLE.
  if (error instanceof pg.DatabaseError) return true;
  // With a cause it is somebody else's: `fetch` says by a TypeError that the network is away.
  return error instanceof Error && error.cause === undefined && bugs.some((bug) => error instanceof bug);
}
