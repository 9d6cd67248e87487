import type { CallOptions, Channel, UnaryResponse } from "../channel.ts";

/**
 * Wraps every call of a channel: may change its options before, sees its outcome after, may call `next` again or not at
 * all. Streams of either direction go through `stream`; they begin when their first answer is asked for.
 */
export interface ClientInterceptor {
  /** `path` is "/package.Service/Method". */
  unary(
    path: string,
    options: CallOptions,
    next: (options: CallOptions) => Promise<UnaryResponse>,
  ): Promise<UnaryResponse>;
  stream(
    path: string,
    options: CallOptions,
    next: (options: CallOptions) => AsyncIterable<Uint8Array>,
  ): AsyncIterable<Uint8Array>;
}

/** A channel whose calls go through the interceptor first. */
export function intercepted(channel: Required<Channel>, interceptor: ClientInterceptor): Required<Channel> {
  return {
    unary: async (path, message, call = {}) =>
      interceptor.unary(path, call, async (options) => channel.unary(path, message, options)),
    serverStream: (path, message, call = {}) =>
      interceptor.stream(path, call, (options) => channel.serverStream(path, message, options)),
    duplex: (path, messages, call = {}) =>
      interceptor.stream(path, call, (options) => channel.duplex(path, messages, options)),
    close: () => channel.close(),
  };
}
