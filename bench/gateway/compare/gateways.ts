import { spawn, type ChildProcess } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fromBinary, getExtension, setExtension, toBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { http } from "@chirrup/proto/google/api/annotations";
import { freePort } from "@chirrup/servers";
import { envoy, envoyArguments } from "../peers/envoy.ts";
import { grpcGateway } from "../peers/grpc-gateway.ts";
import { root } from "../processes.ts";

export interface RunningGateway {
  readonly name: "ours" | "Envoy" | "grpc-gateway";
  readonly port: number;
  readonly child: ChildProcess;
}

const service = "library.v1.LibraryService";

/** Puts each of the three before one upstream. */
export async function startGateways(options: {
  readonly descriptors: string;
  readonly upstream: string;
  readonly folder: string;
}): Promise<readonly RunningGateway[]> {
  const { descriptors, upstream, folder } = options;
  // Before anything is started, since they may be missing.
  const [envoyProgram, goProgram] = [envoy(), grpcGateway()];
  const ports = await Promise.all([1, 2, 3].map(() => freePort()));
  const [own = 0, envoyPort = 0, goPort = 0] = ports;
  const upstreamPort = Number(upstream.split(":")[1]);
  const envoySet = join(folder, "envoy.binpb");
  writeFileSync(envoySet, withoutResponseBody(readFileSync(descriptors)));
  const gatewayFile = join(folder, "gateway.yaml");
  const cookie = "path: /, secure: false, sameSite: Lax, maxAgeSeconds: 600";
  writeFileSync(gatewayFile, `cookies: { access: { name: a, ${cookie} }, refresh: { name: r, ${cookie} } }`);
  const others = ["user.v1.User", "post.v1.Post", "follow.v1.Follow", "feed.v1.Feed"];
  const upstreams = [
    service,
    "everything.v1.EverythingService",
    ...others.map((name) => `chirrup.${name}Service`),
  ];
  const start = (program: string, args: readonly string[]): ChildProcess =>
    spawn(program, args, { cwd: root, stdio: ["pipe", "ignore", "inherit"] });
  return [
    {
      name: "ours",
      port: own,
      child: start("services/gateway/bin/chirrup-gateway.js", [
        "run",
        "--public",
        `--descriptors=${descriptors}`,
        `--gateway-file=${gatewayFile}`,
        `--port=${own}`,
        ...upstreams.map((name) => `--upstream=${name}=${upstream}`),
      ]),
    },
    {
      name: "Envoy",
      port: envoyPort,
      child: start(
        envoyProgram,
        envoyArguments({ port: envoyPort, upstreamPort, descriptors: envoySet, services: [service] }),
      ),
    },
    {
      name: "grpc-gateway",
      port: goPort,
      child: start(goProgram, [`--listen=127.0.0.1:${goPort}`, `--upstream=${upstream}`]),
    },
  ];
}

/** Envoy does not start with a `response_body` that is no HttpBody. */
function withoutResponseBody(bytes: Uint8Array): Uint8Array {
  const set = fromBinary(FileDescriptorSetSchema, bytes);
  for (const { name, options } of set.file.flatMap((file) => file.service.flatMap((one) => one.method))) {
    if (name !== "UpdateBook" || options === undefined) continue;
    setExtension(options, http, { ...getExtension(options, http), responseBody: "" });
  }
  return toBinary(FileDescriptorSetSchema, set);
}
