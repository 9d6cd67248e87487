import { createHmac } from "node:crypto";
import fc from "fast-check";
import { makeKey, tokenAudience, tokenIssuer, type Issuer } from "./issuer.ts";

const encode = (part: object): string => Buffer.from(JSON.stringify(part)).toString("base64url");

/**
 * Tokens that nobody may come in by: signed by no key, by another, by the public key as a secret, with header fields that
 * point elsewhere, changed after they were signed, or signed by the issuer and not for this.
 */
export async function badTokens(issuer: Issuer): Promise<fc.Arbitrary<string>> {
  const now = Math.floor(Date.now() / 1_000);
  const good = { iss: tokenIssuer, aud: tokenAudience, sub: "42", sid: "7", iat: now, exp: now + 600 };
  const [, , goodSignature = ""] = (await issuer.token(42n, 7n)).split(".");
  const stranger = await makeKey(issuer.key.kid);
  const signed = await Promise.all([
    ...[
      { exp: now - 1 },
      { exp: now - 86_400 },
      { aud: "another" },
      { aud: [] },
      { iss: "https://another.test" },
      { nbf: now + 600 },
      { sub: "" },
      { sub: "1e3" },
      { sub: "-42" },
      { sid: "" },
      { sid: "x" },
    ].map((claims) => issuer.token(42n, 7n, { claims })),
    ...["exp", "aud", "iss", "sub", "sid"].map((name) => issuer.token(42n, 7n, { omit: [name] })),
    ...[{ typ: "refresh+jwt" }, { typ: "at+jwt" }, { kid: "nope" }, { kid: "" }].map((header) =>
      issuer.token(42n, 7n, { header }),
    ),
    issuer.token(42n, 7n, { key: stranger }),
    issuer.token(42n, 7n, { key: stranger, header: { jwk: stranger.publicJwk } }),
    issuer.token(42n, 7n, { key: stranger, header: { jku: issuer.url, x5u: issuer.url } }),
  ]);

  const header = fc
    .record(
      {
        alg: fc.constantFrom(
          "none",
          "None",
          "nOnE",
          "",
          "HS256",
          "HS512",
          "RS256",
          "PS256",
          "ES256",
          "EdDSA",
        ),
        typ: fc.constantFrom("JWT", "jwt", "at+jwt", ""),
        kid: fc.constantFrom(
          issuer.key.kid,
          "",
          "0",
          "__proto__",
          "../../dev/null",
          "' OR 1=1",
          "k".repeat(300),
        ),
        crit: fc.constantFrom(["exp"], ["b64"]),
        b64: fc.constant(false),
        jwk: fc.constant(stranger.publicJwk),
        jku: fc.constant(issuer.url),
        zip: fc.constant("DEF"),
      },
      { requiredKeys: ["alg"] },
    )
    .map(encode);
  const claims = fc
    .record({
      sub: fc.constantFrom("42", "1", "0"),
      exp: fc.constantFrom(now + 600, now - 1, "never", 1e300),
    })
    .map((own) => encode({ ...good, ...own }));
  const secrets = [
    issuer.key.publicJwk.x ?? "",
    Buffer.from(issuer.key.publicJwk.x ?? "", "base64url"),
    "",
    "secret",
  ];
  const forged = fc
    .tuple(header, claims, fc.nat(5), fc.uint8Array({ maxLength: 96 }))
    .map(([head, body, how, bytes]) => {
      const text = `${head}.${body}`;
      if (how < secrets.length)
        return `${text}.${createHmac("sha256", secrets[how] ?? "")
          .update(text)
          .digest("base64url")}`;
      return `${text}.${how === 4 ? Buffer.from(bytes).toString("base64url") : goodSignature}`;
    });
  const changed = fc
    .tuple(fc.constantFrom(...signed), fc.nat(400), fc.constantFrom("A", "_", ".", "=", ""))
    .map(
      ([token, at, char]) => token.slice(0, at % token.length) + char + token.slice((at % token.length) + 1),
    );
  const junk = fc.oneof(
    fc.constantFrom(
      "",
      ".",
      "..",
      "...",
      "null",
      "undefined",
      "a.b.c",
      "e30.e30.",
      "x".repeat(17_000),
      "x".repeat(8_000),
    ),
    fc.base64String({ maxLength: 200 }),
  );
  return fc.oneof(
    { arbitrary: forged, weight: 5 },
    { arbitrary: fc.constantFrom(...signed), weight: 2 },
    { arbitrary: changed, weight: 2 },
    { arbitrary: junk, weight: 1 },
  );
}
