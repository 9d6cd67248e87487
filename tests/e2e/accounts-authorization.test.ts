import { randomBytes } from "node:crypto";
import { beforeAll, describe, expect, it } from "vitest";
import { type MatrixRow, readMatrix } from "../repository/authorization-matrix.ts";
import { call, newPerson, type Person, postAs } from "./support/api.ts";

/** An owner with something of each kind. */
interface World {
  readonly owner: Person;
  readonly postId: string;
  readonly commentId: string;
  readonly sessionId: string;
  /** A place in the owner's feed. */
  readonly since: string;
}

async function newWorld(): Promise<World> {
  const owner = await newPerson("owner");
  const postId = await postAs(owner, "mine");
  const path = `/api/v1/posts/${postId}/comments`;
  const comment = await call("POST", path, { token: owner.token, body: { content: "mine" } });
  const login = await call("POST", "/api/v1/login", {
    body: { login: owner.username, password: owner.password },
  });
  expect(login.status, login.text).toBe(200);
  const { sessions } = (await call("GET", "/api/v1/me/sessions", { token: owner.token })).json as {
    sessions: { id: string; current: boolean }[];
  };
  const sessionId = sessions.find(({ current }) => !current)?.id ?? "";
  const feed = await call("GET", "/api/v1/feed", { token: owner.token });
  const since = feed.json.since as string;
  return { owner, postId, commentId: comment.json.comment.id as string, sessionId, since };
}

const fresh = (): string => `fresh_${randomBytes(6).toString("hex")}`;
const noToken = "A".repeat(43);

/** The bodies of the rpcs that take one. */
const bodies: Readonly<Record<string, (world: World) => unknown>> = {
  CreatePost: () => ({ content: "new" }),
  UpdatePost: () => ({ content: "edited" }),
  CreateComment: () => ({ content: "new" }),
  Register: () => ({ username: fresh(), email: `${fresh()}@example.com`, password: "a long new phrase" }),
  Login: ({ owner }) => ({ login: owner.username, password: owner.password }),
  CompleteLogin: () => ({ challenge: noToken, code: "123456" }),
  Refresh: () => ({ refreshToken: noToken }),
  Logout: () => ({}),
  UpdateMe: () => ({ bio: "changed" }),
  ChangePassword: ({ owner }) => ({ currentPassword: owner.password, newPassword: "a long new phrase" }),
  ChangeEmail: ({ owner }) => ({ currentPassword: owner.password, email: `${fresh()}@example.com` }),
  RequestEmailVerification: () => ({}),
  ConfirmEmailVerification: () => ({ token: noToken }),
  RequestPasswordReset: () => ({ email: `${fresh()}@example.com` }),
  ConfirmPasswordReset: () => ({ token: noToken, newPassword: "a long new phrase" }),
  EnrolSecondFactor: ({ owner }) => ({ currentPassword: owner.password }),
  ConfirmSecondFactor: () => ({ code: "123456" }),
  ShowPassword: ({ owner }) => ({ password: owner.password }),
  ShowSecondFactor: () => ({ code: "123456" }),
};

const queries: Readonly<Record<string, (world: World) => string>> = {
  CountNewPosts: ({ since }) => `?since=${since}`,
  BatchGetPosts: ({ postId }) => `?ids=${postId}`,
  BatchGetUsers: ({ owner }) => `?ids=${owner.id}`,
};

async function statusFor(row: MatrixRow, world: World, token: string | undefined): Promise<number> {
  const name = row.rpc.split("/")[1] ?? "";
  const [method = "", template = ""] =
    row.route === "internal" ? ["POST", `/${row.rpc}`] : row.route.split(" ");
  const path = template
    .replace("{post_id}", world.postId)
    .replace("{comment_id}", world.commentId)
    .replace("{session_id}", world.sessionId)
    .replace("{user_id}", world.owner.id)
    .replace("{username}", world.owner.username);
  const body = row.route === "internal" ? {} : bodies[name]?.(world);
  const answer = await call(method, `${path}${queries[name]?.(world) ?? ""}`, {
    ...(token === undefined ? {} : { token }),
    ...(body === undefined ? {} : { body }),
  });
  return answer.status;
}

describe("the authorization matrix holds for", () => {
  let other: Person;
  beforeAll(async () => {
    other = await newPerson("other");
  });

  it.each(readMatrix().map((row) => [row.rpc, row] as const))("%s", async (_, row) => {
    const world = await newWorld();
    const expected = { stranger: row.stranger, other: row.other, owner: row.owner };
    const seen: Partial<Record<keyof typeof expected, number>> = {};
    if (row.stranger !== undefined) seen.stranger = await statusFor(row, world, undefined);
    if (row.other !== undefined) seen.other = await statusFor(row, world, other.token);
    if (row.owner !== undefined) seen.owner = await statusFor(row, world, world.owner.token);
    expect(seen).toEqual(JSON.parse(JSON.stringify(expected)));
  });
});
