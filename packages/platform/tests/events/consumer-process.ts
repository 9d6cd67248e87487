import { appendFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import type { EventLog } from "@chirrup/platform";

// Handles the events of one group and writes `key number` for each into a file, until it is killed.
// Arguments: module that exports openLog, URL of the log, group, file.
const [module = "", url = "", group = "", file = ""] = process.argv.slice(2);
const { openLog } = (await import(module)) as { openLog(url: string): EventLog };
await openLog(url).subscribe({
  group,
  topics: ["posts"],
  async handle({ key, event }) {
    // A few slow ones, so that others of their partition are done long before them.
    await pause(Math.random() < 0.01 ? 400 : 1);
    appendFileSync(file, `${key} ${event.eventId}\n`);
  },
});
