import type { JWK } from "jose";
import type { Logger, Postgres } from "@chirrup/platform";
import { unavailable } from "@chirrup/platform";
import { setTimeout as delay } from "node:timers/promises";
import type { SigningKey } from "./domain/signing-key.ts";
import { chooseSigningKey, generateSigningKey, openSigningKey, sealingKey } from "./domain/signing-key.ts";
import { listSigningKeys, storeFirstSigningKey } from "./store/signing-key.ts";

/** The signing keys of all instances, as this one last read them. */
export interface KeyRing {
  /** @throws UNAVAILABLE when every key has been taken away. */
  signingKey(): SigningKey;
  /**
   * The public keys (RFC 7517). A verifier asks because it met a `kid` it does not know, perhaps made by
   * another instance a moment ago: so what is older than a second is read again, and served as it is
   * when Postgres does not answer.
   */
  publicKeys(): Promise<readonly JWK[]>;
}

const freshMs = 1_000;

/**
 * Makes the first key when there is none, then reads the keys again every `reloadMs` until the signal.
 *
 * @throws When a stored key does not open with the secret: another secret was used before.
 */
export async function openKeyRing(options: {
  postgres: Postgres;
  secret: string;
  reloadMs: number;
  now: () => Date;
  log: Logger;
  signal: AbortSignal;
}): Promise<KeyRing> {
  const { postgres, now, log, signal, reloadMs } = options;
  const sealWith = sealingKey(options.secret);
  let keys: readonly SigningKey[] = [];
  let loadedAtMs = -Infinity;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const stored = await listSigningKeys(postgres);
    keys = stored.map((key) => openSigningKey(key, sealWith));
    loadedAtMs = performance.now();
  }

  /** Joins a load that is under way; a failure keeps the keys there are. */
  function reload(): Promise<void> {
    loading ??= load()
      .catch((error: unknown) => log.error({ err: error }, "signing keys could not be read again"))
      .finally(() => (loading = undefined));
    return loading;
  }

  async function keepFresh(): Promise<void> {
    while (!signal.aborted) {
      await delay(reloadMs, undefined, { signal, ref: false }).catch(() => undefined);
      if (!signal.aborted) await reload();
    }
  }

  await storeFirstSigningKey(postgres, () => generateSigningKey(sealWith, now()));
  await load();
  void keepFresh();

  return {
    signingKey() {
      const key = chooseSigningKey(keys, now(), 2 * reloadMs);
      if (key === undefined) throw unavailable("no signing key");
      return key;
    },
    async publicKeys() {
      if (performance.now() - loadedAtMs > freshMs) await reload();
      return keys.map((key) => key.publicJwk);
    },
  };
}
