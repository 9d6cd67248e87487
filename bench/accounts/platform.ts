import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../apps/cli/bin/chirrup.js", import.meta.url));

/** A whole platform of the local profile, with data of its own. */
export interface Platform extends Disposable {
  readonly port: number;
}

export interface Person {
  readonly id: string;
  readonly login: string;
  readonly password: string;
  readonly token: string;
}

export function startPlatform(): Platform {
  const home = mkdtempSync(join(tmpdir(), "chirrup-bench-"));
  const stop = (): void => {
    chirrup(home, "down");
    rmSync(home, { recursive: true, force: true });
  };
  try {
    const { gatewayUrl } = JSON.parse(chirrup(home, "up", "--detach", "--port", "0", "--json")) as {
      gatewayUrl: string;
    };
    return { port: Number(new URL(gatewayUrl).port), [Symbol.dispose]: stop };
  } catch (error) {
    stop();
    throw error;
  }
}

/** `count` people of whom the first follows all others, and a few posts of each. */
export async function populate(port: number, count: number): Promise<Person[]> {
  const people: Person[] = [];
  for (let index = 0; index < count; index++) {
    const login = `bench_${index}`;
    const password = `the password of ${index}, a long one`;
    const { user, accessToken } = await call<{ user: { id: string }; accessToken: string }>(
      port,
      "POST",
      "/api/v1/register",
      undefined,
      { username: login, email: `${login}@example.com`, password },
    );
    people.push({ id: user.id, login, password, token: accessToken });
  }
  const [reader] = people;
  for (const { id, token } of people) {
    if (reader !== undefined && id !== reader.id) {
      await call(port, "PUT", `/api/v1/users/${id}/follow`, reader.token);
    }
    for (let post = 0; post < 3; post++) {
      await call(port, "POST", "/api/v1/posts", token, { content: `post ${post} of a person` });
    }
  }
  return people;
}

async function call<T>(
  port: number,
  method: string,
  path: string,
  token?: string,
  body?: object,
): Promise<T> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, {
    method,
    headers: {
      ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  if (!response.ok)
    throw new Error(`${method} ${path} answered ${response.status}: ${await response.text()}`);
  return (await response.json()) as T;
}

function chirrup(home: string, ...args: readonly string[]): string {
  // The launcher needs PATH and the like.
  // oxlint-disable-next-line node/no-process-env
  const env = { ...process.env, CHIRRUP_HOME: home };
  const { stdout, stderr, status } = spawnSync(process.execPath, [bin, ...args], { env, encoding: "utf8" });
  if (status !== 0) throw new Error(`chirrup ${args.join(" ")} failed:\n${stderr}`);
  return stdout;
}
