import { readFileSync } from "node:fs";
import { join } from "node:path";
import { createSecureContext } from "node:tls";
import type { Logger } from "@chirrup/platform";
import { watchFiles } from "../reload/watch-files.ts";

/** A certificate and its key, in PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** The certificate of the public port. */
export interface PublicTls {
  /** As it was at the start. */
  readonly certificate: Certificate;
  /** Has a server take each renewed one, for connections that are made from then on. */
  follow(take: (certificate: Certificate) => void): void;
}

/**
 * Reads `tls.crt` and `tls.key` of a folder, as cert-manager fills it, and reads them again when they change. Renewed ones that are
 * faulty are refused, and the ones before stay. Throws when the first are missing or faulty.
 */
export function readPublicTls(options: {
  /** Undefined: no TLS. */
  readonly folder: string | undefined;
  readonly everyMs: number;
  readonly log: Logger;
  readonly signal: AbortSignal;
}): PublicTls | undefined {
  const { folder, everyMs, log, signal } = options;
  if (folder === undefined) return undefined;
  const paths = [join(folder, "tls.crt"), join(folder, "tls.key")] as const;
  const read = (): Certificate => {
    const [cert, key] = [readFileSync(paths[0], "utf8"), readFileSync(paths[1], "utf8")];
    // It says whether the two belong together.
    createSecureContext({ cert, key });
    return { cert, key };
  };
  const certificate = read();
  const followers: ((certificate: Certificate) => void)[] = [];
  void watchFiles(paths, everyMs, signal, async () => {
    try {
      const renewed = read();
      for (const take of followers) take(renewed);
      log.info({ folder }, "took a renewed certificate");
    } catch (err) {
      log.error({ err, folder }, "the renewed certificate is faulty: the one before is kept");
    }
  });
  return { certificate, follow: (take) => void followers.push(take) };
}
