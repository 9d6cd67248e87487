import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createApiClient } from "../../apps/cli/src/api/client.ts";
import { openHome } from "../../apps/cli/src/launcher/paths.ts";
import { readState } from "../../apps/cli/src/launcher/state.ts";
import { openAccount, seedPassword } from "../../apps/cli/src/seed/accounts.ts";
import { loadInBulk } from "../../apps/cli/src/seed/bulk/load.ts";
import type { NumberedGraph } from "../../apps/cli/src/seed/bulk/power-law.ts";
import type { Part } from "./cpu.ts";
import { open, requestOf } from "./load.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

export interface Stage extends AsyncDisposable {
  readonly port: number;
  readonly parts: readonly Part[];
  /** Loads users, follows and posts; answers the users' ids. */
  load(graph: NumberedGraph, posts: number): Promise<bigint[]>;
  /** Signs users in by their numbers; answers their tokens. */
  signIn(users: readonly number[]): Promise<string[]>;
}

/** Starts an embedded platform of its own with a server's heaps and these arguments of `chirrup up`. */
export async function setStage(...args: readonly string[]): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), "chirrup-bench-feed-"));
  const chirrup = (...words: readonly string[]): void => {
    execFileSync(process.execPath, [join(root, "apps/cli/bin/chirrup.js"), ...words], {
      // Programs need PATH and the like.
      // oxlint-disable-next-line node/no-process-env
      env: { ...process.env, CHIRRUP_HOME: folder, LOG_LEVEL: "warn" },
      stdio: ["ignore", "ignore", "inherit"],
    });
  };
  chirrup("up", "--port", "0", "--heap", "server", "--detach", ...args);
  const state = readState(openHome(folder));
  if (state === undefined) throw new Error("the platform has not started");
  const port = Number(new URL(state.gatewayUrl).port);
  const prefix = "bench_";
  return {
    port,
    parts: state.parts.flatMap(({ name, process: mark }) =>
      mark === undefined ? [] : [{ name, pid: mark.pid }],
    ),
    async load(graph, posts) {
      const api = createApiClient(state.gatewayUrl, 1);
      const { id } = await openAccount(api, "first_of_bench");
      api.close();
      const { databases } = state.access;
      return loadInBulk({ databases, graph, prefix, passwordOf: BigInt(id), posts, randomSeed: 1 });
    },
    async signIn(users) {
      const tokens: string[] = [];
      const left = [...users.entries()];
      const one = async (): Promise<void> => {
        await using line = await open(port);
        for (let next = left.shift(); next !== undefined; next = left.shift()) {
          const [index, user] = next;
          const body = { login: `${prefix}${user}`, password: seedPassword };
          const answer = await patiently(() => line.ask(requestOf("POST", "/api/v1/login", undefined, body)));
          tokens[index] = (JSON.parse(bodyOf(answer)) as { accessToken: string }).accessToken;
        }
      };
      await Promise.all(Array.from({ length: 2 }, one));
      return tokens;
    },
    [Symbol.asyncDispose]() {
      chirrup("down");
      rmSync(folder, { recursive: true, force: true });
      return Promise.resolve();
    },
  };
}

/** Passwords are hashed behind all other work, and a busy machine may not come to it in time. */
async function patiently<T>(work: () => Promise<T>): Promise<T> {
  for (let left = 20; ; left -= 1) {
    try {
      return await work();
    } catch (error) {
      if (left === 0) throw error;
    }
  }
}

/** A body as it was before it was sent in chunks. */
export function bodyOf(answer: string): string {
  return answer.startsWith("{") ? answer : answer.slice(answer.indexOf("{"), answer.lastIndexOf("}") + 1);
}
