export type ConnectorConfig = Readonly<Record<string, string>>;

const answersWithinMs = 10_000;
/** The worker answers 409 while it rebalances. */
const settlesWithinMs = 60_000;

async function request(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { ...init, signal: AbortSignal.timeout(answersWithinMs) });
}

/** Creates a connector or replaces its configuration. Rejects with the worker's words when it is refused. */
export async function putConnector(workerUrl: string, name: string, config: ConnectorConfig): Promise<void> {
  const until = Date.now() + settlesWithinMs;
  for (;;) {
    const response = await request(`${workerUrl}/connectors/${name}/config`, {
      method: "PUT",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(config),
    });
    const text = await response.text();
    if (response.ok) return;
    if ((response.status !== 409 && response.status < 500) || Date.now() > until) {
      throw new Error(`connector ${name}: Connect answered ${response.status}: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

async function command(url: string, method: "PUT" | "DELETE", name: string): Promise<void> {
  const until = Date.now() + settlesWithinMs;
  for (;;) {
    const response = await request(url, { method });
    const text = await response.text();
    if (response.ok) return;
    if ((response.status !== 409 && response.status < 500) || Date.now() > until) {
      throw new Error(`connector ${name}: Connect answered ${response.status}: ${text}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

/** Stops a connector's tasks and keeps its configuration; what it has read stays known (Kafka 3.5 and later). */
export const stopConnector = (workerUrl: string, name: string): Promise<void> =>
  command(`${workerUrl}/connectors/${name}/stop`, "PUT", name);

/** Forgets how far a connector has read. It must be stopped; waits until its tasks are gone (Kafka 3.6 and later). */
export const forgetOffsets = (workerUrl: string, name: string): Promise<void> =>
  command(`${workerUrl}/connectors/${name}/offsets`, "DELETE", name);

/** Starts a connector that was stopped. */
export const resumeConnector = (workerUrl: string, name: string): Promise<void> =>
  command(`${workerUrl}/connectors/${name}/resume`, "PUT", name);

export interface ConnectorState {
  /** All of it: RUNNING; one part: FAILED; STOPPED by request, until it is resumed; or on its way to one of these. */
  readonly state: "RUNNING" | "FAILED" | "STOPPED" | "STARTING";
  /** The first line of the failure. */
  readonly trace: string | undefined;
  /** It failed because its position lies before what its slot still has: it will not go on by itself. */
  readonly cutOff: boolean;
}

/** What Debezium says then: of a slot that is gone or was made anew, and of one that Postgres has given up. */
const cutOffWords = /no longer available on the server|can no longer get changes/;

interface StatusAnswer {
  readonly connector: { readonly state: string; readonly trace?: string };
  readonly tasks: readonly { readonly state: string; readonly trace?: string }[];
}

/** The state of a connector and its tasks. A connector that the worker does not know yet is starting. */
export async function connectorState(workerUrl: string, name: string): Promise<ConnectorState> {
  const response = await request(`${workerUrl}/connectors/${name}/status`);
  if (!response.ok) {
    await response.body?.cancel();
    return { state: "STARTING", trace: undefined, cutOff: false };
  }
  const status = (await response.json()) as StatusAnswer;
  const all = [status.connector, ...status.tasks];
  const failed = all.find(({ state }) => state === "FAILED");
  if (failed !== undefined) {
    const { trace = "" } = failed;
    return { state: "FAILED", trace: trace.split("\n")[0], cutOff: cutOffWords.test(trace) };
  }
  if (status.connector.state === "STOPPED") return { state: "STOPPED", trace: undefined, cutOff: false };
  const running = status.tasks.length > 0 && all.every(({ state }) => state === "RUNNING");
  return { state: running ? "RUNNING" : "STARTING", trace: undefined, cutOff: false };
}

/** Starts again what has failed of a connector: Connect itself leaves it. */
export async function restartFailed(workerUrl: string, name: string): Promise<void> {
  const response = await request(
    `${workerUrl}/connectors/${name}/restart?includeTasks=true&onlyFailed=true`,
    { method: "POST" },
  );
  await response.body?.cancel();
}
