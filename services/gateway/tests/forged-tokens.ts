import { createHmac, createSign, generateKeyPairSync, KeyObject, sign } from "node:crypto";
import { makeKey, tokenAudience, tokenIssuer, type Issuer } from "./issuer.ts";

/** A token that nobody may come in by, and what is wrong with it. */
export type Forgery = readonly [what: string, token: string];

const base64url = (part: string | Uint8Array): string => Buffer.from(part).toString("base64url");

/**
 * Tokens after RFC 7515, 7516, 7519 and 8725, and the attacks on them that are known. Those whose signature is good are
 * signed by the issuer's own key: it is their content that must be refused.
 */
export async function forgedTokens(issuer: Issuer): Promise<Forgery[]> {
  const now = Math.floor(Date.now() / 1_000);
  const stranger = await makeKey(issuer.key.kid);
  const own = KeyObject.from(issuer.key.privateKey);
  const theirs = KeyObject.from(stranger.privateKey);
  const head = { alg: "EdDSA", typ: "JWT", kid: issuer.key.kid };
  const claims = { iss: tokenIssuer, aud: tokenAudience, sub: "42", sid: "7", iat: now, exp: now + 600 };

  /** Header and claims may be JSON as it is to be sent. */
  function token(header: object | string, content: object | string, key: KeyObject): string {
    const text = [header, content]
      .map((part) => base64url(typeof part === "string" ? part : JSON.stringify(part)))
      .join(".");
    return `${text}.${base64url(sign(null, Buffer.from(text), key))}`;
  }
  const good = token(head, claims, own);
  const [goodHead = "", goodClaims = "", goodSignature = ""] = good.split(".");
  const lastSign = goodSignature.at(-1) ?? "";

  const ownWith = (header: object): string => token({ ...head, ...header }, claims, own);
  const strangersWith = (header: object): string => token({ ...head, ...header }, claims, theirs);
  const saying = (content: object): string => token(head, { ...claims, ...content }, own);
  const without = (name: keyof typeof claims): string => {
    const { [name]: _, ...rest } = claims;
    return token(head, rest, own);
  };
  const unsigned = (alg: unknown): string => `${base64url(JSON.stringify({ ...head, alg }))}.${goodClaims}`;
  const hmac = (alg: string, hash: string, secret: string | Uint8Array): string => {
    const text = `${base64url(JSON.stringify({ ...head, alg }))}.${goodClaims}`;
    return `${text}.${createHmac(hash, secret).update(text).digest("base64url")}`;
  };

  const x = issuer.key.publicJwk.x ?? "";
  const secrets: readonly (readonly [string, string | Uint8Array])[] = [
    ["the public key's bytes", Buffer.from(x, "base64url")],
    ["the public key in base64url", x],
    ["the public key as JWK", JSON.stringify(issuer.key.publicJwk)],
    ["nothing", ""],
    ["a word", "secret"],
    ["the key's id", issuer.key.kid],
    ["the issuer", tokenIssuer],
  ];
  const rsa = generateKeyPairSync("rsa", { modulusLength: 2_048 }).privateKey;
  const rs256 = (): string => {
    const text = `${base64url(JSON.stringify({ ...head, alg: "RS256" }))}.${goodClaims}`;
    return `${text}.${createSign("sha256").update(text).sign(rsa, "base64url")}`;
  };
  const points = {
    jwk: stranger.publicJwk,
    jku: issuer.url,
    x5u: issuer.url,
    x5c: ["MIIB"],
    x5t: "AAAA",
  };

  return [
    // No signature, or none by the key.
    ...["none", "None", "NONE", "nOnE", "none ", "", null, 0, [], ["EdDSA"], {}, "EdDSA\0"].flatMap((alg) => [
      [`alg ${JSON.stringify(alg)}, no signature`, `${unsigned(alg)}.`] as const,
      [`alg ${JSON.stringify(alg)}, another's signature`, `${unsigned(alg)}.${goodSignature}`] as const,
    ]),
    ["no alg", token({ typ: "JWT", kid: head.kid }, claims, own)],
    ["no third part", `${goodHead}.${goodClaims}`],
    ["an empty signature", `${goodHead}.${goodClaims}.`],
    ["a signature of zeros", `${goodHead}.${goodClaims}.${base64url(Buffer.alloc(64))}`],
    ["a signature that is short", `${goodHead}.${goodClaims}.${goodSignature.slice(0, 80)}`],
    ["a signature that is long", `${good}AAAA`],
    ["signed by another key", token(head, claims, theirs)],
    ["signed twice", `${good}.${goodSignature}`],
    ...secrets.map(([name, secret]) => [`HS256 by ${name}`, hmac("HS256", "sha256", secret)] as const),
    ["HS384", hmac("HS384", "sha384", x)],
    ["HS512", hmac("HS512", "sha512", x)],
    ["RS256", rs256()],
    ...["RS256", "PS256", "ES256", "ES256K", "ES384", "Ed25519", "Ed448", "eddsa", "EDDSA"].map(
      (alg) => [`${alg} over a signature by EdDSA`, ownWith({ alg })] as const,
    ),

    // A key that the token brings along or points to.
    ...Object.entries(points).flatMap(([name, value]) => [
      [`another's key in ${name}`, strangersWith({ [name]: value })] as const,
      [`another's key in ${name}, no kid`, strangersWith({ [name]: value, kid: undefined })] as const,
    ]),
    ["all of them at once", strangersWith(points)],

    // Key ids.
    ...[
      "../../../../dev/null",
      "/dev/null",
      "file:///dev/null",
      "C:\\nul",
      "key-1' OR '1'='1",
      "key-1'; DROP TABLE signing_keys; --",
      "key-1\0",
      " key-1",
      "KEY-1",
      "__proto__",
      "constructor",
      "toString",
      "http://127.0.0.1/",
      "$(id)",
      "${jndi:ldap://127.0.0.1/a}",
      "*",
      "",
      "k".repeat(129),
      "k".repeat(2_000),
    ].map((kid) => [`kid ${JSON.stringify(kid.slice(0, 40))}`, ownWith({ kid })] as const),
    ...[undefined, null, 1, true, ["key-1"], { kid: "key-1" }].map(
      (kid) => [`kid ${JSON.stringify(kid) ?? "absent"}`, ownWith({ kid })] as const,
    ),

    // Extensions and types.
    ...[["exp"], ["nope"], ["crit"], [], "exp", null, [1], ["exp", "exp"]].map(
      (crit) =>
        [`crit ${JSON.stringify(crit)}`, ownWith({ crit, nope: 1, exp: now + 600, b64: true })] as const,
    ),
    ["b64 false and critical", ownWith({ crit: ["b64"], b64: false })],
    [
      "an unencoded payload",
      `${base64url(JSON.stringify({ ...head, crit: ["b64"], b64: false }))}.${JSON.stringify(claims)}.${goodSignature}`,
    ],
    ...[
      undefined,
      null,
      "",
      "jwt+",
      "at+jwt",
      "refresh+jwt",
      "JWE",
      "JOSE",
      "application/at+jwt",
      1,
      ["JWT"],
    ].map((typ) => [`typ ${JSON.stringify(typ) ?? "absent"}`, ownWith({ typ })] as const),
    ["a JWT in a JWT", token({ ...head, cty: "JWT" }, JSON.stringify(good), own)],
    ["deflated claims", token({ ...head, zip: "DEF" }, "\u0001\u0002", own)],

    // Claims.
    ...(["iss", "aud", "exp", "sub", "sid"] as const).map((name) => [`no ${name}`, without(name)] as const),
    ...[now - 1, now, 0, -1, "never", String(now + 600), null, true, [], {}, [now + 600]].map(
      (exp) =>
        [`exp ${exp === now - 1 || exp === now ? "past" : JSON.stringify(exp)}`, saying({ exp })] as const,
    ),
    ["exp NaN", token(head, JSON.stringify(claims).replace(/"exp":\d+/, '"exp":NaN'), own)],
    ...[now + 600, now + 10 ** 9, "soon", null, [], true].map(
      (nbf) => [`nbf ${typeof nbf === "number" ? "to come" : JSON.stringify(nbf)}`, saying({ nbf })] as const,
    ),
    ...["another", "", null, [], ["another"], {}, 1, `${tokenAudience} `, tokenAudience.toUpperCase()].map(
      (aud) => [`aud ${JSON.stringify(aud)}`, saying({ aud })] as const,
    ),
    ...["https://another.test", "", null, [tokenIssuer], `${tokenIssuer}/`, `${tokenIssuer}.test`, {}].map(
      (iss) => [`iss ${JSON.stringify(iss)}`, saying({ iss })] as const,
    ),
    ...[
      "",
      "0",
      "-42",
      "+42",
      "1e3",
      "0x2a",
      "042",
      "42 ",
      "42\n",
      "٤٢",
      "9223372036854775808",
      42,
      null,
      ["42"],
      {},
      "1 OR 1=1",
    ].flatMap((id) => [
      [`sub ${JSON.stringify(id)}`, saying({ sub: id })] as const,
      [`sid ${JSON.stringify(id)}`, saying({ sid: id })] as const,
    ]),
    [
      "exp twice, the last past",
      token(head, `{${JSON.stringify(claims).slice(1, -1)},"exp":${now - 1}}`, own),
    ],
    ["__proto__ for its claims", token(head, `{"__proto__":${JSON.stringify(claims)}}`, own)],
    ...["null", "[]", '"42"', "42", "", "{", "{}", `${JSON.stringify(claims)}x`, "\ufeff{}"].map(
      (content) => [`claims ${JSON.stringify(content.slice(0, 10))}`, token(head, content, own)] as const,
    ),
    ...["null", "[]", '"EdDSA"', "", "{", "{}"].map(
      (header) => [`header ${JSON.stringify(header)}`, token(header, claims, own)] as const,
    ),
    ["deep claims", token(head, `{"a":${"[".repeat(700)}${"]".repeat(700)}}`, own)],
    ["large claims", saying({ fill: "x".repeat(5_000) })],

    // Its form.
    [
      "claims of another",
      `${goodHead}.${base64url(JSON.stringify({ ...claims, sub: "43" }))}.${goodSignature}`,
    ],
    [
      "header of another",
      `${base64url(JSON.stringify({ ...head, kid: "key-2" }))}.${goodClaims}.${goodSignature}`,
    ],
    ["padding", `${good}==`],
    ["padding in the middle", `${goodHead}=.${goodClaims}.${goodSignature}`],
    ["other last bits", good.slice(0, -1) + String.fromCharCode(lastSign.charCodeAt(0) + 1)],
    [
      "standard base64",
      `${goodHead}.${goodClaims}.${base64url(Buffer.alloc(64, 0xfb)).replaceAll("-", "+")}`,
    ],
    ["a sign more", `${goodHead}.${goodClaims}A.${goodSignature}`],
    ["a sign less", `${goodHead}.${goodClaims.slice(0, -1)}.${goodSignature}`],
    ["parts the other way round", `${goodSignature}.${goodClaims}.${goodHead}`],
    ["a JWE", `${base64url('{"alg":"dir","enc":"A256GCM"}')}..AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA`],
    [
      "a JWE for the issuer's key",
      `${base64url(JSON.stringify({ alg: "ECDH-ES", enc: "A128GCM", kid: head.kid }))}..AAAA.AAAA.AAAA`,
    ],
    ...[
      ".",
      "..",
      "...",
      "....",
      "a",
      "a.b",
      "a.b.c",
      "e30.e30.",
      "null",
      "undefined",
      "true",
      "0",
      "-",
      "=",
      "x".repeat(4_097),
      `${good}.`,
      `.${good}`,
      good.replaceAll(".", "~"),
      good.toUpperCase(),
    ].map((text) => [`"${text.slice(0, 12)}", ${text.length} long`, text] as const),
  ];
}
