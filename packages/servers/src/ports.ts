import { createServer } from "node:net";

const loopback = "127.0.0.1";

function listenOnce(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen({ host: loopback, port, exclusive: true }, () => {
      const address = server.address();
      server.close(() => {
        if (address === null || typeof address === "string") reject(new Error("no TCP address"));
        else resolve(address.port);
      });
    });
  });
}

/**
 * Below the range from which Linux and macOS take the ports of outgoing connections: between the choice and
 * the listening, which is half a minute for a server that starts late, a client could be given the port.
 */
const [firstPort, lastPort] = [15_000, 32_000];

/** Ports handed out lately: two callers in a row must not get the same one before either listens. */
const handedOut = new Set<number>();

/**
 * A TCP port of 127.0.0.1 on which nobody listens. It is free when this returns; the kernel may give it
 * to somebody else until the caller listens.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + Math.floor(Math.random() * (lastPort - firstPort));
    if (handedOut.has(port) || !(await portIsFree(port))) continue;
    handedOut.add(port);
    return port;
  }
}

/** Whether a listener on 127.0.0.1 could have this port now. */
export async function portIsFree(port: number): Promise<boolean> {
  try {
    await listenOnce(port);
    return true;
  } catch {
    return false;
  }
}
