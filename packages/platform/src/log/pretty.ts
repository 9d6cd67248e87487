const shown: ReadonlySet<string> = new Set(["time", "level", "service", "msg", "err"]);

/** A line of JSON as a line for people: time, level, service, message and the other fields as key=value. */
export function prettyLine(line: string): string {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return line;
  }
  const rest = Object.entries(fields)
    .filter(([key]) => !shown.has(key))
    .map(([key, value]) => `${key}=${typeof value === "string" ? value : JSON.stringify(value)}`);
  const time = text(fields["time"]).slice(11, 23);
  const level = text(fields["level"]).padEnd(5);
  const head = [time, level, text(fields["service"]), text(fields["msg"]), ...rest].filter(
    (part) => part !== "",
  );
  return `${head.join(" ")}\n${stackOf(fields["err"])}`;
}

function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

function stackOf(error: unknown): string {
  if (typeof error !== "object" || error === null) return "";
  const { stack, message, cause } = error as { stack?: unknown; message?: unknown; cause?: unknown };
  const own = text(stack) || text(message);
  const caused = stackOf(cause);
  return `    ${own.replaceAll("\n", "\n    ")}\n${caused === "" ? "" : `  caused by\n${caused}`}`;
}
