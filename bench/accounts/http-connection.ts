import { connect } from "node:net";

/** One HTTP/1.1 connection, with at most one request under way. */
export interface Connection {
  /** Resolves with the status when the whole answer is there. */
  ask(request: Buffer): Promise<number>;
  close(): void;
}

const endOfHead = "\r\n\r\n";

/**
 * Costs a tenth of what fetch does, so that the generator takes little of the machine that it measures. It reads answers
 * with a Content-Length, as the gateway sends them.
 *
 * @param from - The address to call from; any of 127.0.0.0/8 on Linux.
 */
export async function openConnection(port: number, from: string): Promise<Connection> {
  const socket = connect({ host: "127.0.0.1", port, localAddress: from, noDelay: true });
  let waiting: { resolve: (status: number) => void; reject: (error: Error) => void } | undefined;
  let head = "";
  let bodyLeft = -1;
  const failed = (error: Error): void => {
    waiting?.reject(error);
    waiting = undefined;
  };
  socket.on("error", failed);
  socket.on("close", () => failed(new Error("the gateway closed the connection")));
  socket.on("data", (chunk) => {
    if (bodyLeft >= 0) bodyLeft -= chunk.length;
    else {
      head += chunk.toString("latin1");
      const end = head.indexOf(endOfHead);
      if (end < 0) return;
      bodyLeft = contentLength(head) - (head.length - end - endOfHead.length);
    }
    if (bodyLeft > 0) return;
    const status = Number(head.slice(9, 12));
    head = "";
    bodyLeft = -1;
    const { resolve } = waiting ?? {};
    waiting = undefined;
    resolve?.(status);
  });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  return {
    ask: (request) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject };
        socket.write(request);
      }),
    close: () => socket.destroy(),
  };
}

export interface Message {
  readonly method: string;
  readonly path: string;
  readonly token?: string;
  readonly body?: object;
}

export function httpRequest({ method, path, token, body }: Message): Buffer {
  const text = body === undefined ? "" : JSON.stringify(body);
  return Buffer.from(
    [
      `${method} ${path} HTTP/1.1`,
      "Host: 127.0.0.1",
      ...(token === undefined ? [] : [`Authorization: Bearer ${token}`]),
      ...(text === ""
        ? []
        : ["Content-Type: application/json", `Content-Length: ${Buffer.byteLength(text)}`]),
      "",
      text,
    ].join("\r\n"),
  );
}

function contentLength(head: string): number {
  const found = /\r\ncontent-length: *(\d+)/i.exec(head)?.[1];
  if (found === undefined) throw new Error(`an answer without Content-Length: ${head.slice(0, 200)}`);
  return Number(found);
}
