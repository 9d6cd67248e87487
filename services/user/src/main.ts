import { runService } from "@chirrup/platform";
import { configSchema } from "./config.ts";
import { start } from "./start.ts";

await runService({
  name: "user",
  schema: configSchema,
  async start(life) {
    await start(life);
  },
});
