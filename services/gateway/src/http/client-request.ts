import type { Socket } from "node:net";
import type { Readable, Writable } from "node:stream";

/** What the gateway reads of a request, whichever HTTP it came by: the body is the stream. */
export interface ClientRequest extends Readable {
  readonly method?: string | undefined;
  /** The target as it came. */
  readonly url?: string | undefined;
  /** Names and values in turn, in the form of HTTP/1.1. */
  readonly rawHeaders: string[];
  readonly httpVersionMajor: number;
  readonly socket: Socket;
}

/** What the gateway answers by: the body is the stream. */
export interface ClientResponse extends Writable {
  /** Names and values in turn. */
  writeHead(status: number, lines: string[]): this;
  /** HTTP/2 has none: a head is sent at once. */
  flushHeaders?(): void;
}
