import { randomBytes } from "node:crypto";
import { createApiClient, type ApiClient } from "../api/client.ts";
import { drive, type Drive } from "../api/schemathesis.ts";
import { openHome } from "../launcher/paths.ts";
import { runningState } from "../launcher/status.ts";
import { paint, seconds } from "../terminal/print.ts";
import { wholeNumber } from "./whole-number.ts";

export interface ApiCheckFlags {
  readonly examples: string;
  readonly randomSeed: string;
}

/** Routes that end the caller's session or account, and so all that comes behind them. */
const ending = "(?:logout|login|refresh|/me/sessions.*|/v1/me|/me/second-factor)$";

/** `chirrup api-check`: exit code 1 when the running platform answers what its OpenAPI does not say, or with a 5xx. */
export async function apiCheck(flags: ApiCheckFlags): Promise<void> {
  const state = runningState(openHome());
  if (state === undefined) throw new Error("nothing runs; start the platform with: npm run up");
  const { gatewayUrl } = state;
  const common = {
    gatewayUrl,
    examples: wholeNumber("--examples", flags.examples, 1, 100_000),
    seed: wholeNumber("--random-seed", flags.randomSeed, 0, 2 ** 31),
  };
  const api = createApiClient(gatewayUrl, 1);
  try {
    const { token, ...parameters } = await newWorld(api);
    const { token: leaving } = await newWorld(api);
    const passed = [
      check("any path", { ...common, token, exclude: ending }),
      check("what is there", { ...common, token, exclude: ending, include: "\\{", parameters }),
      check("ends of sessions", { ...common, token: leaving, include: ending }),
    ].filter(Boolean).length;
    process.stdout.write(`${passed} passed, ${3 - passed} failed\n`);
    if (passed < 3) process.exitCode = 1;
  } finally {
    api.close();
  }
}

function check(name: string, options: Drive): boolean {
  const startedAt = performance.now();
  const { ok, output } = drive(options);
  const cases = /\d+ generated.*/.exec(output)?.[0] ?? "no case";
  const mark = ok ? paint("green", "✓") : paint("red", "✗");
  const took = seconds(performance.now() - startedAt);
  process.stdout.write(`${mark} ${name.padEnd(18)} ${cases.padEnd(44)} ${took}\n`);
  if (!ok) process.stdout.write(`${output}\n`);
  return ok;
}

interface World {
  readonly token: string;
  readonly userId: string;
  readonly username: string;
  readonly postId: string;
  readonly commentId: string;
}

/** A person who has something of each kind that a path can name. */
async function newWorld(api: ApiClient): Promise<World> {
  const username = `check_${randomBytes(6).toString("hex")}`;
  const body = {
    username,
    email: `${username}@example.com`,
    password: randomBytes(18).toString("base64url"),
  };
  const { user, accessToken: token } = await api.call<{ user: { id: string }; accessToken: string }>({
    method: "POST",
    path: "/api/v1/register",
    body,
  });
  const content = "A post to be asked for.";
  const post = { method: "POST", path: "/api/v1/posts", token, body: { content } } as const;
  const { id: postId } = (await api.call<{ post: { id: string } }>(post)).post;
  const path = `/api/v1/posts/${postId}/comments`;
  const { comment } = await api.call<{ comment: { id: string } }>({ ...post, path });
  return { token, userId: user.id, username, postId, commentId: comment.id };
}
