/** How long clients may take, in milliseconds. */
export interface Bounds {
  /** For a request's head; of a new connection, and of a TLS handshake. */
  readonly headMs: number;
  /** For a whole request, its body included. */
  readonly requestMs: number;
  /** Between requests of a connection. */
  readonly idleMs: number;
  /** For an answer to make any way. */
  readonly stalledMs: number;
  /** From the notice that an HTTP/2 connection will end to its end. */
  readonly noticeMs: number;
  /** How often connections are looked at. */
  readonly sweepMs: number;
}

export const bounds: Bounds = {
  headMs: 10_000,
  requestMs: 30_000,
  // Above the 60 seconds after which common load balancers drop an idle connection, so that they are the ones to close.
  idleMs: 65_000,
  stalledMs: 30_000,
  // Longer than requests need that cross the notice.
  noticeMs: 1_000,
  sweepMs: 2_000,
};

/** Of request line and headers together. */
export const maxHeaderBytes = 16_384;
