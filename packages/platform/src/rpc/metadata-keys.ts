/** What travels beside a request between the gateway and the services. */
export const metadataKeys = {
  /** The caller's user id in decimal; set by the gateway from the verified token alone. */
  userId: "chirrup-user-id",
  /** The caller's session id in decimal; always beside the user id. */
  sessionId: "chirrup-session-id",
  requestId: "chirrup-request-id",
  /** Proves the peer to be the gateway or a service. */
  peerSecret: "chirrup-peer-secret",
  /** The `Idempotency-Key` of the request. */
  idempotencyKey: "chirrup-idempotency-key",
  /** The IP address that the request came from. */
  clientAddress: "chirrup-client-address",
  /** The `User-Agent` of the request, printable ASCII. */
  userAgent: "chirrup-user-agent",
  /**
   * Consistency tokens, one value each: in a request those that the caller was given, of any service; in an answer the
   * one of the service that wrote.
   */
  consistency: "chirrup-consistency",
  /** "primary" when something is decided by what is read. */
  reads: "chirrup-reads",
  /** W3C Trace Context. */
  traceparent: "traceparent",
} as const;
