/** A program for the tests of `runService`; PROGRAM says what it does. */
import { z } from "zod";

import { commonSettings, runService, setting, startAdminServer } from "../../src/index.ts";

await runService({
  name: "program",
  schema: z.object({ ...commonSettings, PROGRAM: setting.text() }),
  async start(life) {
    const { config, log, metrics, readiness } = life;
    const admin = await startAdminServer({
      host: config.HOST,
      port: config.HTTP_PORT,
      readiness,
      metrics,
      log,
    });
    life.onStop("store", () => log.info("store closed"));
    life.onStop("admin", async () => {
      const ready = await fetch(`http://127.0.0.1:${admin.port}/readyz`);
      log.info({ ready: ready.status, aborted: life.signal.aborted }, "draining");
      await admin.close();
    });
    log.info({ port: admin.port }, "listening");
    switch (config.PROGRAM) {
      case "fail":
        throw new Error("no store");
      case "uncaught":
        setImmediate(() => {
          throw new Error("a bug");
        });
        return;
      case "rejection":
        void Promise.reject(new Error("a bug"));
        return;
      case "leak":
        setInterval(() => {}, 1_000);
        return;
      case "stuck":
        life.onStop("stuck", () => new Promise<void>(() => {}));
        return;
      case "slow":
        await new Promise((_, reject) =>
          life.signal.addEventListener("abort", () => reject(new Error("told to stop"))),
        );
    }
  },
});
