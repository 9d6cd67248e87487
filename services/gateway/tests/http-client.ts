import { Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body as JSON. */
  // oxlint-disable-next-line typescript/no-explicit-any
  json(): any;
}

export interface Ask {
  readonly headers?: Record<string, string | string[]>;
  readonly token?: string;
  /** An object is sent as JSON; a string or bytes as they are, with the JSON type unless a header says otherwise. */
  readonly body?: unknown;
}

export interface HttpClient {
  (method: string, path: string, ask?: Ask): Promise<Answer>;
  close(): void;
}

/** A client that sends what it is told, which fetch does not. */
export function createHttpClient(port: number): HttpClient {
  const agent = new Agent({ keepAlive: true });
  const send = async (
    method: string,
    path: string,
    { headers = {}, token, body }: Ask = {},
  ): Promise<Answer> => {
    const bytes =
      body === undefined || typeof body === "string" || body instanceof Uint8Array
        ? body
        : JSON.stringify(body);
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    const request = httpRequest({
      agent,
      host: "127.0.0.1",
      port,
      method,
      path,
      headers: {
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
        ...(bytes === undefined
          ? {}
          : { "content-type": "application/json", "content-length": String(Buffer.byteLength(bytes)) }),
        ...headers,
      },
    });
    request.on("error", reject);
    request.on("response", (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          text,
          json: () => JSON.parse(text),
        });
      });
    });
    request.end(bytes);
    return promise;
  };
  return Object.assign(send, { close: () => agent.destroy() });
}

/** Sends bytes as they are and reads until the server ends the connection, or until `until` has come. */
export function sendRaw(port: number, bytes: string | Uint8Array, until?: string): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connect(port, "127.0.0.1");
  let text = "";
  socket.on("connect", () => socket.write(bytes));
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
    if (until !== undefined && text.includes(until)) socket.destroy();
  });
  socket.on("error", (error) => (text === "" ? reject(error) : resolve(text)));
  socket.on("close", () => resolve(text));
  return promise;
}
