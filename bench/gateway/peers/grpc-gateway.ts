import { createHash } from "node:crypto";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, globSync } from "node:fs";
import { join } from "node:path";
// Tools are installed as all others of the repository are.
// oxlint-disable-next-line no-restricted-imports
import { goTool, run, toolFolder } from "../../../apps/cli/src/infra/tools.ts";
import { root } from "../processes.ts";

const source = join(root, "bench/gateway/peers/grpc-gateway");
const protos = [
  { name: "own/library/v1", folder: join(root, "services/gateway/tests/protos") },
  { name: "platform/chirrup", folder: join(root, "proto/chirrup") },
  { name: "third_party", folder: join(root, "proto/third_party") },
];
const plugins = [
  { name: "protoc-gen-go", path: "google.golang.org/protobuf/cmd/protoc-gen-go", version: "v1.36.12" },
  { name: "protoc-gen-go-grpc", path: "google.golang.org/grpc/cmd/protoc-gen-go-grpc", version: "v1.6.2" },
  {
    name: "protoc-gen-grpc-gateway",
    path: "github.com/grpc-ecosystem/grpc-gateway/v2/protoc-gen-grpc-gateway",
    version: "v2.33.0",
  },
] as const;

/** The program of `peers/grpc-gateway`, built once for these sources and protos. Throws ToolMissing where there is no Go. */
export function grpcGateway(): string {
  const folder = join(toolFolder, `grpc-gateway-peer-${fingerprint()}`);
  const program = join(folder, "grpc-gateway");
  if (existsSync(program)) return program;
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  cpSync(source, folder, { recursive: true });
  for (const { name, folder: from } of protos)
    cpSync(from, join(folder, "protos", name), { recursive: true });
  generate(folder);
  must("go", ["build", "-o", "grpc-gateway", "."], folder);
  return program;
}

function generate(folder: string): void {
  const modules = ["own", "platform", "third_party"].map((path) => ({ path: `protos/${path}` }));
  const template = {
    version: "v2",
    managed: {
      enabled: true,
      // Those of Google and gRPC have Go packages that are published.
      disable: ["google", "grpc"].map((path) => ({ path })),
      override: [{ file_option: "go_package_prefix", value: "chirrup.example/grpc-gateway/gen" }],
    },
    plugins: plugins.map(({ name, path, version }) => ({
      local: goTool(name, path, version),
      out: "gen",
      opt: ["paths=source_relative"],
    })),
  };
  const config = JSON.stringify({ version: "v2", modules });
  const platform = ["gateway", "user", "post", "feed"].map((name) => `protos/platform/chirrup/${name}`);
  // What they import and has no published Go package of that name.
  const imported = ["buf"].map((name) => `protos/third_party/${name}`);
  const paths = ["protos/own/library/v1/library.proto", ...platform, ...imported];
  const files = paths.filter((path) => existsSync(join(folder, path))).flatMap((path) => ["--path", path]);
  const buf = join(root, "node_modules/.bin/buf");
  must(buf, ["generate", "--config", config, "--template", JSON.stringify(template), ...files], folder);
}

function must(program: string, args: readonly string[], cwd: string): void {
  const { ok, output } = run(program, args, { cwd, env: { GOFLAGS: "-mod=readonly" } });
  if (!ok) throw new Error(`the grpc-gateway peer cannot be built: ${output.slice(-2_000)}`);
}

function fingerprint(): string {
  const hash = createHash("sha256");
  for (const folder of [source, ...protos.map((one) => one.folder)]) {
    for (const file of globSync("**/*.{go,mod,sum,proto}", { cwd: folder }).toSorted()) {
      hash.update(file).update(readFileSync(join(folder, file)));
    }
  }
  return hash.digest("hex").slice(0, 12);
}
