import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext, type SecureContext } from "node:tls";

import type { Server, TlsClientOptions, TlsServerOptions } from "@chirrup/grpc";

import type { Logger } from "../log/index.ts";

/** The mutual TLS of one process: it proves itself by one certificate, to those it calls and to those who call it. */
export interface PeerTls {
  /** Each new connection takes the certificate of its moment. */
  readonly client: TlsClientOptions;
  readonly server: TlsServerOptions;
  /** Has a server take each renewed certificate for connections that are made from then on. */
  follow(server: Pick<Server, "renewTls">): void;
  /** Reads the files now. False when they are faulty: what was read before goes on. */
  reload(): boolean;
}

interface PeerTlsOptions {
  /** Holds `tls.crt`, `tls.key` and `ca.crt` in PEM, as a Secret of cert-manager does. Undefined: no TLS. */
  readonly folder: string | undefined;
  readonly log: Logger;
  /** Ends the watching. */
  readonly signal: AbortSignal;
  /** How often the files are looked at. Default: 30,000. */
  readonly everyMs?: number;
}

interface Loaded {
  readonly text: string;
  readonly files: TlsServerOptions & { readonly ca: string };
  readonly context: SecureContext;
}

/**
 * Reads a process's certificate and looks whether it was renewed. *Why by looking:* a mounted Secret is swapped by a
 * symbolic link, which file notifications tell differently on each system; a certificate is renewed days before it
 * ends, so half a minute costs nothing. Throws when the files are missing or faulty.
 */
export function peerTls({ folder, log, signal, everyMs = 30_000 }: PeerTlsOptions): PeerTls | undefined {
  if (folder === undefined) return undefined;
  let loaded = load(folder);
  const followers: Pick<Server, "renewTls">[] = [];
  const reload = (): boolean => {
    try {
      const next = load(folder);
      if (next.text === loaded.text) return true;
      loaded = next;
      for (const server of followers) server.renewTls(next.files);
      log.info({ folder }, "took a renewed certificate");
      return true;
    } catch (err) {
      log.error({ err, folder }, "the renewed certificate is faulty: the one before is kept");
      return false;
    }
  };
  const timer = setInterval(reload, everyMs).unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
  return {
    client: {
      get secureContext() {
        return loaded.context;
      },
    },
    get server() {
      return loaded.files;
    },
    follow: (server) => void followers.push(server),
    reload,
  };
}

function load(folder: string): Loaded {
  const read = (name: string): string => readFileSync(join(folder, name), "utf8");
  const files = { cert: read("tls.crt"), key: read("tls.key"), ca: read("ca.crt") };
  return { text: Object.values(files).join("\n"), files, context: createSecureContext(files) };
}
