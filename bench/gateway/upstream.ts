// The service behind both gateways: answers are made beforehand, so that it costs the machine little.
import { create, toBinary, type DescMethod } from "@bufbuild/protobuf";
import { serve, serviceOf, type ServiceImpl } from "@chirrup/grpc";
import { FeedService, GetHomeFeedResponseSchema } from "@chirrup/proto/chirrup/feed/v1/feed_service";
import { GetPostResponseSchema, PostService } from "@chirrup/proto/chirrup/post/v1/post_service";
import { UserService } from "@chirrup/proto/chirrup/user/v1/user_service";

const post = (i: number) => ({
  id: 9_007_199_254_740_993n + BigInt(i),
  authorId: 123_456_789_012_345_678n,
  content: `A post of the usual length, which is about a hundred characters, with a é in it and a number: ${i}`,
  createdAt: { seconds: 1_790_000_000n, nanos: 123_000_000 },
  likeCount: 12n,
  commentCount: 3n,
});
const one = create(GetPostResponseSchema, { post: post(0) });
const page = create(GetHomeFeedResponseSchema, {
  items: Array.from({ length: 20 }, (_, i) => ({
    post: post(i),
    author: { id: 123_456_789_012_345_678n, username: `user_${i}`, displayName: `User number ${i}` },
    liked: i % 2 === 0,
  })),
  nextCursor: "bmV4dC1wYWdlLWN1cnNvcg",
});

async function* heartbeats() {
  for (let revision = 1n; ; revision += 1n) {
    yield { revoked: [], revision, caughtUp: true };
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function implement(methods: readonly DescMethod[], own: Record<string, unknown>): never {
  const none = methods.map(({ localName }) => [localName, () => Promise.resolve({})]);
  return { ...Object.fromEntries(none), ...own } as never;
}

const server = await serve({
  services: [
    serviceOf(
      PostService,
      implement(PostService.methods, { getPost: () => one }) as ServiceImpl<typeof PostService>,
    ),
    serviceOf(
      FeedService,
      implement(FeedService.methods, { getHomeFeed: () => page }) as ServiceImpl<typeof FeedService>,
    ),
    serviceOf(
      UserService,
      implement(UserService.methods, { watchRevocations: heartbeats }) as ServiceImpl<typeof UserService>,
    ),
  ],
  host: "127.0.0.1",
  port: Number(process.argv[2]),
});
process.stdout.write(
  `port ${server.port}, ${toBinary(GetPostResponseSchema, one).length} and ${toBinary(GetHomeFeedResponseSchema, page).length} bytes\n`,
);
// It ends with whoever started it.
// oxlint-disable-next-line unicorn/no-process-exit
process.stdin.resume().on("end", () => process.exit());
