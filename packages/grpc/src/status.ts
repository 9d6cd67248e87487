/** The sixteen outcomes of a call and OK (https://grpc.github.io/grpc/core/md_doc_statuscodes.html). */
export const Status = {
  OK: 0,
  CANCELLED: 1,
  UNKNOWN: 2,
  INVALID_ARGUMENT: 3,
  DEADLINE_EXCEEDED: 4,
  NOT_FOUND: 5,
  ALREADY_EXISTS: 6,
  PERMISSION_DENIED: 7,
  RESOURCE_EXHAUSTED: 8,
  FAILED_PRECONDITION: 9,
  ABORTED: 10,
  OUT_OF_RANGE: 11,
  UNIMPLEMENTED: 12,
  INTERNAL: 13,
  UNAVAILABLE: 14,
  DATA_LOSS: 15,
  UNAUTHENTICATED: 16,
} as const;

export type Status = (typeof Status)[keyof typeof Status];

const names = new Map<number, string>(Object.entries(Status).map(([name, code]) => [code, name]));

/** The canonical name of a status code, "NOT_FOUND" for 5; "UNKNOWN" for a number that is none. */
export function statusName(code: number): string {
  return names.get(code) ?? "UNKNOWN";
}

/** A status code from the wire; a number that is none becomes UNKNOWN, as the specification asks. */
export function statusOf(code: number): Status {
  return names.has(code) ? (code as Status) : Status.UNKNOWN;
}
