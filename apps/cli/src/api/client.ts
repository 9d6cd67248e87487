import { Agent, request as httpRequest } from "node:http";

/** An answer that is not success, after the retries that make sense. */
export class ApiError extends Error {
  readonly status: number;
  constructor(status: number, what: string, body: string) {
    super(`${what} answered ${status}: ${body.slice(0, 300)}`);
    this.name = "ApiError";
    this.status = status;
  }
}

export interface ApiRequest {
  readonly method: "GET" | "POST" | "PUT" | "DELETE" | "PATCH";
  readonly path: string;
  readonly body?: unknown;
  readonly token?: string;
  readonly idempotencyKey?: string;
}

/** An answer of any status. */
export interface ApiAnswer {
  readonly status: number;
  readonly retryAfterMs: number;
  readonly text: string;
}

export interface ApiClient {
  /** Sends it once. Rejects when no answer came: what was asked for may be done, or not. */
  attempt(request: ApiRequest, withinMs: number): Promise<ApiAnswer>;
  /** The answer's JSON. Waits out 429 by Retry-After, and a platform that is being restarted. */
  call<T>(request: ApiRequest): Promise<T>;
  close(): void;
}

const answerWithinMs = 30_000;
/** Parts that were killed are back within seconds; a platform that is away for longer is a failure. */
const giveUpAfterMs = 60_000;

function send(agent: Agent, base: URL, request: ApiRequest, withinMs: number): Promise<ApiAnswer> {
  const payload = request.body === undefined ? undefined : Buffer.from(JSON.stringify(request.body));
  const headers: Record<string, string | number> = {};
  if (payload !== undefined) {
    headers["content-type"] = "application/json";
    headers["content-length"] = payload.length;
  }
  if (request.token !== undefined) headers["authorization"] = `Bearer ${request.token}`;
  if (request.idempotencyKey !== undefined) headers["idempotency-key"] = request.idempotencyKey;
  return new Promise((resolve, reject) => {
    const outgoing = httpRequest(
      { agent, host: base.hostname, port: base.port, method: request.method, path: request.path, headers },
      (response) => {
        const chunks: Buffer[] = [];
        response.on("data", (chunk: Buffer) => chunks.push(chunk));
        response.once("error", reject);
        response.once("end", () =>
          resolve({
            status: response.statusCode ?? 0,
            retryAfterMs: Number(response.headers["retry-after"] ?? 1) * 1000,
            text: Buffer.concat(chunks).toString("utf8"),
          }),
        );
      },
    );
    outgoing.setTimeout(withinMs, () => outgoing.destroy(new Error("no answer in time")));
    outgoing.once("error", reject);
    outgoing.end(payload);
  });
}

/** A client of the public API with keep-alive connections, at most `maxConnections` at once. */
export function createApiClient(gatewayUrl: string, maxConnections: number): ApiClient {
  const base = new URL(gatewayUrl);
  const agent = new Agent({ keepAlive: true, maxSockets: maxConnections });

  async function call<T>(request: ApiRequest): Promise<T> {
    const what = `${request.method} ${request.path}`;
    const startedAt = performance.now();
    for (let attempt = 0; ; attempt += 1) {
      let pauseMs = Math.min(50 * 2 ** attempt, 1_000) * (0.5 + Math.random() / 2);
      let failure: Error;
      try {
        const answer = await send(agent, base, request, answerWithinMs);
        if (answer.status >= 200 && answer.status < 300) return JSON.parse(answer.text) as T;
        failure = new ApiError(answer.status, what, answer.text);
        if (answer.status === 429) pauseMs = answer.retryAfterMs;
        else if (answer.status < 500) throw failure;
      } catch (error) {
        if (error instanceof ApiError) throw error;
        failure = error as Error;
      }
      if (performance.now() - startedAt > giveUpAfterMs) {
        throw new Error(`${what}: no success within ${giveUpAfterMs / 1000} s`, { cause: failure });
      }
      await new Promise((resolve) => setTimeout(resolve, pauseMs));
    }
  }
  return {
    attempt: (request, withinMs) => send(agent, base, request, withinMs),
    call,
    close: () => agent.destroy(),
  };
}
