import { create, toBinary, type FileRegistry, type Message } from "@bufbuild/protobuf";
import type { DescMethodUnary, DescService } from "@bufbuild/protobuf";
import { serve, serviceOf, type ServiceImpl } from "@chirrup/grpc";

/** Serves tests/protos/library.proto: answers with what it understood. */
export async function serveLibrary(
  registry: FileRegistry,
): Promise<{ address: string; close(): Promise<void> }> {
  const service = registry.getService("library.v1.LibraryService");
  if (service === undefined) throw new Error("there is no library");
  const methods = service.methods.map((method) => [
    method.localName,
    (request: Message) => respond(method as DescMethodUnary, request),
  ]);
  const implementation = Object.fromEntries(methods) as unknown as ServiceImpl<DescService>;
  const server = await serve({ services: [serviceOf(service, implementation)], host: "127.0.0.1", port: 0 });
  return { address: `127.0.0.1:${server.port}`, close: () => server.close(0) };
}

function respond(method: DescMethodUnary, request: Message): object {
  const fields = request as unknown as Record<string, unknown>;
  if (method.name === "GetShelf") return { id: fields["shelfId"], room: fields["room"] };
  if (method.name === "UpdateBook") return { book: fields["book"] };
  const bytes = toBinary(method.input, request);
  return create(method.output, { method: method.name, request: bytes });
}
