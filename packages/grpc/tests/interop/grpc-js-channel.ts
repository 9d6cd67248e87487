import { once } from "node:events";

import * as grpc from "@grpc/grpc-js";

import { GrpcError, Metadata, type CallOptions, type Channel, type Status } from "../../src/index.ts";

const same = (bytes: Buffer): Buffer => bytes;
const bufferOf = (bytes: Uint8Array): Buffer => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);

/** `WriteFlags.NoCompress`, which grpc-js takes in place of a stream's encoding. */
const noCompress = "2" as BufferEncoding;

/** A grpc-js client in the form of this package's channel, so that the same cases run through both. */
export function grpcJsChannel(port: number): Channel {
  const open = (options: grpc.ClientOptions): grpc.Client =>
    new grpc.Client(`127.0.0.1:${port}`, grpc.credentials.createInsecure(), options);
  const plain = open({});
  const gzip = open({ "grpc.default_compression_algorithm": grpc.compressionAlgorithms.gzip });
  const clientOf = ({ compression }: CallOptions): grpc.Client => (compression === "gzip" ? gzip : plain);

  async function* duplex(
    path: string,
    messages: AsyncIterable<Uint8Array>,
    options: CallOptions = {},
  ): AsyncGenerator<Uint8Array> {
    const call = clientOf(options).makeBidiStreamRequest(
      path,
      same,
      same,
      metadataOf(options),
      callOptions(options),
    );
    listen(call, options);
    const sending = send(call, messages, options).catch((error: unknown) => call.destroy(error as Error));
    try {
      for await (const bytes of call as AsyncIterable<Buffer>) yield bytes;
      await sending;
    } catch (error) {
      throw grpcErrorOf(error);
    }
  }

  return {
    async unary(path, message, options = {}) {
      let headers = new Metadata();
      let trailers = new Metadata();
      const answer = await new Promise<Buffer>((resolve, reject) => {
        const call = clientOf(options).makeUnaryRequest(
          path,
          same,
          same,
          bufferOf(message),
          metadataOf(options),
          callOptions(options),
          (error, value) =>
            error === null && value !== undefined ? resolve(value) : reject(grpcErrorOf(error)),
        );
        listen(call, {
          ...options,
          onHeaders: (each) => {
            headers = each;
            options.onHeaders?.(each);
          },
          onTrailers: (each) => {
            trailers = each;
            options.onTrailers?.(each);
          },
        });
      });
      return { message: answer, headers, trailers };
    },

    async *serverStream(path, message, options = {}) {
      const call = clientOf(options).makeServerStreamRequest(
        path,
        same,
        same,
        bufferOf(message),
        metadataOf(options),
        callOptions(options),
      );
      listen(call, options);
      try {
        for await (const bytes of call as AsyncIterable<Buffer>) yield bytes;
      } catch (error) {
        throw grpcErrorOf(error);
      }
    },

    duplex,
    close() {
      plain.close();
      gzip.close();
    },
  };
}

type Listened = Pick<grpc.ClientUnaryCall, "cancel" | "on">;

function listen(call: Listened, { signal, onHeaders, onTrailers }: CallOptions): void {
  signal?.addEventListener("abort", { handleEvent: () => call.cancel() });
  call.on("metadata", (metadata: grpc.Metadata) => onHeaders?.(ours(metadata)));
  call.on("status", ({ metadata }: grpc.StatusObject) => onTrailers?.(ours(metadata)));
}

async function send(
  call: grpc.ClientDuplexStream<Buffer, Buffer>,
  messages: AsyncIterable<Uint8Array>,
  { compresses }: CallOptions,
): Promise<void> {
  for await (const message of messages) {
    const plain = compresses?.(message) === false;
    const written = plain ? call.write(bufferOf(message), noCompress) : call.write(bufferOf(message));
    if (!written) await once(call, "drain");
  }
  call.end();
}

function callOptions({ timeoutMs }: CallOptions): grpc.CallOptions {
  return timeoutMs === undefined ? {} : { deadline: Date.now() + timeoutMs };
}

function metadataOf({ metadata }: CallOptions): grpc.Metadata {
  const theirs = new grpc.Metadata();
  for (const [key, value] of metadata?.entries() ?? []) theirs.add(key, value);
  for (const [key, value] of metadata?.binaryEntries() ?? []) theirs.add(key, bufferOf(value));
  return theirs;
}

function ours(theirs: grpc.Metadata): Metadata {
  const metadata = new Metadata();
  for (const key of Object.keys(theirs.getMap())) {
    for (const value of theirs.get(key)) {
      if (typeof value === "string") metadata.append(key, value);
      else metadata.appendBinary(key, value);
    }
  }
  return metadata;
}

function grpcErrorOf(error: unknown): GrpcError {
  const { code, details } = error as grpc.ServiceError;
  return new GrpcError(code as number as Status, details, { cause: error });
}
