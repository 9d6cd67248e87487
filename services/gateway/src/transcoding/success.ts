import { fromBinary, type DescMethod } from "@bufbuild/protobuf";
import type { Success as SuccessOption } from "@chirrup/proto/chirrup/gateway/v1/route";
import { parseTemplate } from "../routing/template.ts";
import { resolveFieldPath, valueAt, type FieldPath, type Fields } from "./field-path.ts";

/** The key of a service's initial metadata that names another status. */
export const statusKey = "x-http-code";

/** `chirrup.gateway.v1.Success` of a method, checked against its response. */
export interface Success {
  /** As declared. */
  readonly status: number;
  readonly hasLocation: boolean;
  /** Whether the service may name another. */
  readonly isFromService: boolean;
  /** What a response is answered with. `named` is what its metadata says; `refused` is that when it is no status. */
  of(
    response: Uint8Array,
    named: string | undefined,
  ): {
    readonly status: number;
    readonly location: string | undefined;
    readonly refused: string | undefined;
  };
}

/** Whether an answer of this status has no body (RFC 9110 section 6.4.1, and 205 by section 15.3.6). */
export function isWithoutBody(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

/** Throws when the status is none of a success, or the location is not made of the response's single primitives. */
export function compileSuccess(method: DescMethod, option: SuccessOption): Success {
  const fail = (reason: string): Error => new Error(`${method.toString()}: ${reason}`);
  if (method.methodKind === "server_streaming") throw fail("a stream's status is 200");
  const status = option.status === 0 ? 200 : option.status;
  if (status < 200 || status > 299) throw fail(`${status} is no status of a success`);
  const locate = option.location === "" ? undefined : compileLocation(method, option.location, fail);
  return {
    status,
    hasLocation: locate !== undefined,
    isFromService: option.statusFromService,
    of(response, named) {
      const given = option.statusFromService ? named : undefined;
      const isStatus = given !== undefined && /^[2-5][0-9]{2}$/.test(given);
      const chosen = isStatus ? Number(given) : status;
      return {
        status: chosen,
        // Another status may say that nothing was made.
        location: chosen === status ? locate?.(response) : undefined,
        refused: isStatus ? undefined : given,
      };
    },
  };
}

type Primitive = string | number | bigint | boolean;

function compileLocation(
  { output }: DescMethod,
  source: string,
  fail: (reason: string) => Error,
): (response: Uint8Array) => string {
  const { segments, variables, verb } = parseTemplate(source);
  const fields = new Map<number, FieldPath>();
  for (const { fieldPath, start, single } of variables) {
    const field = resolveFieldPath(output, fieldPath);
    if (!single || segments[start]?.kind !== "one") throw fail(`a variable of ${source} is not one segment`);
    if (field === undefined || (field.leaf.fieldKind !== "scalar" && field.leaf.fieldKind !== "enum"))
      throw fail(`${output.typeName} has no single primitive "${fieldPath.join(".")}" for its location`);
    fields.set(start, field);
  }
  const end = verb === undefined ? "" : `:${verb}`;
  return (response) => {
    const message: Fields = fromBinary(output, response);
    const texts = segments.map((segment, i) => {
      if (segment.kind === "literal") return segment.text;
      const field = fields.get(i);
      const value = field && (valueAt(message, field) as Primitive | undefined);
      return encodeURIComponent(String(value ?? ""));
    });
    return `/${texts.join("/")}${end}`;
  };
}
