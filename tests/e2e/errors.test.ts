import { beforeAll, describe, expect, it } from "vitest";
import { type ApiStatus, call, newPerson, type Person, postAs, violatedFields } from "./support/api.ts";

const nobody = "1234567890123456789";
let me: Person;
let other: Person;
let theirPost: string;

beforeAll(async () => {
  [me, other] = await Promise.all([newPerson(), newPerson()]);
  theirPost = await postAs(other, "not yours");
});

describe("bad input", () => {
  it.each([
    [
      "POST",
      "/api/v1/register",
      { username: "x", email: "no", password: "short" },
      ["username", "email", "password"],
    ],
    ["POST", "/api/v1/posts", { content: "" }, ["content"]],
    ["POST", "/api/v1/posts", { content: " \n\t" }, ["content"]],
    ["POST", "/api/v1/posts", { content: "é".repeat(5001) }, ["content"]],
    ["POST", "/api/v1/posts", {}, ["content"]],
    ["POST", "/api/v1/posts", { content: 7 }, ["content"]],
    ["POST", "/api/v1/posts", { content: "x", extra: 1 }, ["extra"]],
    ["GET", "/api/v1/users/abc", undefined, ["userId"]],
    ["GET", "/api/v1/users/99999999999999999999", undefined, ["userId"]],
    ["GET", "/api/v1/feed?page_size=-1", undefined, ["pageSize"]],
    ["GET", "/api/v1/feed?page_size=many", undefined, ["pageSize"]],
    ["GET", "/api/v1/feed?cursor=junk", undefined, ["cursor"]],
    ["GET", "/api/v1/feed?colour=red", undefined, ["colour"]],
    ["GET", "/api/v1/posts", undefined, ["ids"]],
  ])("%s %s %j names the fields", async (method, path, body, fields) => {
    const answer = await call<ApiStatus>(method, path, {
      token: me.token,
      ...(body === undefined ? {} : { body }),
    });
    expect(answer.status, answer.text).toBe(400);
    expect(answer.json.code).toBe(3);
    expect(violatedFields(answer).toSorted()).toEqual(fields.toSorted());
  });

  it.each(["null", "[]", '"text"', "7", "{", "{} {}"])("refuses the body %s", async (body) => {
    const answer = await call<ApiStatus>("POST", "/api/v1/posts", { token: me.token, body });
    expect(answer.status).toBe(400);
    expect(answer.json.code).toBe(3);
  });

  it("refuses to follow oneself", async () => {
    expect((await call("PUT", `/api/v1/users/${me.id}/follow`, { token: me.token })).status).toBe(400);
  });

  it("takes a page size of 0 as the default and of 1,000 as 100", async () => {
    for (const size of ["0", "1000"]) {
      expect((await call("GET", `/api/v1/feed?page_size=${size}`, { token: me.token })).status).toBe(200);
    }
  });

  it("keeps a cursor to the list and the caller it was made for", async () => {
    const [a, b] = await Promise.all([newPerson(), newPerson()]);
    await postAs(a, "one");
    await postAs(a, "two");
    const { json } = await call("GET", `/api/v1/users/${a.id}/posts?page_size=1`, { token: a.token });
    const path = (user: Person): string => `/api/v1/users/${user.id}/posts?cursor=${json.nextCursor}`;
    expect((await call("GET", path(a), { token: a.token })).json.posts).toHaveLength(1);
    expect((await call("GET", path(b), { token: a.token })).status).toBe(400);
  });
});

describe("what is not there", () => {
  it.each([
    ["GET", `/api/v1/users/${nobody}`],
    ["GET", "/api/v1/usernames/nobody_at_all"],
    ["PUT", `/api/v1/users/${nobody}/follow`],
    ["DELETE", `/api/v1/users/${nobody}/follow`],
    ["GET", `/api/v1/users/${nobody}/followers`],
    ["GET", `/api/v1/users/${nobody}/following`],
    ["GET", `/api/v1/users/${nobody}/relationship`],
    ["GET", `/api/v1/users/${nobody}/posts`],
    ["GET", `/api/v1/posts/${nobody}`],
    ["DELETE", `/api/v1/posts/${nobody}`],
    ["GET", `/api/v1/posts/${nobody}/comments`],
    ["GET", `/api/v1/posts/${nobody}/likes`],
    ["PUT", `/api/v1/posts/${nobody}/like`],
    ["DELETE", `/api/v1/comments/${nobody}`],
    ["DELETE", `/api/v1/me/sessions/${nobody}`],
    ["GET", "/api/v1/nothing"],
    ["GET", "/"],
  ])("%s %s is 404", async (method, path) => {
    const answer = await call<ApiStatus>(method, path, { token: me.token });
    expect(answer.status, answer.text).toBe(404);
    expect(answer.json.code).toBe(5);
  });
});

describe("what is not allowed", () => {
  it("answers 403 for another's post and comment", async () => {
    expect((await call("DELETE", `/api/v1/posts/${theirPost}`, { token: me.token })).status).toBe(403);
    const { json } = await call("POST", `/api/v1/posts/${theirPost}/comments`, {
      token: other.token,
      body: { content: "mine" },
    });
    expect((await call("DELETE", `/api/v1/comments/${json.comment.id}`, { token: me.token })).status).toBe(
      403,
    );
  });

  it.each([
    ["GET", "/api/v1/me"],
    ["GET", "/api/v1/feed"],
    ["POST", "/api/v1/posts"],
    ["GET", "/api/v1/users/1"],
    ["PUT", "/api/v1/users/1/follow"],
    ["DELETE", "/api/v1/me"],
  ])("answers 401 to %s %s without a token and with a bad one", async (method, path) => {
    for (const token of [undefined, "junk", "a.b.c", `${me.token}x`]) {
      const answer = await call<ApiStatus>(method, path, token === undefined ? {} : { token });
      expect(answer.status, answer.text).toBe(401);
      expect(answer.json.code).toBe(16);
    }
  });

  it("answers 401 to a wrong password and an unknown name, with one text", async () => {
    const answers = await Promise.all(
      [me.username, "nobody_at_all"].map((login) =>
        call<ApiStatus>("POST", "/api/v1/login", { body: { login, password: "wrong password" } }),
      ),
    );
    expect(answers.map(({ status }) => status)).toEqual([401, 401]);
    expect(answers[0]?.json.message).toBe(answers[1]?.json.message);
  });

  it("answers 409 to a name and an address that are taken", async () => {
    const answer = await call("POST", "/api/v1/register", {
      body: { username: me.username.toUpperCase(), email: "fresh@example.com", password: "long enough" },
    });
    expect(answer.status).toBe(409);
  });

  it("believes no identity that the client sends", async () => {
    const answer = await call("GET", "/api/v1/me", {
      token: me.token,
      headers: { "chirrup-user-id": other.id, "grpc-metadata-chirrup-user-id": other.id },
    });
    expect(answer.json.user.id).toBe(me.id);
    const forged = await call("POST", "/api/v1/posts", {
      token: me.token,
      body: { content: "x", authorId: other.id },
    });
    expect(forged.status).toBe(400);
  });

  it("does not reach internal rpcs", async () => {
    for (const path of [
      "/chirrup.post.v1.PostService/ListByAuthors",
      "/chirrup.user.v1.UserService/CheckSession",
    ]) {
      expect((await call("POST", path, { token: me.token, body: {} })).status).toBe(404);
    }
  });
});

describe("an answer", () => {
  it("gives nothing of the inside away", async () => {
    const answers = await Promise.all([
      call("GET", "/api/v1/users/9223372036854775807", { token: me.token }),
      call("POST", "/api/v1/posts", { token: me.token, body: { content: "\0" } }),
      call("POST", "/api/v1/posts", { token: me.token, body: '{"content":"\\ud800"}' }),
      call("GET", "/api/v1/usernames/%27%3B%20drop%20table%20accounts--", { token: me.token }),
      call("GET", "/api/v1/%ff", { token: me.token }),
    ]);
    for (const { status, text } of answers) {
      expect(status, text).toBeGreaterThanOrEqual(400);
      expect(status, text).toBeLessThan(500);
      expect(text).not.toMatch(/select |postgres|127\.0\.0\.1|node_modules|\.ts:|at .*\(/i);
    }
  });

  it("carries a request id, and the caller's own when it is well formed", async () => {
    const own = await call("GET", "/api/v1/me", {
      token: me.token,
      headers: { "x-request-id": "my-request-1" },
    });
    expect(own.headers.get("x-request-id")).toBe("my-request-1");
    expect((await call("GET", "/api/v1/me")).headers.get("x-request-id")).toMatch(/^[\w-]{8,}$/);
  });
});
