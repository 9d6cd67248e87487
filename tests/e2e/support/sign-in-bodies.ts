/** A body that must be refused, and what is wrong with it. */
export interface BadBody {
  readonly what: string;
  readonly body: string | Uint8Array;
  /** Default: application/json. */
  readonly contentType?: string;
  /** Default: 400. */
  readonly status?: number;
}

const utf8 = new TextEncoder();

function utf16(text: string, bigEndian: boolean): Uint8Array {
  const bytes = Buffer.from(`\ufeff${text}`, "utf16le");
  return bigEndian ? bytes.swap16() : bytes;
}

/** The JSON with a byte in place of each "?". */
function withByte(json: string, byte: number): Uint8Array {
  return utf8.encode(json).map((each) => (each === 0x3f ? byte : each));
}

/**
 * Bodies of a sign-in that are no JSON, not of its form or not unambiguous. Nearly all hold the right login and password:
 * whoever reads them with less care signs somebody in.
 */
export function malformedSignIns(login: string, password: string): BadBody[] {
  const [l, p] = [JSON.stringify(login), JSON.stringify(password)];
  const both = `"login":${l},"password":${p}`;
  const right = `{${both}}`;
  const each = (what: string, bodies: readonly (string | Uint8Array)[]): BadBody[] =>
    bodies.map((body, index) => ({ what: `${what} ${index + 1}`, body }));
  return [
    ...each("nothing", ["", " ", "\n", "null", "{}", "[]", "true", "7", '""', "{", "}"]),
    ...each("not one object", [
      `[${right}]`,
      `${right}${right}`,
      `${right},${right}`,
      JSON.stringify(right),
      `{"request":${right}}`,
    ]),
    ...each(
      "login is no text",
      [
        "1",
        "true",
        "{}",
        "[]",
        `[${l}]`,
        `{"value":${l}}`,
        '{"$ne":null}',
        '{"$gt":""}',
        "null",
        "-0",
        "1e3",
      ].map((value) => `{"login":${value},"password":${p}}`),
    ),
    ...each(
      "password is no text",
      [
        "1",
        "true",
        "{}",
        "[]",
        `[${p}]`,
        `{"value":${p}}`,
        '{"$ne":null}',
        '{"$regex":".*"}',
        "null",
        "1e400",
      ].map((value) => `{"login":${l},"password":${value}}`),
    ),
    ...each("left out or empty", [
      `{"login":${l}}`,
      `{"password":${p}}`,
      `{"login":"","password":${p}}`,
      `{"login":${l},"password":""}`,
      `{"login":"   ","password":""}`,
    ]),
    ...each("a key twice", [
      `{${both},"login":"somebody_else"}`,
      `{"login":"somebody_else",${both}}`,
      `{${both},"password":"another"}`,
      `{${both},"password":${p}}`,
      `{${both},"logi\\u006e":"somebody_else"}`,
      `{"password":null,${both}}`,
    ]),
    ...each(
      "a key more",
      [
        "username",
        "email",
        "user",
        "admin",
        "role",
        "isAdmin",
        "code",
        "challenge",
        "__proto__",
        "constructor",
        "prototype",
        "toString",
        "hasOwnProperty",
        "$where",
        "Login",
        "LOGIN",
        " login",
        "login ",
        "login\\u0000",
        "",
        "password\\ufeff",
        "@type",
      ].map((key) => `{${both},"${key}":"x"}`),
    ),
    ...each("a prototype", [
      `{"__proto__":${right}}`,
      `{"__proto__":{"admin":true},${both}}`,
      `{"constructor":{"prototype":${right}}}`,
    ]),
    { what: "a NUL as it is", body: `{"login":${l},"password":"${password}\u0000"}` },
    ...each(
      "half of a pair",
      ["\\ud800", "\\udc00", "\\udc00\\ud800", "\\ud83d\\ud83d"].flatMap((half) => [
        `{"login":"${login}${half}","password":${p}}`,
        `{"login":${l},"password":"${password}${half}"}`,
      ]),
    ),
    ...each(
      "bytes that are no UTF-8",
      [0x80, 0xc0, 0xc1, 0xf5, 0xfe, 0xff].flatMap((byte) => [
        withByte(`{"login":"${login}?","password":${p}}`, byte),
        withByte(`{"login":${l},"password":"${password}?"}`, byte),
      ]),
    ),
    {
      what: "an overlong letter",
      body: Buffer.from(`{"login":${l},"password":"${password}\xc1\xa1"}`, "latin1"),
    },
    {
      what: "a surrogate in UTF-8",
      body: Buffer.from(`{"login":${l},"password":"${password}\xed\xa0\x80"}`, "latin1"),
    },
    { what: "UTF-16, little end first", body: utf16(right, false) },
    { what: "UTF-16, big end first", body: utf16(right, true) },
    { what: "UTF-7", body: right.replaceAll('"', "+ACI-") },
    { what: "a byte order mark", body: `\ufeff${right}` },
    { what: "two byte order marks", body: `\ufeff\ufeff${right}` },
    ...each("no JSON", [
      `{${both},}`,
      `{${both}`,
      `${both}}`,
      `{${both}}}`,
      `{${both}} //`,
      `/**/${right}`,
      `{'login':${l},'password':${p}}`,
      `{login:${l},password:${p}}`,
      `{"login"=${l},"password"=${p}}`,
      `{"login":${l} "password":${p}}`,
      `(${right})`,
      `)]}',\n${right}`,
      `${right}\0`,
      `callback(${right})`,
      `{"login":${l},"password":NaN}`,
      `{"login":${l},"password":undefined}`,
      `{"login":"${login}\n","password":${p}}`,
      `{"login":"${login}\\x","password":${p}}`,
      `{"login":"${login}\\u12","password":${p}}`,
      `{"login":${l},"password":"${password}}`,
      `\u00a0${right}`,
      `\u2028${right}`,
      `${right}\u000b`,
    ]),
    ...each("deep", [
      `{${both},"a":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
      "[".repeat(50_000),
      `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`,
    ]),
    ...each("too long", [
      `{"login":"${"x".repeat(509)}","password":${p}}`,
      `{"login":${l},"password":"${password}${" ".repeat(1_024)}"}`,
      `{"login":"${login}${" ".repeat(600)}","password":${p}}`,
    ]),
    { what: "a password of 1 MB", body: `{"login":${l},"password":"${"x".repeat(1_048_576)}"}`, status: 413 },
    { what: "a megabyte of spaces", body: `${right}${" ".repeat(1_048_576)}`, status: 413 },
    ...[
      "text/plain",
      "application/x-www-form-urlencoded",
      "multipart/form-data; boundary=x",
      "text/xml",
      "application/xml",
      "application/grpc",
      "application/x-protobuf",
      "application/octet-stream",
      "text/html",
      "x",
    ].map((contentType) => ({ what: contentType, body: right, contentType, status: 415 })),
    { what: "a form", body: `login=${login}&password=${password}` },
    {
      what: "a form that says so",
      body: `login=${login}&password=${password}`,
      contentType: "application/x-www-form-urlencoded",
      status: 415,
    },
  ];
}

/** Well-formed sign-ins that are not right, however near they come. Few: each counts as a guess. */
export function wrongSignIns(
  login: string,
  password: string,
): readonly { login: string; password: string }[] {
  return [
    { login, password: `${password} ` },
    { login, password: ` ${password}` },
    { login, password: password.slice(0, -1) },
    { login, password: `${password}\u200b` },
    { login: `${login}'--`, password },
    { login: "' OR '1'='1", password: "' OR '1'='1" },
    { login: "%", password },
    { login: ".*", password },
    { login: `${login}\u200b`, password },
    { login: login.replace("o", "\u043e").replace("p", "\u0440"), password },
    {
      login: login.replace(/[a-z]/g, (letter) => String.fromCharCode(letter.charCodeAt(0) + 0xfee0)),
      password,
    },
    { login: `${login}\u0000`, password },
    { login: `\u0000${login}`, password },
    { login: `${login}@`, password },
    { login: `@${login}`, password },
    { login: "x".repeat(508), password },
    { login: "nobody_at_all", password: "x".repeat(1_024) },
  ];
}
