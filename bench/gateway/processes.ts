import { spawn, type ChildProcess } from "node:child_process";
import { audience, issuer } from "./tokens.ts";

export const root: string = new URL("../..", import.meta.url).pathname;

export interface Processes {
  /** Starts a program that ends with its standard input. */
  start(args: readonly string[], env?: Record<string, string>): ChildProcess;
  end(): void;
}

export function createProcesses(): Processes {
  const children: ChildProcess[] = [];
  return {
    start(args, env = {}) {
      const child = spawn(
        process.execPath,
        ["--conditions=source", "--disable-warning=ExperimentalWarning", ...args],
        // Programs need PATH and the like.
        // oxlint-disable-next-line node/no-process-env
        { cwd: root, env: { ...process.env, ...env }, stdio: ["pipe", "ignore", "inherit"] },
      );
      children.push(child);
      return child;
    },
    end() {
      for (const child of children) child.stdin?.end();
    },
  };
}

/** Starts a gateway before one upstream that is every service. */
export function startGateway(
  processes: Processes,
  nodeArgs: readonly string[],
  { upstream, ...env }: Record<string, string> & { readonly upstream: string },
): ChildProcess {
  const services = ["USER_SERVICE", "POST_SERVICE", "FOLLOW_SERVICE", "FEED_SERVICE"];
  return processes.start([...nodeArgs, "services/gateway/src/main.ts"], {
    ...Object.fromEntries(services.map((name) => [name, upstream])),
    CHIRRUP_SUPERVISED: "1",
    LOG_LEVEL: "fatal",
    DESCRIPTORS: "proto/gen/chirrup.binpb",
    GATEWAY_CONFIG: "services/gateway/config/gateway.local.yaml",
    // A machine under load must not change what is measured.
    REDIS_DEADLINE_MS: "5000",
    PEER_SECRET: "the secret of the bench's services",
    TOKEN_ISSUER: issuer,
    TOKEN_AUDIENCE: audience,
    ...env,
  });
}

/** Until it answers with 200. */
export async function answers(url: string, token: string, child: ChildProcess): Promise<void> {
  for (let i = 0; i < 300; i += 1) {
    if (child.exitCode !== null) throw new Error(`${url}: its process ended with ${child.exitCode}`);
    const headers = { authorization: `Bearer ${token}` };
    const response = await fetch(url, { headers }).catch(() => undefined);
    if (response?.status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`${url} does not answer`);
}
