import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { readMatrix } from "./authorization-matrix.ts";

interface MethodDescriptor {
  readonly name: string;
  readonly options?: {
    readonly "[google.api.http]"?: Readonly<Record<string, unknown>>;
    readonly "[chirrup.gateway.v1.needs]"?: { readonly access?: string };
  };
}

interface FileDescriptorSet {
  readonly file: readonly {
    readonly package?: string;
    readonly service?: readonly { readonly name: string; readonly method?: readonly MethodDescriptor[] }[];
  }[];
}

interface Rpc {
  readonly rpc: string;
  readonly route: string;
  readonly isPublic: boolean;
}

/** Every rpc of ours, as the protos have it. */
function rpcs(): Rpc[] {
  const cwd = fileURLToPath(new URL("../../proto", import.meta.url));
  const args = ["build", "--as-file-descriptor-set", "--exclude-source-info", "-o", "-#format=json"];
  const { stdout, stderr, status } = spawnSync("buf", args, { cwd, encoding: "utf8", maxBuffer: 64e6 });
  if (status !== 0) throw new Error(`buf build: ${stderr}`);
  const { file } = JSON.parse(stdout) as FileDescriptorSet;
  return file
    .filter((each) => each.package?.startsWith("chirrup."))
    .flatMap((each) =>
      (each.service ?? []).flatMap(({ name, method = [] }) =>
        method.map(({ name: rpc, options }) => ({
          rpc: `${each.package ?? ""}.${name}/${rpc}`,
          route: routeOf(options?.["[google.api.http]"]),
          isPublic: options?.["[chirrup.gateway.v1.needs]"]?.access === "ACCESS_PUBLIC",
        })),
      ),
    );
}

function routeOf(rule: Readonly<Record<string, unknown>> | undefined): string {
  for (const method of ["get", "put", "post", "patch", "delete"]) {
    const path = rule?.[method];
    if (typeof path === "string") return `${method.toUpperCase()} ${path}`;
  }
  return "internal";
}

describe("the authorization matrix", () => {
  const declared = rpcs();
  const rows = readMatrix();

  it("has a row for each rpc of the protos, with its route, and no other", () => {
    expect(declared.length).toBeGreaterThan(40);
    expect(rows.map(({ rpc, route }) => `${rpc} ${route}`).toSorted()).toEqual(
      declared.map(({ rpc, route }) => `${rpc} ${route}`).toSorted(),
    );
  });

  it("lets a stranger through exactly where the proto says that the route is public", () => {
    const open = new Map(declared.map(({ rpc, isPublic }) => [rpc, isPublic]));
    const closed = rows.filter(({ rpc }) => open.get(rpc) !== true);
    expect(closed.map(({ rpc, stranger }) => `${rpc} ${stranger ?? ""}`)).toEqual(
      closed.map(({ rpc, route }) => `${rpc} ${route === "internal" ? 404 : 401}`),
    );
    expect([...open].filter(([, isPublic]) => isPublic).map(([rpc]) => rpc.split("/")[1])).toEqual([
      "Register",
      "Login",
      "CompleteLogin",
      "Refresh",
      "Logout",
      "ConfirmEmailVerification",
      "RequestPasswordReset",
      "ConfirmPasswordReset",
    ]);
  });

  it("says what another user gets wherever an object is named", () => {
    const silent = rows.filter(({ object, other }) => object !== "" && other === undefined);
    expect(silent.map(({ rpc }) => rpc)).toEqual([]);
  });
});
