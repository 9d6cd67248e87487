import { connect as connectPlain, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";

import type { Metadata } from "../metadata.ts";
import type { TlsClientOptions } from "../tls.ts";
import { ClientConnection } from "./client-connection.ts";
import type { Address } from "./target.ts";

export interface EndpointOptions {
  readonly authority: string;
  readonly metadata: Metadata | undefined;
  readonly keepaliveMs: number | undefined;
  readonly keepaliveTimeoutMs: number;
  readonly tls: TlsClientOptions | undefined;
}

export type EndpointState = "idle" | "connecting" | "ready" | "backoff";

export const firstBackoffMs = 100;
export const maxBackoffMs = 5_000;
const backoffFactor = 1.6;
const connectTimeoutMs = 20_000;

/** One address of a target, and the connection to it. */
export class Endpoint {
  readonly address: Address;
  state: EndpointState = "idle";
  /** Set while the state is "ready". */
  connection: ClientConnection | undefined;
  /** Why the last attempt failed. */
  lastError = "no connection yet";
  readonly #options: EndpointOptions;
  readonly #onChange: (endpoint: Endpoint) => void;
  #backoffMs = firstBackoffMs;
  #timer: NodeJS.Timeout | undefined;
  #attempt: { socket: Socket; connection: ClientConnection | undefined } | undefined;
  #closed = false;

  constructor(address: Address, options: EndpointOptions, onChange: (endpoint: Endpoint) => void) {
    this.address = address;
    this.#options = options;
    this.#onChange = onChange;
  }

  /** Connects, unless it does or has done so, or waits after a failure. */
  connect(): void {
    if (this.state !== "idle" || this.#closed) return;
    this.state = "connecting";
    const { tls, authority } = this.#options;
    const { host, port } = this.address;
    const socket =
      tls === undefined
        ? connectPlain({ host, port, noDelay: true })
        : connectTls({ host, port, ALPNProtocols: ["h2"], servername: serverName(authority), ...tls });
    const attempt = { socket, connection: undefined as ClientConnection | undefined };
    this.#attempt = attempt;
    this.#timer = setTimeout(() => this.#failed(attempt, "connecting took too long"), connectTimeoutMs);
    socket.on("error", (error) => this.#failed(attempt, error.message));
    socket.once("close", () => this.#failed(attempt, "the connection was closed"));
    socket.once(tls === undefined ? "connect" : "secureConnect", () => {
      if (tls !== undefined && "alpnProtocol" in socket && socket.alpnProtocol !== "h2") {
        return this.#failed(attempt, "the server does not offer HTTP/2");
      }
      attempt.connection = this.#open(attempt);
    });
  }

  /** Has a backoff that runs keep the process alive: somebody waits for it. */
  hold(): void {
    if (this.state === "backoff") this.#timer?.ref();
  }

  /** Takes no more calls; those that run go on. */
  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
    if (this.state === "connecting") this.#attempt?.socket.destroy();
    this.state = "idle";
    this.#attempt = undefined;
    const { connection } = this;
    this.connection = undefined;
    connection?.drain();
  }

  #open(attempt: { socket: Socket }): ClientConnection {
    const { authority, metadata, keepaliveMs, keepaliveTimeoutMs, tls } = this.#options;
    const connection = new ClientConnection(attempt.socket, {
      authority,
      scheme: tls === undefined ? "http" : "https",
      metadata,
      keepaliveMs,
      keepaliveTimeoutMs,
      // It is ready when the server has said its settings, not when something has taken the connection.
      onReady: () => {
        if (this.#attempt !== attempt || this.#closed) return connection.drain();
        clearTimeout(this.#timer);
        this.#attempt = undefined;
        this.#backoffMs = firstBackoffMs;
        this.connection = connection;
        this.#enter("ready");
      },
      onDraining: () => this.#left(connection, "the server is going away"),
      onOver: (reason) => this.#left(connection, reason),
    });
    return connection;
  }

  /** The connection takes no more calls; the next is made at once when it is asked for. */
  #left(connection: ClientConnection, reason: string): void {
    if (this.connection !== connection) return;
    this.connection = undefined;
    this.lastError = reason;
    this.#enter("idle");
  }

  #failed(attempt: { socket: Socket }, reason: string): void {
    if (this.#attempt !== attempt) return;
    this.#attempt = undefined;
    clearTimeout(this.#timer);
    attempt.socket.destroy();
    const { host, port } = this.address;
    this.lastError = `cannot connect to ${host}:${port}: ${reason}`;
    // A fifth up or down, so that those who lost a server at once do not come back at once.
    const waitMs = this.#backoffMs * (0.8 + Math.random() * 0.4);
    this.#backoffMs = Math.min(maxBackoffMs, this.#backoffMs * backoffFactor);
    this.#timer = setTimeout(() => {
      this.#enter("idle");
    }, waitMs);
    this.#timer.unref();
    this.#enter("backoff");
  }

  #enter(state: EndpointState): void {
    this.state = state;
    if (!this.#closed) this.#onChange(this);
  }
}

function serverName(authority: string): string {
  return authority.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
