/** A request target without its fragment. */
export interface Target {
  readonly path: string;
  /** Behind the question mark; "" for none. */
  readonly query: string;
}

/** Cuts a request target (RFC 9112 section 3.2), in origin form or absolute form. */
export function parseTarget(url: string): Target {
  const inOriginForm = url.startsWith("/") ? url : url.replace(/^https?:\/\/[^/?#]*/i, "");
  const question = inOriginForm.indexOf("?");
  if (question === -1) return { path: inOriginForm, query: "" };
  return { path: inOriginForm.slice(0, question), query: inOriginForm.slice(question + 1) };
}
