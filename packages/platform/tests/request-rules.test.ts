import { create } from "@bufbuild/protobuf";
import {
  BatchGetUsersRequestSchema,
  RegisterRequestSchema,
  UserService,
} from "@chirrup/proto/chirrup/user/v1/user_service";
import { describe, expect, it } from "vitest";
import { DomainError } from "../src/errors/index.ts";
import { createRequestRules } from "../src/rpc/request-rules.ts";

const rules = createRequestRules(UserService);

function violationsOf(check: () => void): readonly { field: string; description: string }[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    return error.violations;
  }
}

describe("the rules of a request", () => {
  it("let through what holds to them", () => {
    const request = { username: "somebody", email: " Some.Body@example.com ", password: "12345678" };
    expect(
      violationsOf(() => rules.check(RegisterRequestSchema, create(RegisterRequestSchema, request))),
    ).toEqual([]);
  });

  it("name every field that breaks one, once, by its JSON name", () => {
    const request = create(RegisterRequestSchema, {
      username: "a b",
      email: "x".repeat(600),
      password: "short",
    });
    expect(violationsOf(() => rules.check(RegisterRequestSchema, request))).toEqual([
      { field: "username", description: "must be 3 to 30 of a-z, A-Z, 0-9 and _" },
      { field: "email", description: "must be an e-mail address of at most 254 characters" },
      { field: "password", description: "must be at least 8 characters" },
    ]);
  });

  it("name a list, not its elements", () => {
    const request = create(BatchGetUsersRequestSchema, { ids: [1n, 0n, -1n] });
    expect(violationsOf(() => rules.check(BatchGetUsersRequestSchema, request))).toEqual([
      { field: "ids", description: "must be greater than 0" },
    ]);
  });
});
