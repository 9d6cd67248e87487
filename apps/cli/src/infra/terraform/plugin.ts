import { createServer, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { BinaryWriter, WireType } from "@bufbuild/protobuf/wire";
import type { Block, NestedBlock, ProviderSchema } from "./provider-schema.ts";

/** A provider that knows its schema and does nothing: enough for `validate` and for tests with a mocked provider. */
export interface Plugin {
  /** TF_REATTACH_PROVIDERS for Terraform. */
  readonly reattach: string;
  close(): void;
}

/** The numbers are those of Terraform's plugin protocol, version 5 (tfplugin5.proto). */
const nesting = { single: 1, list: 2 } as const;

type Write = (writer: BinaryWriter) => void;
const message = (field: number, write: Write) => (writer: BinaryWriter) => {
  writer.tag(field, WireType.LengthDelimited).fork();
  write(writer);
  writer.join();
};
const text = (writer: BinaryWriter, field: number, value: string): void => {
  writer.tag(field, WireType.LengthDelimited).string(value);
};
const flag = (writer: BinaryWriter, field: number, value: boolean): void => {
  if (value) writer.tag(field, WireType.Varint).bool(true);
};

function writeBlock({ attributes, blocks }: Block): Write {
  return (writer) => {
    for (const [name, { type, required, optional, computed }] of Object.entries(attributes)) {
      message(2, (attribute) => {
        text(attribute, 1, name);
        attribute.tag(2, WireType.LengthDelimited).bytes(new TextEncoder().encode(JSON.stringify(type)));
        flag(attribute, 4, required);
        flag(attribute, 5, optional);
        flag(attribute, 6, computed);
      })(writer);
    }
    for (const [name, nested] of Object.entries(blocks)) message(3, writeNested(name, nested))(writer);
  };
}

function writeNested(name: string, { block, nesting: kind, min, max }: NestedBlock): Write {
  return (writer) => {
    text(writer, 1, name);
    message(2, writeBlock(block))(writer);
    writer.tag(3, WireType.Varint).uint32(nesting[kind]);
    if (min > 0) writer.tag(4, WireType.Varint).int64(min);
    if (max > 0) writer.tag(5, WireType.Varint).int64(max);
  };
}

const schema = (block: Block): Write => message(2, writeBlock(block));
const entries =
  (field: number, blocks: Record<string, Block>): Write =>
  (writer) => {
    for (const [name, block] of Object.entries(blocks)) {
      message(field, (entry) => {
        text(entry, 1, name);
        message(2, schema(block))(entry);
      })(writer);
    }
  };

function schemaResponse({ provider, resources, dataSources }: ProviderSchema): Uint8Array {
  const writer = new BinaryWriter();
  message(1, schema(provider))(writer);
  entries(2, resources)(writer);
  entries(3, dataSources)(writer);
  return writer.finish();
}

/** Serves a schema on the loopback, as the process that Terraform is told to attach to. */
export async function servePlugin(source: string, served: ProviderSchema): Promise<Plugin> {
  const response = schemaResponse(served);
  const server: Http2Server = createServer();
  server.on("stream", (stream: ServerHttp2Stream, headers) => {
    const path = String(headers[":path"]);
    const chunks: Buffer[] = [];
    stream.on("error", () => undefined);
    // The channels of the plugin library itself, which say nothing here.
    if (path.startsWith("/plugin.")) {
      stream.respond(
        { ":status": 200, "content-type": "application/grpc", "grpc-status": "12" },
        { endStream: true },
      );
      return;
    }
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      const request = Buffer.concat(chunks).subarray(5);
      // PrepareProviderConfig answers with the configuration it was given: field 1 on both sides.
      const answer = path.endsWith("/GetSchema")
        ? response
        : path.endsWith("/PrepareProviderConfig")
          ? request
          : new Uint8Array();
      const head = Buffer.alloc(5);
      head.writeUInt32BE(answer.length, 1);
      stream.respond({ ":status": 200, "content-type": "application/grpc" }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(Buffer.concat([head, answer]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const reattach = JSON.stringify({
    [source]: {
      Protocol: "grpc",
      ProtocolVersion: 5,
      Pid: process.pid,
      Test: true,
      Addr: { Network: "tcp", String: `127.0.0.1:${port}` },
    },
  });
  return { reattach, close: () => server.close() };
}
