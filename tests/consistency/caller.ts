/** A program that has signed in, and sends back the consistency token it was last given. */
export interface Caller {
  readonly id: string;
  /** The body of an answer of 200; undefined for 404. Throws for any other. */
  // eslint-disable-next-line typescript/no-explicit-any -- what is read of it is what the pair checks
  ask(method: string, path: string, body?: object): Promise<any>;
}

/** Registers an account. Without `keepsTokens` its program forgets every consistency token. */
export async function register(gatewayUrl: string, username: string, keepsTokens: boolean): Promise<Caller> {
  const session: { accessToken?: string } = {};
  let consistency: string | undefined;
  const ask: Caller["ask"] = async (method, path, body) => {
    const response = await fetch(`${gatewayUrl}${path}`, {
      method,
      headers: {
        ...(session.accessToken === undefined ? {} : { authorization: `Bearer ${session.accessToken}` }),
        ...(body === undefined ? {} : { "content-type": "application/json" }),
        ...(consistency === undefined ? {} : { "consistency-token": consistency }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    if (keepsTokens) consistency = response.headers.get("consistency-token") ?? consistency;
    if (response.status === 404) return undefined;
    if (response.status !== 200) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return JSON.parse(text);
  };
  const password = "a long sentence for the tests";
  const answer = await ask("POST", "/api/v1/register", {
    username,
    email: `${username}@chirrup.test`,
    password,
  });
  session.accessToken = answer.accessToken;
  return { id: answer.user.id, ask };
}
