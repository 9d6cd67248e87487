import type { Variable } from "./template.ts";

/** A request path, cut at its slashes. */
export interface RequestPath {
  /** As they came, percent-encoded. */
  readonly raw: readonly string[];
  /** What templates are compared with. */
  readonly decoded: readonly string[];
}

/** Undefined for a path that does not begin with a slash, or whose percent-encoding is not UTF-8. */
export function splitPath(path: string): RequestPath | undefined {
  if (path.charCodeAt(0) !== 0x2f) return undefined;
  const raw = path.slice(1).split("/");
  if (!path.includes("%")) return { raw, decoded: raw };
  try {
    return { raw, decoded: raw.map(decodeURIComponent) };
  } catch {
    return undefined;
  }
}

/** The path without the `:verb` of its last segment, and the verb; undefined when it has no colon there. */
export function splitVerb({ raw, decoded }: RequestPath): { path: RequestPath; verb: string } | undefined {
  const last = raw.length - 1;
  const segment = raw[last] ?? "";
  // Looked for before decoding: an encoded colon is part of a value.
  const colon = segment.lastIndexOf(":");
  if (colon === -1) return undefined;
  const head = segment.slice(0, colon);
  return {
    path: {
      raw: raw.with(last, head),
      decoded: raw === decoded ? raw.with(last, head) : decoded.with(last, decodeURIComponent(head)),
    },
    verb: decodeURIComponent(segment.slice(colon + 1)),
  };
}

/**
 * The text of a variable. One segment is decoded whole; of several, "%2F" stays as it came, so that it is
 * not taken for a border of segments.
 */
export function variableText({ raw, decoded }: RequestPath, { start, end, single }: Variable): string {
  if (single) return decoded[start] ?? "";
  if (raw === decoded) return raw.slice(start, end).join("/");
  return raw
    .slice(start, end)
    .map((segment) =>
      segment
        .split(/(%2f)/i)
        .map((piece) => (/^%2f$/i.test(piece) ? piece : decodeURIComponent(piece)))
        .join(""),
    )
    .join("/");
}
