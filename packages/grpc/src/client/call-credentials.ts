import type { CallOptions, Channel } from "../channel.ts";
import { GrpcError } from "../error.ts";
import { Metadata } from "../metadata.ts";
import { Status } from "../status.ts";
import { cancelled } from "./client-call.ts";

/**
 * Metadata that proves who calls, made anew for each call: a token, say. What it throws fails the call, with
 * UNAUTHENTICATED if it is no GrpcError.
 */
export type CallCredentials = (call: {
  /** "/package.Service/Method". */
  readonly path: string;
  /** The `:authority` of the target. */
  readonly authority: string;
}) => Metadata | Promise<Metadata>;

export interface CredentialsOptions {
  readonly authority: string;
  /** Those of the channel, sent before the call's own. */
  readonly credentials: CallCredentials | undefined;
  /** Whether they may be sent. */
  readonly allowed: boolean;
  readonly defaultTimeoutMs: number | undefined;
}

/** A channel whose calls carry credentials. The deadline of a call counts from before they are asked for. */
export function withCredentials(
  channel: Required<Channel>,
  { authority, credentials, allowed, defaultTimeoutMs }: CredentialsOptions,
): Required<Channel> {
  const without = (options: CallOptions | undefined): boolean =>
    credentials === undefined && options?.credentials === undefined;

  const ready = async (path: string, options: CallOptions): Promise<CallOptions> => {
    if (!allowed) throw new GrpcError(Status.UNAUTHENTICATED, "credentials are sent over TLS alone");
    const startedMs = performance.now();
    const given: Metadata[] = [];
    for (const each of [credentials, options.credentials]) {
      if (each !== undefined) given.push(await inTime(async () => each({ path, authority }), options));
    }
    const metadata = new Metadata();
    for (const each of [options.metadata, ...given]) {
      if (each !== undefined) Metadata.each(each, (key, value) => Metadata.received(metadata, key, value));
    }
    if (options.timeoutMs === undefined) return { ...options, metadata };
    return { ...options, metadata, timeoutMs: options.timeoutMs - (performance.now() - startedMs) };
  };

  return {
    unary(path, message, options = {}) {
      if (without(options)) return channel.unary(path, message, options);
      const timeoutMs = options.timeoutMs ?? defaultTimeoutMs;
      const timed = timeoutMs === undefined ? options : { ...options, timeoutMs };
      return ready(path, timed).then((credentialed) => channel.unary(path, message, credentialed));
    },
    serverStream(path, message, options = {}) {
      if (without(options)) return channel.serverStream(path, message, options);
      return later(async () => channel.serverStream(path, message, await ready(path, options)));
    },
    duplex(path, messages, options = {}) {
      if (without(options)) return channel.duplex(path, messages, options);
      return later(async () => channel.duplex(path, messages, await ready(path, options)));
    },
    close: () => channel.close(),
  };
}

async function* later(open: () => Promise<AsyncIterable<Uint8Array>>): AsyncGenerator<Uint8Array> {
  yield* await open();
}

/** What `make` resolves to, unless the call is cancelled or its deadline passes before. */
async function inTime(make: () => Promise<Metadata>, { signal, timeoutMs }: CallOptions): Promise<Metadata> {
  const { promise: over, reject } = Promise.withResolvers<never>();
  const leave = { handleEvent: (): void => reject(cancelled(signal)) };
  const timer =
    timeoutMs === undefined
      ? undefined
      : setTimeout(() => {
          reject(new GrpcError(Status.DEADLINE_EXCEEDED, "the deadline passed before the call"));
        }, timeoutMs);
  signal?.addEventListener("abort", leave);
  if (signal?.aborted === true) leave.handleEvent();
  try {
    return await Promise.race([make(), over]);
  } catch (cause) {
    if (cause instanceof GrpcError) throw cause;
    throw new GrpcError(Status.UNAUTHENTICATED, "there are no credentials for the call", { cause });
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener("abort", leave);
  }
}
