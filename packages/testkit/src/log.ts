import { createLogger, type Logger } from "@chirrup/platform";

/** A logger that prints nothing. */
export function testLog(): Logger {
  return createLogger({ service: "test", level: "silent", format: "json" });
}
