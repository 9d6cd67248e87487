import { runService } from "@chirrup/platform";
import { configSchema } from "./config.ts";
import { start } from "./start.ts";

await runService({
  name: "gateway",
  schema: configSchema,
  async start(life) {
    await start(life);
  },
});
