import type { SecureContext } from "node:tls";

/** TLS of a channel. With `cert` and `key` the client proves itself too (mutual TLS). */
export interface TlsClientOptions {
  /** PEM of the authorities that are trusted. Default: those of Node. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** The name that the server's certificate has to be for. Default: the target's. */
  readonly servername?: string;
  readonly secureContext?: SecureContext;
}

/** TLS of a server. With `ca` a client has to prove itself by a certificate of it (mutual TLS). */
export interface TlsServerOptions {
  readonly cert: string | Buffer;
  readonly key: string | Buffer;
  /** PEM of the authorities whose clients are let in. Default: any client is. */
  readonly ca?: string | Buffer;
}
