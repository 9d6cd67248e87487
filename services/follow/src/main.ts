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
import { FollowService } from "@chirrup/proto/chirrup/follow/v1/follow_service";
import { createUsers } from "./clients/user.ts";
import { configSchema, thresholdsOf } from "./config.ts";
import { createUsersConsumer } from "./consumers/users.ts";
import { foldUntilStopped } from "./jobs/fold-followers.ts";
import { reconcileUntilDone } from "./jobs/reconcile-celebrity-states.ts";
import { createHandlers } from "./server.ts";

await runService({
  name: "follow",
  schema: configSchema,
  async start(life) {
    const { config, log, metrics, readiness, signal, onStop } = life;
    const { HOST: host, PEER_SECRET: peerSecret } = config;
    const admin = await startAdminServer({ host, port: config.HTTP_PORT, readiness, metrics, log });
    onStop("admin server", () => admin.close());

    const { primary: postgres, reads, tokens, ids } = await openServiceDatabase("follow", life);
    const tls = peerTls({ folder: config.PEER_TLS_DIR, log, signal });
    const userService = openPeer(config.USER_SERVICE, peerSecret, { tls });
    onStop("user service", () => userService.close());

    const thresholds = thresholdsOf(config);
    const reconciled = reconcileUntilDone({ postgres, ids, thresholds }, log, signal);
    onStop("reconciliation", () => reconciled);

    const folding = foldUntilStopped({ postgres, ids, thresholds }, log, signal);
    onStop("folding", () => folding);

    const cursors = createCursors(config.CURSOR_SECRET);
    const server = await serveRpc({
      service: FollowService,
      handlers: createHandlers({
        postgres,
        reads,
        ids,
        cursors,
        users: createUsers(userService),
        thresholds,
      }),
      host,
      port: config.GRPC_PORT,
      peerSecret,
      tokens,
      tls,
      log,
      metrics,
    });
    onStop("rpc server", () => server.close(config.SHUTDOWN_GRACE_MS));

    const eventLog = openEventLog({ url: config.EVENT_LOG_URL, log, metrics });
    onStop("event log", () => eventLog.close());
    const handle = createUsersConsumer({ postgres, ids, log });
    followEvents(eventLog, { group: "follow", topics: [topics.users], handle }, { log, signal });
  },
});
