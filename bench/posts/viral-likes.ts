import { createClient, Metadata } from "@chirrup/grpc";
import { metadataKeys, openPeer } from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { peerSecret, type Stage } from "./processes.ts";

const concurrency = 256;

/** One run of likes on one post. */
export interface ViralRun {
  readonly likesPerS: number;
  readonly serviceCpuUs: number;
}

/** As many users as `likes` like one new post, 256 at a time. Throws when the count is not exact afterwards. */
export async function likeOnePost(
  stage: Stage,
  who: "service" | "updateRow",
  postId: bigint,
  likes: number,
): Promise<ViralRun> {
  const program = stage[who];
  await insertPost(stage, who, postId);
  const channel = openPeer(program.address, peerSecret);
  const client = createClient(PostService, channel);
  let next = 0;
  const cpuBefore = program.cpuUs();
  const startMs = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async () => {
      while (next < likes) {
        next += 1;
        await client.likePost({ postId }, { metadata: as(BigInt(next)), timeoutMs: 60_000 });
      }
    }),
  );
  const seconds = (performance.now() - startMs) / 1_000;
  const serviceCpuUs = (program.cpuUs() - cpuBefore) / likes;
  channel.close();
  const count = await countOf(stage, who, postId);
  if (count !== BigInt(likes)) throw new Error(`${who} counted ${count} of ${likes} likes`);
  return { likesPerS: likes / seconds, serviceCpuUs };
}

function as(userId: bigint): Metadata {
  return Metadata.from({ [metadataKeys.userId]: String(userId), [metadataKeys.sessionId]: "1" });
}

async function insertPost({ postgres }: Stage, who: keyof Pick<Stage, "service" | "updateRow">, id: bigint) {
  await postgres.query({
    name: `bench-post-${who}`,
    text:
      who === "service"
        ? "insert into posts (id, author_id, content) values ($1, 1, 'viral')"
        : "insert into row_posts (id) values ($1)",
    values: [id],
  });
}

async function countOf({ postgres }: Stage, who: "service" | "updateRow", id: bigint): Promise<bigint> {
  const [row] = await postgres.query<{ likes: bigint }>({
    name: `bench-count-${who}`,
    text:
      who === "service"
        ? "select sum(likes)::bigint as likes from post_counts where post_id = $1"
        : "select likes from row_posts where id = $1",
    values: [id],
  });
  return row?.likes ?? 0n;
}

/** The plain counterpart's tables: the same indexes on likes, a count in the post's row. */
export async function makeRowTables({ postgres }: Stage): Promise<void> {
  const statements = [
    "create table row_posts (id bigint primary key, likes bigint not null default 0) with (fillfactor = 70)",
    `create table row_likes (post_id bigint not null references row_posts on delete cascade,
      user_id bigint not null, id bigint not null, primary key (user_id, post_id))`,
    "create unique index row_likes_by_post on row_likes (post_id, id) include (user_id)",
  ];
  for (const [index, text] of statements.entries())
    await postgres.query({ name: `bench-table-${index}`, text });
}
