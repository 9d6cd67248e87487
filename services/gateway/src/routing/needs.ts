import { getOption, type DescField, type DescMessage, type DescMethod, ScalarType } from "@bufbuild/protobuf";
import { compileSuccess, type Success } from "../transcoding/success.ts";
import { Access, needs as needsOption } from "@chirrup/proto/chirrup/gateway/v1/route";

/** A string field of a message and the configured cookie that goes with it. */
export interface CookieField {
  readonly cookie: string;
  readonly field: DescField;
}

/** `chirrup.gateway.v1.needs` of a method, checked against its messages. */
export interface Needs {
  readonly isPublic: boolean;
  /** Tokens that a call takes from each bucket: 1 or more. */
  readonly cost: number;
  /** Undefined for a stream without the option: it lasts as long as client and service want. */
  readonly deadlineMs: number | undefined;
  readonly setsCookies: readonly CookieField[];
  readonly readsCookies: readonly CookieField[];
  readonly clearsCookies: readonly string[];
  readonly provesOrigin: boolean;
  /** Undefined: 200. */
  readonly success: Success | undefined;
  readonly json: {
    readonly allowUnknown: boolean;
    readonly omitDefaults: boolean;
    readonly protoNames: boolean;
  };
}

/**
 * What a method needs. A method without the option is for signed-in callers.
 *
 * Throws when it names a cookie that is not configured, or a field that is not a string of its message.
 */
export function readNeeds(
  method: DescMethod,
  options: { readonly defaultDeadlineMs: number; readonly cookieNames: ReadonlySet<string> },
): Needs {
  const { access, cost, deadline, setsCookies, readsCookies, clearsCookies, provesOrigin, json, success } =
    getOption(method, needsOption);
  const known = (cookie: string): string => {
    if (!options.cookieNames.has(cookie))
      throw new Error(`${method.toString()}: no cookie "${cookie}" is configured`);
    return cookie;
  };
  const bound = (message: DescMessage, list: typeof setsCookies | typeof readsCookies): CookieField[] =>
    list.map(({ cookie, field }) => ({ cookie: known(cookie), field: stringField(method, message, field) }));

  return {
    isPublic: access === Access.PUBLIC,
    cost: Math.max(1, cost),
    deadlineMs:
      deadline === undefined
        ? method.methodKind === "server_streaming"
          ? undefined
          : options.defaultDeadlineMs
        : Number(deadline.seconds) * 1000 + Math.ceil(deadline.nanos / 1e6),
    setsCookies: bound(method.output, setsCookies),
    readsCookies: bound(method.input, readsCookies),
    clearsCookies: clearsCookies.map(known),
    provesOrigin,
    success: success && compileSuccess(method, success),
    json: {
      allowUnknown: json?.allowUnknown ?? false,
      omitDefaults: json?.omitDefaults ?? false,
      protoNames: json?.protoNames ?? false,
    },
  };
}

function stringField(method: DescMethod, message: DescMessage, name: string): DescField {
  const field = message.fields.find((candidate) => candidate.name === name);
  if (field?.fieldKind !== "scalar" || field.scalar !== ScalarType.STRING || field.oneof !== undefined) {
    throw new Error(`${method.toString()}: ${message.typeName} has no string field "${name}" for a cookie`);
  }
  return field;
}
