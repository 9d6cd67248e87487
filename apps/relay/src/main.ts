import { runService, startAdminServer } from "@chirrup/platform";
import { configSchema } from "./config.ts";
import { startRelay } from "./relay.ts";

await runService({
  name: "relay",
  schema: configSchema,
  async start({ config: { HOST, HTTP_PORT, SOURCES, EVENT_LOG_URL, MIN_RETENTION_MS }, ...life }) {
    const { log, metrics, readiness } = life;
    const relay = startRelay({
      sources: SOURCES,
      eventLogUrl: EVENT_LOG_URL,
      minRetentionMs: MIN_RETENTION_MS,
      log,
      metrics,
      readiness,
    });
    life.onStop("relay", () => relay.close());
    const admin = await startAdminServer({ host: HOST, port: HTTP_PORT, readiness, metrics, log });
    life.onStop("admin server", () => admin.close());
    log.info({ port: admin.port }, "listening");
  },
});
