import { connect, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import type { Logger } from "../../log/index.ts";
import { encodeCommand } from "./encode-command.ts";
import { createReplyParser, RedisError, type Reply } from "./reply-parser.ts";

/** Some commands that leave together, and what becomes of their replies. */
export interface Request {
  /** Replies that are awaited, at least 1. */
  readonly replies: number;
  /** Called when the commands leave. Gives them in pieces, one character for each byte. */
  encode(write: (piece: string) => void): void;
  take(reply: Reply): void;
  /** Called after the last reply. */
  done(): void;
  /** No more replies will come: what was sent may have been done or not. */
  fail(error: Error): void;
}

/** One connection to one server, opened anew for ever when it is lost. */
export interface Connection {
  readonly address: string;
  /** True when a command that is sent now leaves now, or behind others that have left. */
  readonly ready: boolean;
  /** Requests leave in the order in which they came. */
  send(request: Request): void;
  /** Fails everything that waits, and opens nothing any more. */
  close(): void;
}

export interface ConnectionOptions {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username?: string | undefined;
  readonly password?: string | undefined;
  /** Logical database; 0 in a cluster. */
  readonly database: number;
  /** Shown by CLIENT LIST. */
  readonly name: string;
  readonly timeoutMs: number;
  /** Replies that may be outstanding; what comes beyond waits its turn. One larger request may go alone. */
  readonly maxInFlight: number;
  readonly log: Logger;
  /** The connection was lost, or could not be made. */
  readonly onDown?: (() => void) | undefined;
}

interface Waiting {
  readonly request: Request;
  readonly dueMs: number;
  left: number;
}

const firstRetryMs = 50;
const longestRetryMs = 2_000;
const connectTimeoutMs = 2_000;
/**
 * So much is written at once, without waiting for what else the turn of the event loop brings: the server begins with
 * a long request while the rest of it is encoded.
 */
const writeNowLength = 32_768;

/**
 * What is sent in one turn of the event loop leaves in one write. A request that is not answered within the timeout
 * takes the connection with it: a server that is silent for so long is stuck or out of reach.
 */
export function createConnection(options: ConnectionOptions): Connection {
  const { host, port, name, timeoutMs, maxInFlight, log, onDown } = options;
  const address = host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
  /** Waiting for their turn, and waiting for their replies; each from an index on, to be cheap to shift. */
  let queue: Waiting[] = [];
  let sent: Waiting[] = [];
  let firstSent = 0;
  let inFlight = 0;
  let out = "";
  let socket: Socket | undefined;
  let ready = false;
  let full = false;
  let flushing = false;
  let closed = false;
  let away = false;
  let failures = 0;
  let retry: NodeJS.Timeout | undefined;
  let alarm: NodeJS.Timeout | undefined;

  function flush(): void {
    if (out === "" || socket === undefined) return;
    const text = out;
    out = "";
    full = !socket.write(text, "latin1");
  }

  function append(piece: string): void {
    out += piece;
    if (out.length >= writeNowLength) flush();
  }

  function pump(): void {
    if (!ready || full) return;
    let next = 0;
    for (; next < queue.length; next += 1) {
      const waiting = queue[next];
      if (waiting === undefined || (inFlight > 0 && inFlight + waiting.left > maxInFlight)) break;
      inFlight += waiting.left;
      sent.push(waiting);
      waiting.request.encode(append);
      if (full) {
        next += 1;
        break;
      }
    }
    if (next > 0) queue = queue.length === next ? [] : queue.slice(next);
    if (out !== "" && !flushing) {
      flushing = true;
      setImmediate(() => {
        flushing = false;
        flush();
      });
    }
  }

  function take(reply: Reply): void {
    const waiting = sent[firstSent];
    if (waiting === undefined) throw new Error("a reply to nothing");
    waiting.request.take(reply);
    waiting.left -= 1;
    inFlight -= 1;
    if (waiting.left > 0) return;
    firstSent += 1;
    if (firstSent === sent.length || firstSent >= 256) {
      sent = sent.slice(firstSent);
      firstSent = 0;
    }
    waiting.request.done();
  }

  /** Looks once the oldest request is due. Nothing is dropped for time in which this process itself was busy. */
  function watch(): void {
    const oldest = sent[firstSent] ?? queue[0];
    if (oldest === undefined || closed) {
      alarm = undefined;
      return;
    }
    alarm = setTimeout(
      // Sockets are read between timers and immediates: a reply may have come long ago.
      () => setImmediate(expire),
      Math.max(1, oldest.dueMs - performance.now()),
    );
  }

  function expire(): void {
    const oldest = sent[firstSent] ?? queue[0];
    if (oldest !== undefined && oldest.dueMs <= performance.now()) {
      const error = new Error(`redis ${address} did not answer in ${timeoutMs} ms`);
      if (sent.length > firstSent) lose(error);
      else {
        const nowMs = performance.now();
        const late = queue.filter(({ dueMs }) => dueMs <= nowMs);
        queue = queue.filter(({ dueMs }) => dueMs > nowMs);
        for (const { request } of late) request.fail(error);
      }
    }
    watch();
  }

  /** Ends the connection; what was sent fails, what was not waits for the next one. */
  function lose(error: Error): void {
    const failed = sent.slice(firstSent);
    socket?.destroy();
    socket = undefined;
    ready = false;
    full = false;
    out = "";
    sent = [];
    firstSent = 0;
    inFlight = 0;
    if (!away && !closed) log.warn({ err: error, redis: name, address }, "redis is away");
    away = true;
    if (!closed) {
      const pauseMs = Math.min(firstRetryMs * 2 ** Math.min(failures, 10), longestRetryMs);
      failures += 1;
      clearTimeout(retry);
      retry = setTimeout(open, pauseMs);
    }
    for (const { request } of failed) request.fail(error);
    if (!closed) onDown?.();
  }

  function open(): void {
    const target = { host, port };
    const opened = options.tls ? connectTls({ ...target, servername: host }) : connect(target);
    socket = opened;
    opened.setNoDelay(true);
    opened.setKeepAlive(true, 10_000);
    const givesUp = setTimeout(
      () => opened.destroy(new Error(`redis ${address} cannot be reached`)),
      connectTimeoutMs,
    );
    let cause: Error | undefined;
    opened.on("error", (error: Error) => (cause = error));
    opened.on("close", () => {
      clearTimeout(givesUp);
      if (socket === opened) lose(cause ?? new Error(`redis ${address} closed the connection`));
    });
    opened.on("drain", () => {
      full = false;
      pump();
    });
    let greeted: ReturnType<typeof createGreeting> | undefined;
    const parser = createReplyParser((reply) => {
      if (greeted === undefined) return take(reply);
      if (!greeted.take(reply)) return;
      clearTimeout(givesUp);
      greeted = undefined;
      ready = true;
      failures = 0;
      if (away) log.info({ redis: name, address }, "redis is back");
      away = false;
      pump();
    });
    opened.on("data", (bytes: Buffer) => {
      if (socket !== opened) return;
      try {
        parser.push(bytes);
      } catch (error) {
        opened.destroy(error instanceof Error ? error : new Error(String(error)));
        return;
      }
      if (queue.length > 0) pump();
    });
    opened.once(options.tls ? "secureConnect" : "connect", () => {
      greeted = createGreeting(options);
      opened.write(greeted.text, "latin1");
    });
  }

  open();
  return {
    address,
    get ready() {
      return ready;
    },
    send(request) {
      if (closed) {
        request.fail(new Error("the connection is closed"));
        return;
      }
      queue.push({ request, dueMs: performance.now() + timeoutMs, left: request.replies });
      if (queue.length === 1) pump();
      if (alarm === undefined) watch();
    },
    close() {
      if (closed) return;
      closed = true;
      clearTimeout(retry);
      clearTimeout(alarm);
      const error = new Error("the connection was closed");
      lose(error);
      for (const { request } of queue.splice(0)) request.fail(error);
    },
  };
}

/** What a connection begins with: who we are, and which database. */
function createGreeting({ username, password, database, name }: ConnectionOptions): {
  readonly text: string;
  /** True after the last reply. Throws an error reply. */
  take(reply: Reply): boolean;
} {
  const user = username === undefined || username === "" ? [] : [username];
  const commands = [
    ...(password === undefined || password === "" ? [] : [["AUTH", ...user, password]]),
    ...(database === 0 ? [] : [["SELECT", database]]),
    ["CLIENT", "SETNAME", name],
  ];
  let left = commands.length;
  return {
    text: commands.map(encodeCommand).join(""),
    take(reply) {
      if (reply instanceof RedisError) throw reply;
      left -= 1;
      return left === 0;
    },
  };
}
