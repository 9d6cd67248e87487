import { requestOf } from "./service.ts";

/** What a client under test can do. */
export interface Subject {
  ask(request: Uint8Array): Promise<Uint8Array>;
  pour(request: Uint8Array): AsyncIterable<Uint8Array>;
}

/** What to do: `calls` answers of `letters` letters, `concurrency` at once, or a stream of `messages`. */
export type Work =
  | { readonly kind: "ask"; readonly calls: number; readonly concurrency: number; readonly letters: number }
  | { readonly kind: "pour"; readonly messages: number };

export interface Measured {
  readonly ms: number;
  /** User and system time of the process, microseconds. */
  readonly cpuUs: number;
  /** Of single calls; 0 for a stream. */
  readonly p99Ms: number;
}

function tell(message: unknown): void {
  process.send?.(message);
}

/** Makes this process a client that does what its parent asks for. */
export function runClient(subject: Subject): void {
  process.on("message", (work: Work) => {
    measure(subject, work).then(tell, (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
      process.disconnect?.();
    });
  });
  tell("ready");
}

/** Makes this process a server that says its port and, whenever it is asked, the CPU time it took. */
export function runServer(port: number): void {
  process.on("message", () => tell(cpuUs()));
  tell(port);
}

async function measure(subject: Subject, work: Work): Promise<Measured> {
  const cpuBefore = cpuUs();
  const startedMs = performance.now();
  const p99Ms = work.kind === "ask" ? await ask(subject, work) : await pour(subject, work.messages);
  return { ms: performance.now() - startedMs, cpuUs: cpuUs() - cpuBefore, p99Ms };
}

async function ask(
  subject: Subject,
  { calls, concurrency, letters }: Extract<Work, { kind: "ask" }>,
): Promise<number> {
  const request = requestOf(letters);
  const times = new Float64Array(calls);
  let next = 0;
  const caller = async (): Promise<void> => {
    for (let at = next++; at < calls; at = next++) {
      const startedMs = performance.now();
      const { length } = await subject.ask(request);
      times[at] = performance.now() - startedMs;
      if (length < letters) throw new Error(`an answer of ${length} bytes`);
    }
  };
  await Promise.all(Array.from({ length: concurrency }, caller));
  times.sort();
  return times[Math.floor(calls * 0.99)] ?? 0;
}

async function pour(subject: Subject, messages: number): Promise<number> {
  let received = 0;
  for await (const _ of subject.pour(requestOf(messages))) received++;
  if (received !== messages) throw new Error(`${received} messages of ${messages}`);
  return 0;
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}
