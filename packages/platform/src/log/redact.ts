const sensitiveKey = /passw|token|authorization|cookie|secret|credential/i;
const urlPassword = /(\w:\/\/[^\s:/@]*):[^\s/@]+@/g;
const hidden = "[redacted]";
/** Deeper than any line that we write; ends cycles. */
const maxDepth = 8;

/**
 * A copy for the log: values of sensitive keys are hidden, at any depth of plain objects and arrays, but for numbers
 * and booleans, which count things; passwords in URLs are hidden in every string; errors are described without the
 * fields that a driver adds to them, for these hold rows and arguments. Never changes its argument.
 */
export function redact<T extends object>(fields: T): T {
  return redactValue(fields, 0) as T;
}

function redactValue(value: unknown, depth: number): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return describeError(value);
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (!Array.isArray(value) && !isPlain(value)) return value;
  if (depth >= maxDepth) return "[deep]";
  if (Array.isArray(value)) return value.map((item) => redactValue(item, depth + 1));
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [
      key,
      sensitiveKey.test(key) && hides(item) ? hidden : redactValue(item, depth + 1),
    ]),
  );
}

function hides(value: unknown): boolean {
  return typeof value !== "number" && typeof value !== "boolean" && value !== undefined && value !== null;
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function redactText(text: string): string {
  return text.includes("://") ? text.replaceAll(urlPassword, "$1:***@") : text;
}

export interface ErrorDescription {
  readonly type: string;
  readonly message: string;
  readonly stack?: string;
  readonly code?: string | number;
  readonly cause?: ErrorDescription;
  readonly errors?: readonly ErrorDescription[];
}

/** An error as it is logged, with its causes. */
export function describeError(error: unknown): ErrorDescription {
  return describe(error, 0);
}

function describe(error: unknown, depth: number): ErrorDescription {
  // What is described already passes unchanged: a logger's formatter runs before its serializers.
  if (isDescription(error)) return error;
  if (!(error instanceof Error)) return { type: typeof error, message: redactText(String(error)) };
  const { code } = error as { code?: unknown };
  const deeper = depth < maxDepth;
  return {
    type: error.name,
    message: redactText(error.message),
    ...(error.stack === undefined ? {} : { stack: redactText(error.stack) }),
    ...(typeof code === "string" || typeof code === "number" ? { code } : {}),
    ...(deeper && error.cause !== undefined ? { cause: describe(error.cause, depth + 1) } : {}),
    ...(deeper && error instanceof AggregateError
      ? { errors: error.errors.map((each) => describe(each, depth + 1)) }
      : {}),
  };
}

function isDescription(value: unknown): value is ErrorDescription {
  return (
    typeof value === "object" && value !== null && isPlain(value) && "type" in value && "message" in value
  );
}
