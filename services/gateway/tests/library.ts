import {
  create,
  toBinary,
  type DescMethod,
  type DescService,
  type FileRegistry,
  type Message,
} from "@bufbuild/protobuf";
import { GrpcError, serve, serviceOf, type ServerCall, Status, type ServiceImpl } from "@chirrup/grpc";

export interface Library {
  readonly address: string;
  /** Streams whose client is there. */
  readonly watching: () => number;
  /** Metadata of the last call, by key. */
  readonly seen: () => ReadonlyMap<string, string>;
  /** How many unary calls came. */
  readonly calls: () => number;
  /** So many of the next unary calls end as one does whose connection is lost. */
  loseNext(count: number): void;
  /** What answers name as their status from now on; "" for nothing. */
  nameStatus(named: string): void;
  close(): Promise<void>;
}

/** Serves the services of tests/protos: they answer with what they understood. */
export async function serveLibrary(registry: FileRegistry): Promise<Library> {
  const services = ["library.v1.LibraryService", "everything.v1.EverythingService"].map((name) => {
    const service = registry.getService(name);
    if (service === undefined) throw new Error(`there is no ${name}`);
    return service;
  });
  let watching = 0;
  let calls = 0;
  let losses = 0;
  let status = "";
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

  const implement = (service: DescService): ServiceImpl<DescService> => {
    const methods = service.methods.map((method) => [
      method.localName,
      (request: Message, call: ServerCall) => {
        seen = new Map(call.metadata.entries());
        call.responseHeaders.set("x-shelf-version", "7");
        call.responseHeaders.set("x-private", "no");
        if (status !== "") call.responseHeaders.set("x-http-code", status);
        if (method.methodKind === "server_streaming") return watch(method, request, call);
        calls += 1;
        losses -= 1;
        if (losses >= 0) throw new GrpcError(Status.UNAVAILABLE, "the connection was lost");
        return respond(method, request);
      },
    ]);
    return Object.fromEntries(methods);
  };
  const server = await serve({
    services: services.map((service) => serviceOf(service, implement(service))),
    host: "127.0.0.1",
    port: 0,
  });
  return {
    address: `127.0.0.1:${server.port}`,
    watching: () => watching,
    seen: () => seen,
    calls: () => calls,
    loseNext(count) {
      losses = count;
    },
    nameStatus(named) {
      status = named;
    },
    close: () => server.close(0),
  };
}

function respond(method: DescMethod, request: Message): object {
  if (method.output === method.input) return request;
  const fields = request as unknown as Record<string, unknown>;
  if (method.name === "GetShelf") return { id: fields["shelfId"], room: fields["room"] };
  if (method.name === "UpdateBook" || method.name === "CreateBook") return { book: fields["book"] };
  const bytes = toBinary(method.input, request);
  return create(method.output, { method: method.name, request: bytes });
}
