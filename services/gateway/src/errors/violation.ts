/** One fault in a request: google.rpc.BadRequest.FieldViolation. */
export interface Violation {
  /** The path of the field in JSON names ("user.displayName", "ids[3]"); "body" for the body as a whole. */
  readonly field: string;
  /** Completes "<field> …": "must be a string". Never the library's words, never the value. */
  readonly description: string;
}
