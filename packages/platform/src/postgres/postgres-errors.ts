import { Status } from "@chirrup/grpc";
import pg from "pg";
import { DomainError } from "../errors/index.ts";

// Appendix A of the PostgreSQL manual, "PostgreSQL Error Codes".
const uniqueViolation = "23505";
const checkViolation = "23514";
const serializationFailure = "40001";
const deadlockDetected = "40P01";
const readOnly = "25006";
const invalidStatementName = "26000";

/** Codes that say "not now" rather than "not like this". Class 08 and 53 belong to them as a whole. */
const unavailableCodes: Readonly<Record<string, string>> = {
  [readOnly]: "the database is read-only for the moment", // a failover made this server a standby
  "25P03": "the database ended an idle transaction",
  "40003": "the database did not say whether the write was done",
  "55P03": "the database is busy",
  "57014": "the database took too long", // statement_timeout
  "57P01": "the database is restarting",
  "57P02": "the database is restarting",
  "57P03": "the database is starting",
  "57P05": "the database ended an idle session",
};
const unavailableClasses: Readonly<Record<string, string>> = {
  "08": "the database connection was lost",
  "53": "the database is out of resources",
};

const socketCodes: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "ENOTFOUND",
  "EPIPE",
  "ETIMEDOUT",
]);

/** What `pg` and `pg-pool` say of a dead connection; these errors have no code. */
const lostConnection =
  /^(Connection terminated|Query read timeout|Client (has encountered a connection error|was closed)|Cannot use a pool)/;

/** What `pg-pool` says when no connection became free in time; a failed attempt to connect says otherwise. */
const poolTimeout = "timeout exceeded when trying to connect";

const retryAfterMs = 1_000;

/** True when the error is a unique violation, of the named constraint or index if one is given. */
export function isUniqueViolation(error: unknown, constraint?: string): boolean {
  return (
    error instanceof pg.DatabaseError &&
    error.code === uniqueViolation &&
    (constraint === undefined || error.constraint === constraint)
  );
}

/** True when the whole transaction may succeed if it is done once more. */
export function isTransientConflict(error: unknown): boolean {
  return (
    error instanceof pg.DatabaseError &&
    (error.code === serializationFailure || error.code === deadlockDetected)
  );
}

/** True when no partition of the table takes the row. */
function isMissingPartition(error: pg.DatabaseError): boolean {
  // A check constraint that is violated has a name, a partition that is missing has none.
  return error.code === checkViolation && error.constraint === undefined;
}

/** True when the connection does not know the prepared statement. */
export function isNotPrepared(error: unknown): boolean {
  return error instanceof pg.DatabaseError && error.code === invalidStatementName;
}

/** True when the connection that gave the error cannot be used again. */
export function endsConnection(error: unknown): boolean {
  if (error instanceof pg.DatabaseError) {
    // A server that has become a standby takes no more writes: the pool is to find the primary again.
    return error.severity === "FATAL" || error.severity === "PANIC" || error.code === readOnly;
  }
  return isLostConnection(error);
}

/**
 * UNAVAILABLE in place of an error that says the server is away, restarting or overloaded, whose text
 * may name hosts; the error itself is its cause. Any other error as it is.
 */
export function hideOutage(error: unknown): unknown {
  if (error instanceof pg.DatabaseError) {
    if (isMissingPartition(error)) return databaseUnavailable("a table has no partition for now", error);
    const code = error.code ?? "";
    const text = unavailableCodes[code] ?? unavailableClasses[code.slice(0, 2)];
    return text === undefined ? error : databaseUnavailable(text, error);
  }
  return isLostConnection(error) ? databaseUnavailable("the database connection was lost", error) : error;
}

/** True when the pool had no free connection in time. */
export function isPoolExhausted(error: unknown): boolean {
  return error instanceof Error && error.message === poolTimeout;
}

/** True for an UNAVAILABLE that says that the server is away, and not that it is busy or slow. */
export function isServerGone(error: unknown): boolean {
  if (!(error instanceof DomainError) || error.code !== Status.UNAVAILABLE) return false;
  const { cause } = error;
  if (!(cause instanceof pg.DatabaseError)) return cause instanceof Error && !isPoolExhausted(cause);
  // A conflict with what is replayed (40001) has been tried several times by then.
  return /^(?:08|57P0[123]|40001)/.test(cause.code ?? "");
}

/** UNAVAILABLE for whatever keeps the pool from giving a connection. */
export function connectFailure(error: unknown): DomainError {
  const exhausted = isPoolExhausted(error);
  return databaseUnavailable(
    exhausted ? "all database connections are busy" : "the database is not reachable",
    error,
  );
}

/** UNAVAILABLE with a text that is safe to send; the cause is for the log. */
export function databaseUnavailable(text: string, cause: unknown): DomainError {
  return new DomainError(Status.UNAVAILABLE, "UNAVAILABLE", text, { retryAfterMs, cause });
}

function isLostConnection(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = "code" in error ? error.code : undefined;
  return (typeof code === "string" && socketCodes.has(code)) || lostConnection.test(error.message);
}
