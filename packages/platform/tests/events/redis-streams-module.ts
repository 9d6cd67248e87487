import { createLogger, createMetrics, type EventLog, openEventLog } from "@chirrup/platform";

/** Opens the embedded carrier in a process of its own. */
export function openLog(url: string): EventLog {
  const log = createLogger({ service: "consumer", level: "silent", format: "json" });
  return openEventLog({ url, log, metrics: createMetrics({ service: "consumer" }) });
}
