import { connect, createServer, type Socket } from "node:net";

/** A TCP proxy before a server, to make its connections fail in the ways of a network. */
export interface SeverableProxy extends AsyncDisposable {
  /** The server's URL with the proxy's address. */
  readonly url: string;
  /** Resets all connections and accepts no more: a server that has crashed. */
  sever(): Promise<void>;
  /** Accepts connections again, at the same address. */
  restore(): Promise<void>;
  /** Passes nothing on, from now on, without a word: a cable that was pulled. */
  freeze(): void;
}

export async function severableProxy(serverUrl: string): Promise<SeverableProxy> {
  const server = new URL(serverUrl);
  const sockets = new Set<Socket>();
  const listener = createServer((client) => {
    const upstream = connect(Number(server.port), server.hostname);
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      sockets.add(from);
      from.on("error", () => undefined);
      from.on("close", () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      listener.once("error", reject);
      listener.listen(port, "127.0.0.1", () => {
        listener.off("error", reject);
        resolve();
      });
    });

  await listen(0);
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the proxy has no port");
  const url = new URL(serverUrl);
  url.hostname = "127.0.0.1";
  url.port = String(address.port);

  async function sever(): Promise<void> {
    const closed = new Promise((resolve) => listener.close(resolve));
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  }
  return {
    url: url.href,
    sever,
    restore: () => listen(address.port),
    freeze() {
      for (const socket of sockets) socket.unpipe();
    },
    async [Symbol.asyncDispose]() {
      if (listener.listening) await sever();
    },
  };
}
