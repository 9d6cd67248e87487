import { Status, statusName, type GrpcError, type ServerCall } from "@chirrup/grpc";

import { DomainError } from "../errors/index.ts";
import type { Logger } from "../log/index.ts";
import type { Metrics } from "../metrics/index.ts";
import type { Call } from "./call.ts";

/** Writes down how each call went. */
export interface Observer {
  /** `error` is what was thrown, undefined for OK; `call` is undefined when it was refused before it was read. */
  ended(
    serverCall: ServerCall,
    call: Call | undefined,
    startedMs: number,
    error: GrpcError | undefined,
  ): void;
}

const slowMs = 1_000;

/** Something is wrong with this process. */
const faults: ReadonlySet<Status> = new Set<Status>([Status.UNKNOWN, Status.INTERNAL, Status.DATA_LOSS]);
/** Something may be wrong around this process. */
const strains: ReadonlySet<Status> = new Set<Status>([
  Status.UNAVAILABLE,
  Status.DEADLINE_EXCEEDED,
  Status.RESOURCE_EXHAUSTED,
]);

export function createObserver(log: Logger, metrics: Metrics): Observer {
  const duration = metrics.histogram({
    name: "rpc_server_duration_seconds",
    help: "Time from a call's arrival to its status; of a stream, to its end.",
    labels: ["method", "code"],
  });
  return {
    ended(serverCall, call, startedMs, error) {
      const ms = performance.now() - startedMs;
      const code = error?.code ?? Status.OK;
      const status = statusName(code);
      duration.observe({ method: serverCall.path, code: status }, ms / 1000);

      // Refused on purpose, and perhaps in a flood: the histogram counts them, a line of each would cost more than they do.
      const shed = code === Status.RESOURCE_EXHAUSTED && error?.cause instanceof DomainError;
      const level = shed ? "debug" : levelOf(code, serverCall.method.methodKind === "unary" ? ms : 0);
      if (!log.isLevelEnabled(level)) return;
      const withCause = faults.has(code) || strains.has(code);
      log[level](
        {
          requestId: call?.requestId,
          method: serverCall.path,
          status,
          ms: Math.round(ms * 10) / 10,
          callerId: call?.caller?.userId.toString(),
          ...(withCause && error !== undefined ? { err: error.cause ?? error } : {}),
        },
        "rpc",
      );
    },
  };
}

function levelOf(code: Status, ms: number): "debug" | "info" | "warn" | "error" {
  if (faults.has(code)) return "error";
  if (strains.has(code)) return "warn";
  if (code === Status.CANCELLED) return "debug";
  return code === Status.OK && ms < slowMs ? "debug" : "info";
}
