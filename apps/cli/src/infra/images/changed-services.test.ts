import { describe, expect, it } from "vitest";
import { services, servicesOf } from "./changed-services.ts";

describe("the images that a change makes anew", () => {
  it.each([
    ["a service's own file", "services/post/src/main.ts", ["post"]],
    ["a migration", "services/user/migrations/001-accounts.sql", ["user"]],
    ["a package of all", "packages/platform/src/rpc/peer.ts", [...services]],
    ["the contract", "proto/chirrup/post/v1/post_service.proto", [...services]],
    ["the lock", "package-lock.json", [...services]],
    ["the Dockerfile", "infra/docker/Dockerfile", [...services]],
    ["a test", "services/post/tests/process.test.ts", []],
    ["a test beside its file", "services/post/src/config.test.ts", []],
    ["a page", "services/post/README.md", []],
    ["what runs on laptops alone", "packages/servers/src/index.ts", []],
    ["the command line", "apps/cli/src/main.ts", []],
    ["a manifest", "infra/k8s/base/post/settings.env", []],
  ])("by %s", (_, file, expected) => {
    expect(servicesOf([file])).toEqual(expected);
  });
});
