import {
  create,
  type DescMessage,
  type DescMethod,
  type DescService,
  fromBinary,
  type MessageInitShape,
  toBinary,
} from "@bufbuild/protobuf";
import { type CallOptions, type Channel, GrpcError, Metadata, Status } from "@chirrup/grpc";
import { type Call, createLogger, type Handlers, metadataKeys } from "@chirrup/platform";

type AnyHandler = (request: unknown, call: Call) => unknown;

const log = createLogger({ service: "test", level: "silent", format: "json" });

const neverAborted = new AbortController().signal;

/**
 * A channel to handlers in this process: messages are encoded and decoded as on the wire, and there is no wire. For
 * tests that make so many calls that HTTP/2 would be most of what they do.
 */
export function localChannel<S extends DescService>(service: S, some: Partial<Handlers<S>>): Channel {
  const handlers = some as Readonly<Record<string, AnyHandler | undefined>>;
  const methods = new Map<string, DescMethod>(
    service.methods.map((method) => [`/${service.typeName}/${method.name}`, method]),
  );
  function find(path: string): { method: DescMethod; handler: AnyHandler } {
    const method = methods.get(path);
    const handler = method && handlers[method.localName];
    if (method === undefined || handler === undefined) throw new GrpcError(Status.UNIMPLEMENTED, path);
    return { method, handler };
  }
  const encode = ({ output }: DescMethod, answer: unknown): Uint8Array =>
    toBinary(output, create(output, answer as MessageInitShape<DescMessage>));

  return {
    async unary(path, message, options = {}) {
      throwIfAborted(options);
      const { method, handler } = find(path);
      const answer = await handler(fromBinary(method.input, message), callOf(options));
      // The caller may have died since it asked.
      throwIfAborted(options);
      return { message: encode(method, answer), headers: new Metadata(), trailers: new Metadata() };
    },
    async *serverStream(path, message, options = {}) {
      throwIfAborted(options);
      const { method, handler } = find(path);
      const answers = handler(fromBinary(method.input, message), callOf(options)) as AsyncIterable<unknown>;
      for await (const answer of answers) {
        throwIfAborted(options);
        yield encode(method, answer);
      }
    },
    close: () => undefined,
  };
}

function throwIfAborted({ signal }: CallOptions): void {
  if (signal?.aborted === true) throw signal.reason as Error;
}

function callOf({ metadata, signal }: CallOptions): Call {
  const userId = metadata?.get(metadataKeys.userId);
  const readsPrimary = metadata?.get(metadataKeys.reads) === "primary";
  return {
    caller: userId === undefined ? undefined : { userId: BigInt(userId), sessionId: 1n },
    requestId: "test",
    traceparent: "",
    idempotencyKey: undefined,
    clientAddress: "",
    userAgent: "",
    consistency: metadata?.getAll(metadataKeys.consistency) ?? [],
    readsPrimary,
    log,
    signal: neverAborted,
    deadlineMs: undefined,
    onward({ readsPrimary: decides = false } = {}) {
      const onward = new Metadata();
      for (const [key, value] of metadata?.entries() ?? []) onward.append(key, value);
      if (decides) onward.set(metadataKeys.reads, "primary");
      return { ...(signal === undefined ? {} : { signal }), metadata: onward };
    },
  };
}
