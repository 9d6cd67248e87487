import { once } from "node:events";

import { fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  Client,
  credentials,
  Server,
  ServerCredentials,
  type sendUnaryData,
  type ServerUnaryCall,
  type ServerWritableStream,
} from "@grpc/grpc-js";

import { answerOf, askPath, LoadSchema, poured, pourPath } from "./service.ts";
import { runClient, runServer } from "./worker.ts";

type Load = ReturnType<typeof answerOf>;

const identity = (bytes: Buffer): Buffer => bytes;
const [role, port] = process.argv.slice(2);

async function pour(call: ServerWritableStream<Load, Load>): Promise<void> {
  for (const load of poured(call.request.count)) if (!call.write(load)) await once(call, "drain");
  call.end();
}

if (role === "server") {
  const server = new Server();
  const codec = {
    requestStream: false,
    requestSerialize: identity,
    requestDeserialize: (bytes: Buffer): Load => fromBinary(LoadSchema, bytes),
    responseSerialize: (load: Load): Buffer => {
      const bytes = toBinary(LoadSchema, load);
      return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    },
    responseDeserialize: identity,
  };
  server.addService(
    {
      ask: { path: askPath, responseStream: false, ...codec },
      pour: { path: pourPath, responseStream: true, ...codec },
    },
    {
      ask: (call: ServerUnaryCall<Load, Load>, callback: sendUnaryData<Load>) =>
        callback(null, answerOf(call.request.count)),
      pour: (call: ServerWritableStream<Load, Load>) => {
        void pour(call);
      },
    },
  );
  server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
    if (error !== null) throw error;
    runServer(bound);
  });
} else {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure());
  runClient({
    ask: async (request) =>
      new Promise((resolve, reject) => {
        client.makeUnaryRequest(askPath, identity, identity, Buffer.from(request), (error, value) =>
          error === null && value !== undefined ? resolve(value) : reject(error ?? new Error("no answer")),
        );
      }),
    pour: (request) => client.makeServerStreamRequest(pourPath, identity, identity, Buffer.from(request)),
  });
}
