import type { Call } from "@chirrup/platform";
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startGateway, startParts, type Parts, type TestGateway } from "./gateway.ts";
import { serveService } from "./services.ts";

/** Two services that answer writes with tokens of a number that grows, and one call as they saw it. */
async function serveWrites() {
  let count = 0;
  let seen: readonly string[] = [];
  const note = async (_request: unknown, call: Call): Promise<object> => {
    seen = call.consistency;
    return {};
  };
  const tokensOf = (name: string) => ({ afterWrite: async () => `${name}.t${++count}` });
  const post = await serveService(PostService, { likePost: note, getPost: note }, tokensOf("post"));
  const follow = await serveService(FollowService, { follow: note }, tokensOf("follow"));
  return {
    env: { POST_SERVICE: post.address, FOLLOW_SERVICE: follow.address },
    seen: () => seen,
    async close() {
      await Promise.all([post.close(), follow.close()]);
    },
  };
}

describe("consistency tokens", () => {
  let parts: Parts & AsyncDisposable;
  let writes: Awaited<ReturnType<typeof serveWrites>>;
  let gateway: TestGateway;
  let token: string;
  beforeAll(async () => {
    parts = await startParts();
    writes = await serveWrites();
    const services = { ...parts.services, env: { ...parts.services.env, ...writes.env } };
    gateway = await startGateway({}, { ...parts, services });
    token = await gateway.issuer.token();
  });
  afterAll(async () => {
    await gateway[Symbol.asyncDispose]();
    await writes.close();
    await parts[Symbol.asyncDispose]();
  });

  const like = (headers: Record<string, string> = {}) =>
    gateway.ask("PUT", "/api/v1/posts/1/like", { token, headers });
  const follow = (headers: Record<string, string> = {}) =>
    gateway.ask("PUT", "/api/v1/users/9/follow", { token, headers });
  /** The tokens that reach a service with a read. */
  const read = async (headers: Record<string, string | string[]>): Promise<readonly string[]> => {
    const { status } = await gateway.ask("GET", "/api/v1/posts/1", { token, headers });
    expect(status).toBe(200);
    return writes.seen();
  };

  it("come in a header that holds one for each service and is sent back as it came", async () => {
    const liked = await like();
    expect(liked.headers["consistency-token"]).toMatch(/^post\.t\d+$/);
    expect(liked.headers["set-cookie"]).toBeUndefined();

    const kept = String(liked.headers["consistency-token"]);
    const followed = String((await follow({ "consistency-token": kept })).headers["consistency-token"]);
    expect(followed).toMatch(/^post\.t\d+, follow\.t\d+$/);
    expect(await read({ "consistency-token": followed })).toEqual(followed.split(", "));

    const again = String((await like({ "consistency-token": followed })).headers["consistency-token"]);
    expect(again.split(", ")[0]).not.toBe(kept);
    expect(again.split(", ")[1]).toBe(followed.split(", ")[1]);
  });

  it("are a cookie for each service where a browser asks", async () => {
    const page = { "sec-fetch-site": "same-origin" };
    const [liked, followed] = [await like(page), await follow(page)];
    const cookies = [liked, followed].flatMap(({ headers }) => headers["set-cookie"] ?? []);
    expect(cookies).toEqual([
      expect.stringMatching(
        /^chirrup_consistency_post=post\.t\d+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/,
      ),
      expect.stringMatching(/^chirrup_consistency_follow=follow\.t\d+;/),
    ]);
    const pairs = cookies.map((cookie) => cookie.split(";")[0] ?? "");
    const values = pairs.map((pair) => pair.split("=")[1]);
    expect(await read({ ...page, cookie: pairs.join("; ") })).toEqual(values);
  });

  it("of a read are those it came with", async () => {
    const { headers } = await gateway.ask("GET", "/api/v1/posts/1", { token });
    expect(headers["consistency-token"]).toBeUndefined();
  });

  it("that are none are passed over", async () => {
    const junk = [
      "",
      ",",
      "post",
      "post.",
      ".x",
      "POST.x",
      "post.x y",
      "post.%0d%0a",
      `post.${"x".repeat(129)}`,
      "p=o.x",
      "\u00fc.x",
    ];
    for (const value of junk) {
      expect(await read({ "consistency-token": value })).toEqual([]);
      expect(await read({ cookie: `chirrup_consistency_post=${value}` })).toEqual([]);
    }
    const many = Array.from({ length: 40 }, (_, index) => `s${index}.x`);
    expect(await read({ "consistency-token": many.join(",") })).toHaveLength(16);
    expect(await read({ "consistency-token": ["post.a", "follow.b", "post.c"] })).toEqual([
      "post.a",
      "follow.b",
    ]);
  });

  it("cannot be set as metadata, and a client cannot ask for a primary", async () => {
    const seen = await read({
      "chirrup-consistency": "post.x",
      "grpc-metadata-chirrup-consistency": "post.x",
      "chirrup-reads": "primary",
    });
    expect(seen).toEqual([]);
  });

  it("are described by OpenAPI", async () => {
    const { paths } = (await gateway.ask("GET", "/openapi.json")).json();
    const { put, get } = { ...paths["/api/v1/posts/{postId}/like"], ...paths["/api/v1/posts/{postId}"] };
    expect(put.responses["200"].headers).toHaveProperty("Consistency-Token");
    expect(get.responses["200"].headers).not.toHaveProperty("Consistency-Token");
    expect(get.parameters).toContainEqual(
      expect.objectContaining({ name: "Consistency-Token", in: "header", required: false }),
    );
  });
});
