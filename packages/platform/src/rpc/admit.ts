import { timingSafeEqual } from "node:crypto";

import { Status, type ServerCall } from "@chirrup/grpc";

import { DomainError } from "../errors/index.ts";
import { metadataKeys } from "./metadata-keys.ts";

/** Probes have no secret, and there is nothing to learn from the answer. */
const openService = "grpc.health.v1.Health";

/** Makes the check that a call comes from a peer: throws UNAUTHENTICATED for one without the secret. */
export function peerCheck(peerSecret: string): (call: ServerCall) => void {
  const expected = Buffer.from(peerSecret);
  return (call) => {
    if (call.method.parent.typeName === openService) return;
    const presented = Buffer.from(call.metadata.get(metadataKeys.peerSecret) ?? "");
    // Only the length can be learnt from the time that this takes.
    if (presented.length !== expected.length || !timingSafeEqual(presented, expected)) {
      throw new DomainError(Status.UNAUTHENTICATED, "PEER_UNPROVEN", "the peer did not prove itself");
    }
  };
}
