import { once } from "node:events";
import { connect, createServer, type AddressInfo } from "node:net";

import { FrameReader } from "../../src/http2/frame-reader.ts";
import { FrameType } from "../../src/http2/protocol.ts";

export interface CompressionTap extends AsyncDisposable {
  readonly port: number;
  /** The compressed flags of the answers since this was last called, in order. */
  flags(): readonly boolean[];
}

/** Stands between a client and the server at `port`, and reads off the wire which answers are compressed. */
export async function tapCompression(port: number): Promise<CompressionTap> {
  let flags: boolean[] = [];
  const close = new AbortController();
  const proxy = createServer((client) => {
    const server = connect(port, "127.0.0.1");
    const reader = new FrameReader((type, _, streamId, buffer, start, end) => {
      if (type === FrameType.DATA) read(streamId, buffer.subarray(start, end));
      return true;
    });
    // One stream at a time is looked at: what is left of its messages.
    const parts = new Map<number, Buffer>();
    const read = (streamId: number, data: Buffer): void => {
      let rest = Buffer.concat([parts.get(streamId) ?? Buffer.alloc(0), data]);
      while (rest.length >= 5 && rest.length >= 5 + rest.readUInt32BE(1)) {
        flags.push(rest[0] === 1);
        rest = rest.subarray(5 + rest.readUInt32BE(1));
      }
      parts.set(streamId, rest);
    };
    server.on("data", (chunk: Buffer) => reader.push(chunk));
    for (const socket of [client, server]) {
      socket.on("error", () => {});
      close.signal.addEventListener("abort", () => socket.destroy());
    }
    client.pipe(server).pipe(client);
  });
  proxy.listen(0, "127.0.0.1");
  await once(proxy, "listening");
  return {
    port: (proxy.address() as AddressInfo).port,
    flags() {
      const seen = flags;
      flags = [];
      return seen;
    },
    async [Symbol.asyncDispose]() {
      proxy.close();
      close.abort();
      await once(proxy, "close");
    },
  };
}
