import type { JWK } from "jose";
import type { Logger, Postgres } from "@chirrup/platform";
import { unavailable } from "@chirrup/platform";
import { setTimeout as delay } from "node:timers/promises";
import type { SigningKey } from "./domain/signing-key.ts";
import { sealingKey } from "./domain/sealing.ts";
import {
  chooseSigningKey,
  generateSigningKey,
  isRotationDue,
  openSigningKey,
  retiredKids,
} from "./domain/signing-key.ts";
import { changeSigningKeys, listSigningKeys } from "./store/signing-key.ts";

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
 * Makes the first key when there is none, then reads the keys again every `reloadMs` until the signal. When the newest
 * has reached `maxAgeMs` another is made; it signs once it has been published for twice `reloadMs`, and the old one
 * stays until no token that it signed is good.
 *
 * @throws When a stored key does not open with the secret: another secret was used before.
 */
export async function openKeyRing(options: {
  postgres: Postgres;
  secret: string;
  reloadMs: number;
  maxAgeMs: number;
  accessTokenTtlMs: number;
  now: () => Date;
  log: Logger;
  signal: AbortSignal;
}): Promise<KeyRing> {
  const { postgres, now, log, signal, reloadMs } = options;
  const sealWith = sealingKey(options.secret, "signing keys");
  const policy = { ...options, publishedForMs: 2 * reloadMs };
  let keys: readonly SigningKey[] = [];
  let loadedAtMs = -Infinity;
  let loading: Promise<void> | undefined;

  async function load(): Promise<void> {
    const stored = await listSigningKeys(postgres);
    keys = stored.map((key) => openSigningKey(key, sealWith));
    loadedAtMs = performance.now();
  }

  /** Adds a key when one is due, and removes those that nobody needs. Most of the time it is neither. */
  async function rotate(): Promise<void> {
    const isIdle = !isRotationDue(keys, now(), policy) && retiredKids(keys, now(), policy).length === 0;
    if (isIdle) return;
    await changeSigningKeys(
      postgres,
      async (stored) => ({
        added: isRotationDue(stored, now(), policy) ? await generateSigningKey(sealWith, now()) : undefined,
        removedKids: retiredKids(stored, now(), policy),
      }),
      now(),
    );
    await load();
    log.info({ kids: keys.map(({ kid }) => kid) }, "the signing keys were changed");
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
      if (signal.aborted) return;
      await reload();
      await rotate().catch((error: unknown) =>
        log.error({ err: error }, "the signing keys were not rotated"),
      );
    }
  }

  await load();
  await rotate();
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
