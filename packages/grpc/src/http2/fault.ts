/** What the peer did wrong, or this end could not do; the connection ends with GOAWAY and this code. */
export class ConnectionFault extends Error {
  readonly code: number;

  constructor(code: number, message: string) {
    super(message);
    this.name = "ConnectionFault";
    this.code = code;
  }
}
