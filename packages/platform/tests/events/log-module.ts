import { createLogger, createMetrics, type EventLog, openEventLog } from "@chirrup/platform";

/** Opens the log in a process of its own, on the carrier of the URL. */
export function openLog(url: string): EventLog {
  const log = createLogger({
    service: "consumer",
    level: "silent",
    format: "json",
  });
  return openEventLog({ url, log, metrics: createMetrics({ service: "consumer" }) });
}
