import { readFileSync } from "node:fs";
import { Agent, get } from "node:http";

export interface Load {
  readonly port: number;
  readonly path: string;
  readonly requests: number;
  readonly concurrency: number;
  readonly tokens: readonly string[];
}

export interface Round {
  /** In the process `pid`, for each request. */
  readonly cpuUs: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

/** Sends requests of all the tokens in turn, and measures the process that answers them. Rejects for any but 200. */
export async function runRound(pid: number, load: Load): Promise<Round> {
  const { port, path, requests, concurrency, tokens } = load;
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const took: number[] = [];
  let sent = 0;
  const client = async (): Promise<void> => {
    while (sent < requests) {
      const token = tokens[sent % tokens.length] ?? "";
      sent += 1;
      const startedMs = performance.now();
      await ask(agent, port, path, token);
      took.push(performance.now() - startedMs);
    }
  };
  const before = cpuMs(pid);
  await Promise.all(Array.from({ length: concurrency }, client));
  const cpuUs = ((cpuMs(pid) - before) * 1_000) / requests;
  agent.destroy();
  const sorted = took.toSorted((a, b) => a - b);
  const at = (share: number): number => sorted[Math.floor(sorted.length * share)] ?? 0;
  return { cpuUs, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function ask(agent: Agent, port: number, path: string, token: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const headers = { authorization: `Bearer ${token}` };
    const request = get({ agent, port, path, headers, host: "127.0.0.1" }, (response) => {
      response.resume();
      response.once("end", () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${path} answered ${response.statusCode}`));
      });
    });
    request.once("error", reject);
  });
}

/** User and system time of a process (proc(5)), in milliseconds; the kernel counts in hundredths of a second. */
function cpuMs(pid: number): number {
  const text = readFileSync(`/proc/${pid}/stat`, "utf8");
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}
