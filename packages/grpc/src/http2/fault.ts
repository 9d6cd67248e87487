import { HpackError } from "../hpack/error.ts";
import { ErrorCode } from "./protocol.ts";

/** What the peer did wrong, or this end could not do; the connection ends with GOAWAY and this code. */
export class ConnectionFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "ConnectionFault";
    this.code = code;
  }
}

export function protocolError(message: string): ConnectionFault {
  return new ConnectionFault(ErrorCode.PROTOCOL_ERROR, message);
}

export function frameSizeError(what: string): ConnectionFault {
  return new ConnectionFault(ErrorCode.FRAME_SIZE_ERROR, `${what} of a wrong length`);
}

export function flowControlError(message: string): ConnectionFault {
  return new ConnectionFault(ErrorCode.FLOW_CONTROL_ERROR, message);
}

/** What the peer is told of an error that ends the connection. */
export function faultOf(error: unknown): { code: number; message: string } {
  if (error instanceof ConnectionFault) return error;
  if (error instanceof HpackError) return { code: ErrorCode.COMPRESSION_ERROR, message: error.message };
  return { code: ErrorCode.INTERNAL_ERROR, message: "internal error" };
}
