import type { Cancellation } from "@chirrup/grpc";
import { unauthenticated, unavailable } from "../errors/failure.ts";
import type { AccessTokens, TokenIdentity } from "./access-token.ts";
import type { Credential } from "./credential.ts";
import type { Revocations } from "./revocations.ts";

/** Finds out who calls, by a token that is verified and not revoked. */
export interface Identities {
  /** When that needs neither waiting nor cryptography; else undefined. */
  known(credential: Credential): TokenIdentity | undefined;
  /**
   * On a public route a bad token makes the caller nobody. Elsewhere it is UNAUTHENTICATED, as is none; and UNAVAILABLE
   * when it cannot be told whether the token is good.
   */
  find(
    credential: Credential,
    route: { readonly isPublic: boolean },
    call: { readonly signal: Cancellation; readonly requestId: string },
  ): Promise<TokenIdentity | undefined>;
}

export function createIdentities(
  tokens: AccessTokens,
  revocations: Pick<Revocations, "isKnownLive" | "check">,
): Identities {
  return {
    known(credential) {
      const identity = credential.kind === "token" ? tokens.known(credential.token) : undefined;
      return identity !== undefined && revocations.isKnownLive(identity.sessionId) === true
        ? identity
        : undefined;
    },
    async find(credential, { isPublic }, call) {
      if (credential.kind === "none" && !isPublic) throw unauthenticated(false);
      let identity: TokenIdentity | undefined;
      try {
        if (credential.kind === "token") identity = await tokens.verify(credential.token);
        if (identity !== undefined) {
          const isLive =
            revocations.isKnownLive(identity.sessionId) ??
            (await revocations.check(identity.sessionId, call));
          if (!isLive) identity = undefined;
        }
      } catch (error) {
        if (!isPublic) throw unavailable(error);
        identity = undefined;
      }
      if (identity === undefined && !isPublic) throw unauthenticated(true);
      return identity;
    },
  };
}
