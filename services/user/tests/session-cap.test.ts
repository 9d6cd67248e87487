import { Status } from "@chirrup/grpc";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Service } from "./user-service.ts";
import { codeOf, password, sessionOf, signUp, startService } from "./user-service.ts";

let service: Service;
beforeAll(async () => {
  service = await startService({ SESSIONS_MAX_LIVE: "3" });
});
afterAll(() => service[Symbol.asyncDispose]());

it("a sign-in too many ends the session that is unused the longest, and revokes its tokens", async () => {
  const { client, clock } = service;
  const { username, sessionId, refreshToken, call } = await signUp(client);
  const signIn = async () => {
    clock.advance(1_000);
    return client.login({ login: username, password });
  };
  const [second, third] = [await signIn(), await signIn()];
  // The first is the oldest, and used last.
  clock.advance(1_000);
  await client.refresh({ refreshToken });
  const fourth = await signIn();
  const live = (await client.listSessions({}, call)).sessions.map(({ id }) => id);
  expect(live).toEqual([sessionOf(fourth.accessToken), sessionOf(third.accessToken), sessionId]);
  expect(await codeOf(client.refresh({ refreshToken: second.refreshToken }))).toBe(Status.UNAUTHENTICATED);
  expect(await client.checkSession({ sessionId: sessionOf(second.accessToken) })).toMatchObject({
    live: false,
  });
});
