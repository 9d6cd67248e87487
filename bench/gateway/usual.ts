/* oxlint-disable oxc/no-async-endpoint-handlers -- fastify takes them */
// What a team writes that has no gateway: fastify, grpc-js, and a handler by hand for each route. It verifies and keeps
// tokens, limits by the same script and the same three rules, and calls the same service.
import { createHash, createPublicKey, verify } from "node:crypto";
import { readFileSync } from "node:fs";
import { fromBinary, toBinary, type DescMethodUnary, type MessageShape } from "@bufbuild/protobuf";
// The peer under comparison is this library itself.
// oxlint-disable-next-line no-restricted-imports
import { Client, credentials, Metadata } from "@grpc/grpc-js";
import { createLogger, openRedis } from "@chirrup/platform";
import { FeedService } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { PostService, type Post } from "@chirrup/proto/chirrup/post/v1/post_service";
import { timestampDate } from "@bufbuild/protobuf/wkt";
import Fastify from "fastify";

const [port, upstream = "", redisUrl = "", jwksUrl = "", issuer, audience] = process.argv.slice(2);

const client = new Client(upstream, credentials.createInsecure());
const call = <M extends DescMethodUnary>(method: M, request: MessageShape<M["input"]>, metadata: Metadata) =>
  new Promise<MessageShape<M["output"]>>((resolve, reject) => {
    client.makeUnaryRequest(
      `/${method.parent.typeName}/${method.name}`,
      (message: MessageShape<M["input"]>) => Buffer.from(toBinary(method.input, message)),
      (bytes: Buffer) => fromBinary(method.output, bytes) as MessageShape<M["output"]>,
      request,
      metadata,
      { deadline: Date.now() + 5_000 },
      (error, response) => {
        if (error === null && response !== undefined) resolve(response);
        else reject(error ?? new Error("nothing came"));
      },
    );
  });

const redis = openRedis({
  url: redisUrl,
  log: createLogger({ service: "usual", level: "error", format: "json" }),
  name: "usual",
});
const script = readFileSync(new URL("../../services/gateway/lua/token-bucket.lua", import.meta.url), "utf8");
const hash = createHash("sha1").update(script).digest("hex");
await redis.script("LOAD", script);

const keys = (await (await fetch(jwksUrl)).json()) as { keys: [object] };
const key = createPublicKey({ key: keys.keys[0], format: "jwk" });
interface Claims {
  readonly sub: string;
  readonly sid: string;
  readonly exp: number;
}
const verified = new Map<string, Claims>();
function identify(header: string | undefined): Claims | undefined {
  const token = header?.slice(7) ?? "";
  const known = verified.get(token);
  if (known !== undefined) return known.exp > Date.now() / 1000 ? known : undefined;
  const [head, body = "", signature = ""] = token.split(".");
  if (!verify(null, Buffer.from(`${head}.${body}`), key, Buffer.from(signature, "base64url")))
    return undefined;
  const claims = JSON.parse(Buffer.from(body, "base64url").toString()) as Claims & {
    iss: string;
    aud: string;
  };
  if (claims.iss !== issuer || claims.aud !== audience) return undefined;
  verified.set(token, claims);
  return claims;
}

const app = Fastify({ logger: { level: "warn" } });
app.decorateRequest("claims", null);
app.addHook("preHandler", async (request, reply) => {
  const claims = identify(request.headers.authorization);
  if (claims === undefined) return reply.code(401).send({ code: 16, message: "sign in first" });
  (request as unknown as { claims: Claims }).claims = claims;
  const ip = `rate:{ip:${request.ip}}:usual`;
  const user = `rate:{user:${claims.sub}}:usual`;
  const route = `${user}:${request.routeOptions.url}`;
  const [byAddress, byUser] = (await Promise.all([
    redis.evalsha(hash, 1, ip, 1, 100_000_000, 60_000, 100_000_000),
    redis.evalsha(hash, 2, user, route, 1, 10_000_000, 60_000, 10_000_000, 1_000_000, 60_000, 1_000_000),
  ])) as [number[], number[]];
  void reply.header("ratelimit", `"user";r=${byUser[0]};t=1`);
  if ((byAddress[1] ?? 0) > 0 || (byUser[1] ?? 0) > 0) return reply.code(429).send({ code: 8 });
});

const metadataOf = (request: { id: string; ip: string }): Metadata => {
  const { sub, sid } = (request as unknown as { claims: Claims }).claims;
  const metadata = new Metadata();
  metadata.set("chirrup-request-id", request.id);
  metadata.set("chirrup-client-address", request.ip);
  metadata.set("chirrup-user-id", sub);
  metadata.set("chirrup-session-id", sid);
  return metadata;
};
const postJson = (post: Post | undefined) =>
  post && {
    id: String(post.id),
    authorId: String(post.authorId),
    content: post.content,
    createdAt: post.createdAt && timestampDate(post.createdAt).toISOString(),
    likeCount: String(post.likeCount),
    commentCount: String(post.commentCount),
  };

app.get("/api/v1/posts/:postId", async (request) => {
  const { postId } = request.params as { postId: string };
  const message = { $typeName: PostService.method.getPost.input.typeName, postId: BigInt(postId) } as const;
  const { post } = await call(PostService.method.getPost, message, metadataOf(request));
  return { post: postJson(post) };
});
app.get("/api/v1/feed", async (request) => {
  const { cursor = "", page_size: size = "0" } = request.query as Record<string, string>;
  const message = {
    $typeName: FeedService.method.getHomeFeed.input.typeName,
    cursor,
    pageSize: Number(size),
  } as const;
  const page = await call(FeedService.method.getHomeFeed, message, metadataOf(request));
  return {
    items: page.items.map(({ post, author, liked }) => ({
      post: postJson(post),
      author: author && {
        id: String(author.id),
        username: author.username,
        displayName: author.displayName,
      },
      liked,
    })),
    nextCursor: page.nextCursor,
  };
});
await app.listen({ host: "127.0.0.1", port: Number(port) });
process.stdout.write("listening\n");
// It ends with whoever started it.
// oxlint-disable-next-line unicorn/no-process-exit
process.stdin.resume().on("end", () => process.exit());
