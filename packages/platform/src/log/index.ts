export { createLogger, type LoggerOptions, type LogFormat, type Logger } from "./logger.ts";
export { redact } from "./redact.ts";
