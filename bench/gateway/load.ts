import { readdirSync, readFileSync } from "node:fs";
import { connect } from "node:net";

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly requests: number;
  /** Connections, each with one request under way. */
  readonly concurrency: number;
  readonly tokens: readonly string[];
}

export interface Round {
  /** In the process `pid`, for each request. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/**
 * Sends requests of all the tokens in turn, and measures the process that answers them. Rejects for any but 200.
 *
 * By hand over sockets: a client of the usual kind costs more for each request than the gateway does, so that the
 * gateway would wait for it, and pay a system call for each message where under load it pays one for many.
 */
export async function runRound(pid: number, load: Load): Promise<Round> {
  const { port, path, requests, concurrency, tokens } = load;
  const heads = tokens.map((token) =>
    Buffer.from(
      `GET ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\nauthorization: Bearer ${token}\r\n\r\n`,
      "latin1",
    ),
  );
  const took: number[] = [];
  let sent = 0;
  const next = (): Buffer | undefined => {
    if (sent >= requests) return undefined;
    sent += 1;
    return heads[sent % heads.length];
  };
  const before = cpuNs(pid);
  await Promise.all(Array.from({ length: concurrency }, () => client(port, next, took)));
  const cpuUs = Number(cpuNs(pid) - before) / 1_000 / requests;
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { cpuUs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

/** One connection that asks until there is nothing more to ask. */
function client(port: number, next: () => Buffer | undefined, took: number[]): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  let sentMs = 0;
  let received = "";
  const ask = (): void => {
    const request = next();
    if (request === undefined) {
      socket.end();
      resolve();
      return;
    }
    sentMs = performance.now();
    socket.write(request);
  };
  socket.setEncoding("latin1");
  socket.on("connect", ask);
  socket.on("data", (chunk: string) => {
    received = received === "" ? chunk : received + chunk;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0) return;
    if (!received.startsWith("HTTP/1.1 200 ")) {
      reject(new Error(`answered ${received}`));
      return;
    }
    if (!isWhole(received, headEnd)) return;
    received = "";
    took.push(performance.now() - sentMs);
    ask();
  });
  socket.on("error", reject);
  socket.on("close", () => reject(new Error("a connection was closed")));
  return promise.finally(() => socket.destroy());
}

/** Of an answer whose body has its length in front, or ends with an empty chunk. */
function isWhole(received: string, headEnd: number): boolean {
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1];
  if (length === undefined) return received.endsWith("\r\n0\r\n\r\n");
  return received.length >= headEnd + 4 + Number(length);
}

/** What all threads of a process have run, in nanoseconds (proc(5), schedstat). */
function cpuNs(pid: number): bigint {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.reduce((sum, thread) => {
    const [ran = "0"] = readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "latin1").split(" ");
    return sum + BigInt(ran);
  }, 0n);
}
