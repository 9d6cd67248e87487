import { connect } from "node:net";

/** One request of the mix. */
export interface Ask {
  readonly kind: Kind;
  readonly bytes: Buffer;
}

export const kinds = ["home", "user_posts", "compose"] as const;
export type Kind = (typeof kinds)[number];

/** What came back: how long each took, in milliseconds, by kind. */
export interface Answers {
  readonly tookMs: Readonly<Record<Kind, readonly number[]>>;
  readonly seconds: number;
  readonly requests: number;
}

interface Sending {
  readonly port: number;
  readonly connections: number;
  readonly next: () => Ask;
}

type Took = Record<Kind, number[]>;

const nothing = (): Took => ({ home: [], user_posts: [], compose: [] });
const total = (took: Took): number => kinds.reduce((sum, kind) => sum + took[kind].length, 0);

/** Each connection asks again when it has its answer, until so many were asked. */
export async function closedLoop({ port, connections, next }: Sending, requests: number): Promise<Answers> {
  const took = nothing();
  let asked = 0;
  const startedMs = performance.now();
  const one = async (): Promise<void> => {
    await using line = await open(port);
    while (asked < requests) {
      asked += 1;
      const { kind, bytes } = next();
      const sentMs = performance.now();
      await line.ask(bytes);
      took[kind].push(performance.now() - sentMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return { tookMs: took, seconds: (performance.now() - startedMs) / 1_000, requests: total(took) };
}

/**
 * Asks at a rate, whatever the answers: a request is due at its time and waits for a free connection if need be, and
 * its time counts from when it was due. Nothing is left out when the platform stalls.
 */
export async function openLoop(
  { port, connections, next }: Sending,
  perSecond: number,
  requests: number,
): Promise<Answers> {
  const took = nothing();
  let asked = 0;
  const startedMs = performance.now();
  const one = async (): Promise<void> => {
    await using line = await open(port);
    while (asked < requests) {
      const dueMs = startedMs + (asked * 1_000) / perSecond;
      asked += 1;
      const { kind, bytes } = next();
      const waitMs = dueMs - performance.now();
      if (waitMs > 0) await new Promise((resolve) => setTimeout(resolve, waitMs));
      await line.ask(bytes);
      took[kind].push(performance.now() - dueMs);
    }
  };
  await Promise.all(Array.from({ length: connections }, one));
  return { tookMs: took, seconds: (performance.now() - startedMs) / 1_000, requests: total(took) };
}

interface Line extends AsyncDisposable {
  /** Resolves to the body. Rejects for anything but 200. */
  ask(request: Buffer): Promise<string>;
}

/**
 * A connection, by hand over its socket: a client of the usual kind takes more of the machine than the part of the
 * platform that answers.
 */
export async function open(port: number): Promise<Line> {
  const socket = connect({ port, host: "127.0.0.1", noDelay: true });
  await new Promise<void>((resolve, reject) => {
    socket.once("connect", resolve);
    socket.once("error", reject);
  });
  let received = "";
  let waiting: PromiseWithResolvers<string> | undefined;
  socket.setEncoding("utf8");
  socket.on("data", (chunk: string) => {
    received = received === "" ? chunk : received + chunk;
    const headEnd = received.indexOf("\r\n\r\n");
    if (headEnd < 0 || !isWhole(received, headEnd)) return;
    const answer = received;
    received = "";
    if (answer.startsWith("HTTP/1.1 200 ")) waiting?.resolve(answer.slice(headEnd + 4));
    else waiting?.reject(new Error(`answered ${answer.slice(0, 500)}`));
  });
  socket.on("error", (error) => waiting?.reject(error));
  socket.on("close", () => waiting?.reject(new Error("a connection was closed")));
  return {
    ask(request) {
      waiting = Promise.withResolvers<string>();
      socket.write(request);
      return waiting.promise;
    },
    [Symbol.asyncDispose]() {
      socket.destroy();
      return Promise.resolve();
    },
  };
}

/** Of an answer whose body has its length in front, or ends with an empty chunk. */
function isWhole(received: string, headEnd: number): boolean {
  const length = /\r\ncontent-length: (\d+)/i.exec(received.slice(0, headEnd))?.[1];
  if (length === undefined) return received.endsWith("\r\n0\r\n\r\n");
  return Buffer.byteLength(received) >= headEnd + 4 + Number(length);
}

/** The bytes of a request. */
export function requestOf(method: "GET" | "POST", path: string, token?: string, body?: unknown): Buffer {
  const content = body === undefined ? "" : JSON.stringify(body);
  const lines = [`${method} ${path} HTTP/1.1`, "host: 127.0.0.1"];
  if (token !== undefined) lines.push(`authorization: Bearer ${token}`);
  if (body !== undefined) {
    lines.push("content-type: application/json", `content-length: ${Buffer.byteLength(content)}`);
  }
  return Buffer.from(`${lines.join("\r\n")}\r\n\r\n${content}`);
}

/** The value below which a share of the values lies (nearest rank). */
export function percentile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}
