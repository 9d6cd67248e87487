import { statusName, type Status } from "./status.ts";

/** One `google.protobuf.Any` of a `google.rpc.Status`. */
export interface ErrorDetail {
  /** For example "type.googleapis.com/google.rpc.BadRequest". */
  readonly typeUrl: string;
  /** The binary form of the message that `typeUrl` names. */
  readonly value: Uint8Array;
}

export interface GrpcErrorOptions {
  /** Travels in `grpc-status-details-bin`. Default: none. */
  readonly details?: readonly ErrorDetail[];
  /** For the logs of this process; never sent. */
  readonly cause?: unknown;
}

/**
 * How a call failed. A client throws nothing else; a server's implementation throws it to choose the status,
 * message and details that its client is shown.
 */
export class GrpcError extends Error {
  readonly code: Status;
  readonly details: readonly ErrorDetail[];

  constructor(code: Status, message: string, options: GrpcErrorOptions = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.name = "GrpcError";
    this.code = code;
    this.details = options.details ?? [];
  }

  override toString(): string {
    return `${this.name} ${statusName(this.code)}: ${this.message}`;
  }
}
