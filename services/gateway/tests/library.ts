import {
  create,
  toBinary,
  type DescMethod,
  type DescService,
  type FileRegistry,
  type Message,
} from "@bufbuild/protobuf";
import { GrpcError, serve, serviceOf, type ServerCall, type ServiceImpl, type Status } from "@chirrup/grpc";

export interface Library {
  readonly address: string;
  /** Streams whose client is there. */
  readonly watching: () => number;
  /** Metadata of the last call, by key. */
  readonly seen: () => ReadonlyMap<string, string>;
  close(): Promise<void>;
}

/** Serves tests/protos/library.proto: answers with what it understood. */
export async function serveLibrary(registry: FileRegistry): Promise<Library> {
  const service = registry.getService("library.v1.LibraryService");
  if (service === undefined) throw new Error("there is no library");
  let watching = 0;
  let seen = new Map<string, string>();

  async function* watch(method: DescMethod, request: Message, call: ServerCall): AsyncGenerator<object> {
    const { count, code, endless } = request as Message & { count: number; code: number; endless: boolean };
    watching += 1;
    try {
      for (let i = 1; i <= count; i += 1) {
        yield method.name === "Download"
          ? { contentType: "text/csv", data: Buffer.from(`line ${i}\n`) }
          : { id: BigInt(i) };
      }
      if (endless) await new Promise((resolve) => call.signal.addEventListener("abort", resolve));
      if (code !== 0) throw new GrpcError(code as Status, "the shelf fell");
    } finally {
      watching -= 1;
    }
  }

  const methods = service.methods.map((method) => [
    method.localName,
    (request: Message, call: ServerCall) => {
      seen = new Map(call.metadata.entries());
      call.responseHeaders.set("x-shelf-version", "7");
      call.responseHeaders.set("x-private", "no");
      return method.methodKind === "server_streaming"
        ? watch(method, request, call)
        : respond(method, request);
    },
  ]);
  const implementation = Object.fromEntries(methods) as unknown as ServiceImpl<DescService>;
  const server = await serve({ services: [serviceOf(service, implementation)], host: "127.0.0.1", port: 0 });
  return {
    address: `127.0.0.1:${server.port}`,
    watching: () => watching,
    seen: () => seen,
    close: () => server.close(0),
  };
}

function respond(method: DescMethod, request: Message): object {
  const fields = request as unknown as Record<string, unknown>;
  if (method.name === "GetShelf") return { id: fields["shelfId"], room: fields["room"] };
  if (method.name === "UpdateBook") return { book: fields["book"] };
  if (method.name === "Mirror") return { contentType: fields["contentType"], data: fields["data"] };
  const bytes = toBinary(method.input, request);
  return create(method.output, { method: method.name, request: bytes });
}
