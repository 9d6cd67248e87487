import { createHmac } from "node:crypto";

const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

const stepMs = 30_000;

/** Tries with the code of the moment, again when it went out of date on the way: a late one is refused. */
export async function withCode<T extends { readonly status: number }>(
  secret: string,
  attempt: (code: string) => Promise<T>,
): Promise<T> {
  for (;;) {
    const startedMs = Date.now();
    const answer = await attempt(codeFor(secret, startedMs));
    const isSameStep = Math.floor(startedMs / stepMs) === Math.floor(Date.now() / stepMs);
    if (answer.status === 200 || isSameStep) return answer;
  }
}

/** What an authenticator app shows for a secret in base32 (RFC 6238). */
function codeFor(secret: string, nowMs: number): string {
  let bits = "";
  for (const sign of secret) bits += alphabet.indexOf(sign).toString(2).padStart(5, "0");
  const key = Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(nowMs / stepMs)));
  const mac = createHmac("sha1", key).update(counter).digest();
  const number = mac.readUInt32BE((mac.at(-1) ?? 0) & 0xf) & 0x7fff_ffff;
  return String(number % 1_000_000).padStart(6, "0");
}
