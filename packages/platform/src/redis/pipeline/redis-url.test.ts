import { describe, expect, it } from "vitest";
import { parseRedirect, parseRedisUrl } from "./redis-url.ts";

describe("a URL of Redis", () => {
  it("tells server, cluster, TLS and who we are", () => {
    expect(parseRedisUrl("redis://h")).toEqual({
      cluster: false,
      tls: false,
      username: undefined,
      password: undefined,
      nodes: [{ host: "h", port: 6379 }],
      database: 0,
    });
    expect(parseRedisUrl("rediss://u:p%40@[::1]:7000/3")).toMatchObject({
      tls: true,
      username: "u",
      password: "p@",
      nodes: [{ host: "::1", port: 7000 }],
      database: 3,
    });
    expect(parseRedisUrl("redis-cluster://:p@a:1,b:2")).toMatchObject({
      cluster: true,
      username: "",
      password: "p",
      nodes: [
        { host: "a", port: 1 },
        { host: "b", port: 2 },
      ],
    });
    expect(parseRedisUrl("rediss-cluster://a")).toMatchObject({ cluster: true, tls: true });
  });

  it.each([
    "a:1",
    "http://a",
    "redis://",
    "redis://a:0",
    "redis://a:1,b:2",
    "redis-cluster://a:1/2",
    "redis://a:70000",
  ])("is not %s", (text) => expect(parseRedisUrl(text)).toBeUndefined());
});

describe("a redirection", () => {
  it("names another node, or another port of the same host", () => {
    expect(parseRedirect("10.0.0.1:7001", { host: "x", port: 1 })).toEqual({ host: "10.0.0.1", port: 7001 });
    expect(parseRedirect("::1:7001", { host: "x", port: 1 })).toEqual({ host: "::1", port: 7001 });
    expect(parseRedirect(":7001", { host: "x", port: 1 })).toEqual({ host: "x", port: 7001 });
  });
});
