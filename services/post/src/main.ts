import {
  createCursors,
  followEvents,
  openEventLog,
  openPeer,
  openServiceDatabase,
  peerTls,
  runService,
  serveRpc,
  startAdminServer,
  topics,
} from "@chirrup/platform";
import { PostService } from "@chirrup/proto/chirrup/post/v1/post_service";

import { createUsers } from "./clients/user.ts";
import { configSchema } from "./config.ts";
import { createUsersConsumer } from "./consumers/users.ts";
import { createHandlers } from "./server.ts";

await runService({
  name: "post",
  schema: configSchema,
  async start(life) {
    const { config, log, metrics, readiness, signal, onStop } = life;
    const admin = await startAdminServer({
      host: config.HOST,
      port: config.HTTP_PORT,
      readiness,
      metrics,
      log,
    });
    onStop("admin server", () => admin.close());

    const { primary: postgres, reads, tokens, ids } = await openServiceDatabase("post", life);
    const tls = peerTls({ folder: config.PEER_TLS_DIR, log, signal });
    const userService = openPeer(config.USER_SERVICE, config.PEER_SECRET, { tls });
    onStop("user service", () => userService.close());

    const server = await serveRpc({
      service: PostService,
      handlers: createHandlers({
        postgres,
        reads,
        ids,
        cursors: createCursors(config.CURSOR_SECRET),
        users: createUsers(userService),
        editWindowMs: config.POST_EDIT_WINDOW_MS,
      }),
      host: config.HOST,
      port: config.GRPC_PORT,
      peerSecret: config.PEER_SECRET,
      tokens,
      tls,
      log,
      metrics,
    });
    onStop("rpc server", () => server.close(config.SHUTDOWN_GRACE_MS));

    const eventLog = openEventLog({ url: config.EVENT_LOG_URL, log, metrics });
    onStop("event log", () => eventLog.close());
    const handle = createUsersConsumer({ postgres, ids, log });
    followEvents(eventLog, { group: "post", topics: [topics.users], handle }, { log, signal });
  },
});
