import { create, type DescMessage, type DescService, type Message } from "@bufbuild/protobuf";
import { createValidator, type Violation } from "@bufbuild/protovalidate";

import { invalidArgument, type FieldViolation } from "../errors/index.ts";

/**
 * Holds requests to the rules that their protos state as `(buf.validate.field)`: bounds, forms and counts, as sent.
 * What takes more than the form, a length after NFC say, is the handlers' to check.
 */
export interface RequestRules {
  /** @throws INVALID_ARGUMENT that names every field that breaks a rule, by its JSON name. */
  check(schema: DescMessage, request: Message): void;
}

/** Compiles the rules of all the service's requests now, so that a wrong rule ends the start and not a call. */
export function createRequestRules(service: DescService): RequestRules {
  const validator = createValidator({ regexMatch });
  for (const { input } of service.methods) {
    const compiled = validator.validate(input, create(input));
    if (compiled.kind === "error") throw compiled.error;
  }
  return {
    check(schema, request) {
      const result = validator.validate(schema, request);
      if (result.kind === "valid") return;
      if (result.kind === "error") throw result.error;
      throw invalidArgument(violationsOf(result.violations));
    },
  };
}

function violationsOf(violations: readonly Violation[]): FieldViolation[] {
  const told = new Map<string, string>();
  for (const { field, message } of violations) {
    const name = field.flatMap((part) => (part.kind === "field" ? [part.jsonName] : [])).join(".");
    if (!told.has(name)) told.set(name, message);
  }
  return [...told].map(([field, description]) => ({ field, description }));
}

const patterns = new Map<string, RegExp>();

/** The patterns are this repository's own, so they need no engine that is safe from strangers' ones. */
function regexMatch(pattern: string, text: string): boolean {
  let compiled = patterns.get(pattern);
  if (compiled === undefined) {
    compiled = new RegExp(pattern, "u");
    patterns.set(pattern, compiled);
  }
  return compiled.test(text);
}
