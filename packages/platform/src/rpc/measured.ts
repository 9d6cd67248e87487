import { GrpcError, Status, statusName, type Channel } from "@chirrup/grpc";

import type { Metrics } from "../metrics/index.ts";

/** The same channel, with the time that its unary calls take. */
export function measured(channel: Channel, metrics: Metrics): Channel {
  const duration = metrics.histogram({
    name: "rpc_client_duration_seconds",
    help: "Time from a unary call to its status, as its client sees it.",
    labels: ["method", "code"],
  });
  return {
    async unary(path, message, options) {
      const startedMs = performance.now();
      let code: Status = Status.OK;
      try {
        return await channel.unary(path, message, options);
      } catch (error) {
        code = error instanceof GrpcError ? error.code : Status.UNKNOWN;
        throw error;
      } finally {
        duration.observe({ method: path, code: statusName(code) }, (performance.now() - startedMs) / 1000);
      }
    },
    serverStream: (path, message, options) => channel.serverStream(path, message, options),
    close: () => channel.close(),
  };
}
