import { pino, type DestinationStream } from "pino";

import { prettyLine } from "./pretty.ts";
import { describeError, redact } from "./redact.ts";

export type Logger = pino.Logger;

/** "json": one object a line, for machines; "pretty": one short line, for a terminal. */
export type LogFormat = "json" | "pretty";

export interface LoggerOptions {
  /** Stands in every line. */
  readonly service: string;
  /** The least level that is written. */
  readonly level: pino.LevelWithSilent;
  readonly format: LogFormat;
  /** Where lines go. Default: the standard output, written at once. */
  readonly destination?: DestinationStream;
}

/**
 * A structured logger. An error goes under the key `err`. Values under keys that speak of passwords, tokens, secrets,
 * cookies or authorization are replaced, at any depth, and so are passwords in URLs; `redact` has the details.
 */
export function createLogger(options: LoggerOptions): Logger {
  const output = options.destination ?? pino.destination({ dest: 1, sync: true });
  const destination: DestinationStream =
    options.format === "json" ? output : { write: (line) => output.write(prettyLine(line)) };
  const log = pino(
    {
      level: options.level,
      base: { service: options.service },
      timestamp: pino.stdTimeFunctions.isoTime,
      serializers: { err: describeError },
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => redact(fields),
      },
    },
    destination,
  );
  // pino passes a child's bindings through no formatter; children inherit the method.
  const { child } = log;
  log.child = function childOf(this: Logger, bindings, childOptions) {
    return child.call(this, redact(bindings), childOptions);
  } as typeof child;
  return log;
}
