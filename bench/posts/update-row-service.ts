/**
 * What one would write first: a service whose LikePost is a row and `UPDATE … likes = likes + 1` in one
 * transaction. Everything around it, server, pool and Postgres, is what the post service has.
 *
 * Arguments: port, Postgres URL, peer secret.
 */
import { GrpcError, Status } from "@chirrup/grpc";
import {
  createLogger,
  createMetrics,
  type Handlers,
  openPostgres,
  requireCaller,
  serveRpc,
} from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

const [port = "0", url = "", peerSecret = ""] = process.argv.slice(2);
const log = createLogger({ service: "update-row", level: "error", format: "json" });
const postgres = openPostgres({ url, applicationName: "update-row", log });
let lastId = BigInt(Date.now()) << 20n;

const others = PostService.methods.map(({ localName }) => [
  localName,
  () => Promise.reject(new GrpcError(Status.UNIMPLEMENTED, localName)),
]);
const handlers: Handlers<typeof PostService> = {
  ...(Object.fromEntries(others) as Handlers<typeof PostService>),
  likePost: async ({ postId }, call) => {
    const { userId } = requireCaller(call);
    await postgres.transaction(async (tx) => {
      const added = await tx.query({
        name: "like",
        text: "insert into row_likes (post_id, user_id, id) values ($1, $2, $3) on conflict do nothing returning 1",
        values: [postId, userId, ++lastId],
      });
      if (added.length === 0) return;
      await tx.query({
        name: "count",
        text: "update row_posts set likes = likes + 1 where id = $1",
        values: [postId],
      });
    });
    return {};
  },
};

await serveRpc({
  service: PostService,
  handlers,
  host: "127.0.0.1",
  port: Number(port),
  peerSecret,
  log,
  metrics: createMetrics({ service: "update-row" }),
});
