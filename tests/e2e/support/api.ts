import { randomBytes } from "node:crypto";
import { inject } from "vitest";
import "../global-setup.ts";
import { recordSecrets } from "./secret-scan.ts";

export interface ApiAnswer<T> {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: T;
}

export interface CallOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** An error as the API answers it. */
export interface ApiStatus {
  readonly code: number;
  readonly message: string;
  readonly details: readonly {
    readonly "@type": string;
    readonly fieldViolations?: readonly { readonly field: string; readonly description: string }[];
  }[];
}

/** Calls the API of this run's platform: `call("POST", "/api/v1/posts", …)`. */
// eslint-disable-next-line typescript/no-explicit-any -- a test reads the answer as it comes
export async function call<T = any>(
  method: string,
  path: string,
  options: CallOptions = {},
): Promise<ApiAnswer<T>> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.token !== undefined) headers["authorization"] = `Bearer ${options.token}`;
  const init: RequestInit = { method, headers };
  if (options.body !== undefined) {
    headers["content-type"] ??= "application/json";
    init.body = typeof options.body === "string" ? options.body : JSON.stringify(options.body);
  }
  const response = await fetch(`${inject("gatewayUrl")}${path}`, init);
  const text = await response.text();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    json = undefined;
  }
  return { status: response.status, headers: response.headers, text, json: json as T };
}

/** The fields that a 400 names. */
export function violatedFields(answer: ApiAnswer<ApiStatus>): string[] {
  return answer.json.details.flatMap(({ fieldViolations = [] }) => fieldViolations.map(({ field }) => field));
}

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly password: string;
  readonly token: string;
  readonly refreshToken: string;
}

/** A new account, signed in. */
export async function newPerson(prefix = "p"): Promise<Person> {
  const username = `${prefix}_${randomBytes(6).toString("hex")}`;
  const password = `pw-${randomBytes(9).toString("base64url")}`;
  const answer = await call<{ user: { id: string }; accessToken: string; refreshToken: string }>(
    "POST",
    "/api/v1/register",
    { body: { username, email: `${username}@example.com`, password } },
  );
  if (answer.status !== 200) throw new Error(`register answered ${answer.status}: ${answer.text}`);
  const { user, accessToken, refreshToken } = answer.json;
  recordSecrets(inject("platformHome"), [password, accessToken, refreshToken]);
  return { id: user.id, username, password, token: accessToken, refreshToken };
}

export interface FeedPage {
  readonly items: readonly {
    readonly post: { readonly id: string; readonly content: string; readonly likeCount: string };
    readonly author: { readonly id: string; readonly username: string };
    readonly liked: boolean;
  }[];
  readonly nextCursor: string;
}

/** A page; with the consistency token of an answer, one that has what was written. */
export async function feedOf(person: Person, query = "", written?: string): Promise<FeedPage> {
  const headers: Record<string, string> = written === undefined ? {} : { "consistency-token": written };
  const answer = await call<FeedPage>("GET", `/api/v1/feed${query}`, { token: person.token, headers });
  if (answer.status !== 200) throw new Error(`feed answered ${answer.status}: ${answer.text}`);
  return answer.json;
}

export async function postAs(person: Person, content: string): Promise<string> {
  const answer = await call<{ post: { id: string } }>("POST", "/api/v1/posts", {
    token: person.token,
    body: { content },
  });
  if (answer.status !== 200) throw new Error(`post answered ${answer.status}: ${answer.text}`);
  return answer.json.post.id;
}
