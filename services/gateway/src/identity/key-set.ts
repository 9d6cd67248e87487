import { Agent, request } from "node:https";
import { Readable } from "node:stream";
import type { TlsClientOptions } from "@chirrup/grpc";
import type { Logger } from "@chirrup/platform";
import { importJWK, type CryptoKey, type JWK } from "jose";
import { pause } from "../pause.ts";

/** A key of the issuer and the one algorithm it may be used with. */
export interface IssuerKey {
  readonly algorithm: "EdDSA" | "ES256";
  readonly key: CryptoKey;
}

/** The issuer's public keys. */
export interface KeySet {
  /**
   * The key with this id. An unknown id causes a fetch, if the last one is more than `cooldownMs` ago; undefined when
   * the key is not in the set after that. Rejects when there has never been a set.
   */
  get(keyId: string): Promise<IssuerKey | undefined>;
  /** Whether a set has been fetched. */
  readonly isLoaded: boolean;
  /** Fetches the set now. Never rejects. */
  refresh(): Promise<void>;
  /** Fetches the set at once and then every `maxAgeMs`, until the signal aborts. */
  keepFresh(signal: AbortSignal): Promise<void>;
}

export interface KeySetOptions {
  readonly url: string;
  /** For an `https:` address of a peer: proves itself by this, and believes this authority alone. */
  readonly tls?: TlsClientOptions | undefined;
  readonly log: Logger;
  /** Default: 1 minute. */
  readonly maxAgeMs?: number;
  /** Least time between fetches that tokens with unknown keys cause. Default: 5 seconds. */
  readonly cooldownMs?: number;
  /** Default: 2 seconds. */
  readonly timeoutMs?: number;
}

const retryMs = 500;
const maxBytes = 64 * 1024;
const maxKeys = 32;

/** Keeps a JSON Web Key Set (RFC 7517) from a URL. Stale keys are better than none: an error leaves the old ones. */
export function createKeySet(options: KeySetOptions): KeySet {
  const { url, tls, log, maxAgeMs = 60_000, cooldownMs = 5_000, timeoutMs = 2_000 } = options;
  let keys: ReadonlyMap<string, IssuerKey> | undefined;
  let triedAt = Number.NEGATIVE_INFINITY;
  let isAway = false;
  let loading: Promise<void> | undefined;

  const load = async (): Promise<void> => {
    triedAt = performance.now();
    const signal = AbortSignal.timeout(timeoutMs);
    const response =
      tls !== undefined && url.startsWith("https:")
        ? await fetchFromPeer(url, tls, signal)
        : await fetch(url, { signal, redirect: "error" });
    if (!response.ok) throw new Error(`the key set's URL answered ${response.status}`);
    keys = await readKeys(await boundedText(response), log);
  };

  /** Never rejects: the keys from before stay good. */
  const refresh = (): Promise<void> => {
    loading ??= load()
      .then(() => {
        if (isAway) log.info("the key set can be fetched again");
        isAway = false;
      })
      .catch((error: unknown) => {
        if (!isAway) log.warn({ err: error }, "the key set cannot be fetched");
        isAway = true;
      })
      .finally(() => {
        loading = undefined;
      });
    return loading;
  };

  return {
    get isLoaded() {
      return keys !== undefined;
    },
    refresh,
    async keepFresh(signal) {
      while (!signal.aborted) {
        await refresh();
        await pause(keys === undefined ? retryMs : maxAgeMs, signal);
      }
    },
    async get(keyId) {
      if (keys?.has(keyId) !== true && (loading !== undefined || performance.now() - triedAt >= cooldownMs)) {
        await refresh();
      }
      if (keys === undefined) throw new Error("there is no key set");
      return keys.get(keyId);
    },
  };
}

/** Not `fetch`, which takes no certificate of a client's. */
async function fetchFromPeer(url: string, tls: TlsClientOptions, signal: AbortSignal): Promise<Response> {
  const { secureContext } = tls;
  const { promise, resolve, reject } = Promise.withResolvers<Response>();
  // An agent of this request alone: another would reuse a connection that was made with the certificate before.
  request(url, { agent: new Agent({ secureContext }), signal }, (message) => {
    resolve(new Response(Readable.toWeb(message), { status: message.statusCode ?? 500 }));
  })
    .once("error", reject)
    .end();
  return promise;
}

async function boundedText(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    length += chunk.length;
    if (length > maxBytes) throw new Error("the key set is too large");
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

/** Only public signature keys of the two algorithms; others of the set are passed over. */
async function readKeys(text: string, log: Logger): Promise<ReadonlyMap<string, IssuerKey>> {
  const set = JSON.parse(text) as { keys?: unknown };
  if (!Array.isArray(set.keys)) throw new Error("the key set has no keys");
  const keys = new Map<string, IssuerKey>();
  for (const jwk of (set.keys as JWK[]).slice(0, maxKeys)) {
    const algorithm = algorithmOf(jwk);
    if (algorithm === undefined || typeof jwk.kid !== "string" || keys.has(jwk.kid)) continue;
    try {
      const { kty, crv, x, y } = jwk;
      const key = await importJWK({ kty, crv, x, ...(y === undefined ? {} : { y }) } as JWK, algorithm);
      if (!(key instanceof Uint8Array)) keys.set(jwk.kid, { algorithm, key });
    } catch (error) {
      log.warn({ err: error, kid: jwk.kid }, "a key of the key set cannot be read");
    }
  }
  return keys;
}

function algorithmOf({ kty, crv, use, alg }: JWK): IssuerKey["algorithm"] | undefined {
  if (use !== undefined && use !== "sig") return undefined;
  if (kty === "OKP" && crv === "Ed25519" && (alg === undefined || alg === "EdDSA" || alg === "Ed25519"))
    return "EdDSA";
  if (kty === "EC" && crv === "P-256" && (alg === undefined || alg === "ES256")) return "ES256";
  return undefined;
}
