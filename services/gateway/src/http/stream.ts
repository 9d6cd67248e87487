import type { Failure } from "../errors/failure.ts";
import { failureJson } from "../errors/failure.ts";
import type { StreamForm } from "./accept.ts";

/** What one message, or the failure that ends a stream, is on the wire. */
export interface Framing {
  readonly contentType: string;
  message(json: Buffer): Buffer;
  failure(failure: Failure, requestId: string): Buffer;
}

const lineStart = Buffer.from('{"result":');
const lineEnd = Buffer.from("}\n");
const eventStart = Buffer.from("data: ");
const eventEnd = Buffer.from("\n\n");

const framings: Readonly<Record<StreamForm, Framing>> = {
  /** https://github.com/ndjson/ndjson-spec, each line with what it is: `{"result": …}`, or `{"error": …}` at the end. */
  lines: {
    contentType: "application/x-ndjson",
    message: (json) => Buffer.concat([lineStart, json, lineEnd]),
    failure: (failure, requestId) =>
      Buffer.from(`${JSON.stringify({ error: failureJson(failure, requestId) })}\n`),
  },
  /** https://html.spec.whatwg.org/multipage/server-sent-events.html; the event "error" ends it. */
  events: {
    contentType: "text/event-stream",
    message: (json) => Buffer.concat([eventStart, json, eventEnd]),
    failure: (failure, requestId) =>
      Buffer.from(`event: error\ndata: ${JSON.stringify(failureJson(failure, requestId))}\n\n`),
  },
};

export function framingOf(form: StreamForm): Framing {
  return framings[form];
}
