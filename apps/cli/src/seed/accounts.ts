import { type ApiAnswer, ApiError, type ApiClient, type ApiRequest } from "../api/client.ts";

interface SignedIn {
  readonly user: { readonly id: string };
  readonly accessToken: string;
}

/** One user of the seed who can call the API. */
export interface SeedAccount {
  readonly id: string;
  /** Calls as this user; signs in again when the token has run out. */
  call<T>(request: Omit<ApiRequest, "token">): Promise<T>;
  /** The same, sent once; see ApiClient.attempt. */
  attempt(request: Omit<ApiRequest, "token">, withinMs: number): Promise<ApiAnswer>;
}

/**
 * The password of all seeded users: they are there to be tried out, and only ever exist where somebody ran
 * the seed.
 */
export const seedPassword = "seeded by chirrup";

async function signIn(api: ApiClient, username: string): Promise<SignedIn> {
  return api.call<SignedIn>({
    method: "POST",
    path: "/api/v1/login",
    body: { login: username, password: seedPassword },
  });
}

/** Registers the user, or signs in one that an earlier run registered. */
export async function openAccount(api: ApiClient, username: string): Promise<SeedAccount> {
  let session: SignedIn;
  try {
    session = await api.call<SignedIn>({
      method: "POST",
      path: "/api/v1/register",
      body: { username, email: `${username}@seed.chirrup.example`, password: seedPassword },
    });
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 409)) throw error;
    session = await signIn(api, username);
  }
  let renewing: Promise<void> | undefined;
  async function renew(): Promise<void> {
    try {
      session = await signIn(api, username);
    } finally {
      renewing = undefined;
    }
  }
  return {
    id: session.user.id,
    async call<T>(request: Omit<ApiRequest, "token">): Promise<T> {
      try {
        return await api.call<T>({ ...request, token: session.accessToken });
      } catch (error) {
        if (!(error instanceof ApiError && error.status === 401)) throw error;
        await (renewing ??= renew());
        return api.call<T>({ ...request, token: session.accessToken });
      }
    },
    async attempt(request, withinMs) {
      const answer = await api.attempt({ ...request, token: session.accessToken }, withinMs);
      if (answer.status !== 401) return answer;
      await (renewing ??= renew());
      return api.attempt({ ...request, token: session.accessToken }, withinMs);
    },
  };
}
