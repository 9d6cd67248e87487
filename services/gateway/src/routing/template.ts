/** One part of a template between slashes. */
export type Segment =
  | { readonly kind: "literal"; readonly text: string }
  /** `*`: any one segment that is not empty. */
  | { readonly kind: "one" }
  /** `**`: all that is left, also nothing; only at the end. */
  | { readonly kind: "rest" };

/** A request field that takes its value from the path. */
export interface Variable {
  /** Proto names from the request message down: ["post", "id"]. */
  readonly fieldPath: readonly string[];
  /** Index of the first segment it covers. */
  readonly start: number;
  /** Index behind the last segment it covers; undefined when it covers all that is left. */
  readonly end: number | undefined;
  /** Whether it covers exactly one segment; of others, an encoded slash stays encoded. */
  readonly single: boolean;
}

export interface Template {
  /** As written in the proto. */
  readonly source: string;
  /** Without the variables' names. */
  readonly segments: readonly Segment[];
  readonly verb: string | undefined;
  readonly variables: readonly Variable[];
}

const literalPattern = /^[A-Za-z0-9\-._~!$&'()+,;=@]+$/;
const identifierPattern = /^[A-Za-z_][A-Za-z0-9_]*$/;

/**
 * Parses a path template after the grammar in google/api/http.proto. Throws an Error that says what is
 * wrong with it.
 */
export function parseTemplate(source: string): Template {
  const fail = (reason: string): Error => new Error(`path template "${source}": ${reason}`);
  if (!source.startsWith("/")) throw fail("must begin with a slash");

  const colon = verbColon(source);
  const verb = colon === -1 ? undefined : source.slice(colon + 1);
  if (verb !== undefined && !literalPattern.test(verb)) throw fail(`"${verb}" is not a verb`);

  const segments: Segment[] = [];
  const variables: Variable[] = [];
  const addSegment = (text: string): void => {
    if (segments.at(-1)?.kind === "rest") throw fail("** must be the last segment");
    if (text === "**") segments.push({ kind: "rest" });
    else if (text === "*") segments.push({ kind: "one" });
    else if (literalPattern.test(text) || source === "/") segments.push({ kind: "literal", text });
    else throw fail(`"${text}" is not a segment`);
  };

  for (const part of splitOutsideBraces(source.slice(1, colon === -1 ? undefined : colon))) {
    if (!part.startsWith("{")) {
      addSegment(part);
      continue;
    }
    if (!part.endsWith("}")) throw fail(`"${part}" is not a variable`);
    const [names = "", pattern = "*"] = splitOnce(part.slice(1, -1), "=");
    const fieldPath = names.split(".");
    if (!fieldPath.every((name) => identifierPattern.test(name)))
      throw fail(`"${names}" is not a field path`);
    if (variables.some((other) => other.fieldPath.join(".") === names)) throw fail(`${names} is bound twice`);

    const start = segments.length;
    for (const text of pattern.split("/")) addSegment(text);
    const isRest = segments.at(-1)?.kind === "rest";
    variables.push({
      fieldPath,
      start,
      end: isRest ? undefined : segments.length,
      single: !isRest && segments.length === start + 1,
    });
  }
  return { source, segments, verb, variables };
}

/** The colon of the verb: the last one of the template that is outside of a variable. */
function verbColon(source: string): number {
  const colon = source.lastIndexOf(":");
  return colon > source.lastIndexOf("}") && colon > source.lastIndexOf("/") ? colon : -1;
}

function splitOutsideBraces(text: string): string[] {
  const parts: string[] = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i += 1) {
    const char = text[i];
    if (char === "{") depth += 1;
    else if (char === "}") depth -= 1;
    else if (char === "/" && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts;
}

function splitOnce(text: string, separator: string): string[] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
