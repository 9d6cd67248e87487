import { badHttp } from "../errors/failure.ts";

/** Whether an Accept header (RFC 9110 section 12.5.1) takes a media type. Without the header all is taken. */
function accepts(accept: string | undefined, type: string): boolean {
  if (accept === undefined || accept === "*/*" || accept === type) return true;
  const [group = ""] = type.split("/");
  return ranges(accept).some((range) => range === type || range === `${group}/*` || range === "*/*");
}

/** Media ranges with a weight above 0. */
function ranges(accept: string): string[] {
  return accept
    .toLowerCase()
    .split(",")
    .flatMap((part) => {
      const [range = "", ...parameters] = part.split(";").map((piece) => piece.trim());
      return parameters.some((parameter) => /^q=0(?:\.0{0,3})?$/.test(parameter)) ? [] : [range];
    });
}

const problemType = "application/problem+json";

/** Whether errors are wanted as RFC 9457 has them: only who names the type gets it. */
export function wantsProblem(accept: string | undefined): boolean {
  return accept?.includes("problem") === true && ranges(accept).includes(problemType);
}

/** Throws 406 when an answer in JSON is not wanted. */
export function checkAcceptsJson(accept: string | undefined): void {
  if (!accepts(accept, "application/json") && !wantsProblem(accept)) throw notAcceptable("application/json");
}

export type StreamForm = "events" | "lines";

/** How a stream is written: as events only for who names them, else as lines. Throws 406 for who wants neither. */
export function streamFormOf(accept: string | undefined): StreamForm {
  if (accept !== undefined && ranges(accept).includes("text/event-stream")) return "events";
  if (accepts(accept, "application/x-ndjson") || accepts(accept, "application/json")) return "lines";
  throw notAcceptable("application/x-ndjson or text/event-stream");
}

function notAcceptable(types: string): Error {
  return badHttp(406, "NOT_ACCEPTABLE", `the answer is ${types}`);
}
