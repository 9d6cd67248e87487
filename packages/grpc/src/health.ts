import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Health as HealthService,
  HealthCheckResponseSchema,
  HealthCheckResponse_ServingStatus as ServingStatus,
  type HealthCheckResponse,
} from "@chirrup/proto/grpc/health/v1/health";

import { GrpcError } from "./error.ts";
import { serviceOf, type ServiceDefinition } from "./service.ts";
import { Status } from "./status.ts";

/** The state behind `grpc.health.v1.Health` (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). */
export interface Health {
  /** The service to serve beside the others; `serve` adds it. */
  readonly definition: ServiceDefinition;
  /** Sets the state of "package.Service", or of the whole server with "". A new server is serving. */
  set(service: string, serving: boolean): void;
  /** Everything stops serving for good, and those who watch are told so and let go. */
  shutdown(): void;
}

export function createHealth(): Health {
  const states = new Map<string, ServingStatus>([["", ServingStatus.SERVING]]);
  const wakers = new Set<() => void>();
  let stopped = false;

  const wake = (): void => {
    for (const waker of wakers) waker();
  };

  async function* watch(
    service: string,
    signal: AbortSignal,
  ): AsyncGenerator<MessageInitShape<typeof HealthCheckResponseSchema>> {
    let told: ServingStatus | undefined;
    while (!signal.aborted) {
      const status = states.get(service) ?? ServingStatus.SERVICE_UNKNOWN;
      if (status !== told) {
        told = status;
        yield { status };
        // The state may have changed while the message was on its way.
        continue;
      }
      if (stopped) return;
      await new Promise<void>((resolve) => {
        const done = (): void => {
          wakers.delete(done);
          signal.removeEventListener("abort", done);
          resolve();
        };
        wakers.add(done);
        signal.addEventListener("abort", done);
      });
    }
  }

  const definition = serviceOf(HealthService, {
    check({ service }) {
      const status = states.get(service);
      if (status === undefined) throw new GrpcError(Status.NOT_FOUND, `unknown service ${service}`);
      return { status };
    },
    list() {
      const statuses: Record<string, HealthCheckResponse> = {};
      for (const [service, status] of states)
        statuses[service] = create(HealthCheckResponseSchema, { status });
      return { statuses };
    },
    watch: ({ service }, call) => watch(service, call.signal),
  });

  return {
    definition,
    set(service, serving) {
      if (stopped) return;
      states.set(service, serving ? ServingStatus.SERVING : ServingStatus.NOT_SERVING);
      wake();
    },
    shutdown() {
      if (stopped) return;
      stopped = true;
      for (const service of states.keys()) states.set(service, ServingStatus.NOT_SERVING);
      wake();
    },
  };
}
